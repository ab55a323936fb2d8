//! Generates the gRPC code and the reflection descriptor from KEDA's contract; needs no protoc.

use std::{env, error::Error, fs, path::PathBuf};

use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let contract = protox::Compiler::new(["proto"])?
        .include_source_info(true)
        .include_imports(true)
        .open_file("externalscaler.proto")?
        .file_descriptor_set();
    let descriptor = protox::Compiler::new(["proto"])?
        .include_source_info(false)
        .include_imports(true)
        .open_file("externalscaler.proto")?
        .encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("externalscaler_descriptor.bin"), descriptor)?;
    serve_unread(contract.clone(), out.join("unread"))?;
    tonic_prost_build::configure().compile_fds(contract)?;
    Ok(())
}

/// The contract as the server reads it: KEDA sends the same metadata with each call, and only the first
/// time is it worth a map. An entry of a map is a message on the wire, and so it is bytes as well.
fn serve_unread(mut contract: FileDescriptorSet, out: PathBuf) -> Result<(), Box<dyn Error>> {
    let messages = contract
        .file
        .iter_mut()
        .flat_map(|file| &mut file.message_type);
    messages.for_each(leave_maps_unread);
    fs::create_dir_all(&out)?;
    let mut code = tonic_prost_build::configure()
        .out_dir(out)
        .build_client(false)
        .bytes(".");
    for answer in [
        "IsActiveResponse",
        "GetMetricSpecResponse",
        "GetMetricsResponse",
    ] {
        let (message, ours) = (
            format!(".externalscaler.{answer}"),
            format!("crate::grpc::proto::{answer}"),
        );
        code = code.extern_path(message, ours);
    }
    code.compile_fds(contract)?;
    Ok(())
}

/// A map is a repeated message that is declared beside it.
fn leave_maps_unread(message: &mut DescriptorProto) {
    let name = message.name().to_owned();
    for entry in std::mem::take(&mut message.nested_type) {
        let entry = format!(".externalscaler.{name}.{}", entry.name());
        let map = message
            .field
            .iter_mut()
            .find(|field| field.type_name() == entry);
        if let Some(map) = map {
            map.set_type(Type::Bytes);
            map.type_name = None;
        }
    }
}
