//! Generates the gRPC code and the reflection descriptor from KEDA's contract; needs no protoc.

use std::{env, error::Error, fs, path::PathBuf};

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
    tonic_prost_build::configure().compile_fds(contract)?;
    Ok(())
}
