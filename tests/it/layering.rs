//! The rule of dependencies, read from the sources: an arrow that is broken fails here.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

/// Fails for each source in `folder`, but for `except`, that names one of `words`.
fn assert_unnamed(folder: &str, words: &[&str], except: &[&str]) {
    for path in sources(folder) {
        let name = path.display().to_string();
        if except.iter().any(|except| name.ends_with(except)) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source in UTF-8");
        for word in words {
            assert!(!text.contains(word), "{name} must not name {word}");
        }
    }
}

#[test]
fn scaling_knows_no_aws_no_grpc_and_no_clock() {
    let outside = [
        "tokio",
        "tonic",
        "aws_",
        "tracing",
        "Instant",
        "SystemTime",
        "async ",
        "crate::queue",
        "crate::cache",
        "crate::grpc",
        "crate::metrics",
        "crate::status",
        "crate::http",
        "crate::service",
    ];
    assert_unnamed("src/scaling", &outside, &[]);
}

#[test]
fn the_simulation_knows_no_clock_no_network_and_nothing_that_serves() {
    let outside = [
        "tokio",
        "tonic",
        "aws_",
        "Instant",
        "SystemTime",
        "std::thread",
        "async ",
        "crate::queue",
        "crate::cache",
        "crate::grpc",
        "crate::service",
        "crate::demo",
    ];
    assert_unnamed("src/simulation", &outside, &[]);
    assert_unnamed("src/simulation", &["std::fs", "fs::read"], &["command.rs"]);
}

#[test]
fn one_file_names_each_sdk() {
    assert_unnamed("src", &["aws_sdk_sqs"], &["src/queue/sqs.rs"]);
    assert_unnamed(
        "src",
        &["aws_sdk_cloudwatch"],
        &["src/queue/cloudwatch/client.rs"],
    );
    let kubernetes = ["src/kubernetes.rs"];
    assert_unnamed("src", &["kube::", "k8s_openapi"], &kubernetes);
    let traces = ["src/traces/otlp.rs"];
    assert_unnamed("src", &["opentelemetry::", "opentelemetry_"], &traces);
    let identity = ["src/doctor/identity.rs", "src/queue/credentials.rs"];
    assert_unnamed("src", &["aws_sdk_sts"], &identity);
    assert_unnamed("src", &["aws_config"], &["src/queue/credentials.rs"]);
}

#[test]
fn one_module_names_rustls() {
    let module = [
        "src/tls/certificate.rs",
        "src/tls/client_names.rs",
        "src/tls/credentials.rs",
        "src/tls/feed.rs",
    ];
    assert_unnamed("src", &["rustls::", "x509_cert"], &module);
    let outside = ["crate::grpc", "crate::queue", "crate::service", "tonic"];
    assert_unnamed("src/tls", &outside, &[]);
    let answering = ["crate::grpc", "crate::cache", "crate::service", "tonic"];
    assert_unnamed("src/access", &answering, &[]);
}

#[test]
fn one_file_names_the_parser_of_yaml() {
    let knows = "src/simulation/scaled_object_file.rs";
    assert_unnamed("src", &["serde_saphyr"], &[knows]);
    assert_unnamed("src", &["granit_parser"], &["src/manifest/tree.rs"]);
}

#[test]
fn a_manifest_is_text_to_those_who_read_and_rewrite_it() {
    let outside = [
        "tokio",
        "aws_",
        "std::fs",
        "std::io",
        "crate::queue",
        "crate::cli",
    ];
    for folder in ["src/manifest", "src/migrate"] {
        assert_unnamed(folder, &outside, &[]);
    }
}

#[test]
fn observing_knows_nothing_of_answering() {
    let answering = ["crate::grpc", "crate::http", "crate::service", "proto::"];
    assert_unnamed("src/queue", &answering, &[]);
    assert_unnamed("src/watchers", &answering, &[]);
    assert_unnamed("src/metrics", &answering, &[]);
    for file in ["src/cache.rs", "src/metrics.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(path).expect("a source");
        assert!(answering.iter().all(|word| !text.contains(word)), "{file}");
    }
}

#[test]
fn the_board_is_a_leaf_that_pages_read_and_nothing_decides_by() {
    let others = [
        "crate::grpc",
        "crate::http",
        "crate::service",
        "crate::cache",
        "crate::watchers",
        "crate::metrics",
    ];
    assert_unnamed("src/status", &others, &[]);
    for folder in ["src/queue", "src/watchers", "src/simulation"] {
        assert_unnamed(folder, &["crate::status"], &[]);
    }
    assert_unnamed(
        "src/http",
        &["crate::scaling", "crate::grpc", "crate::queue"],
        &[],
    );
}

#[test]
fn traces_are_a_leaf_that_nothing_decides_by() {
    let others = [
        "crate::grpc",
        "crate::cache",
        "crate::queue",
        "crate::service",
        "tonic::Status",
    ];
    assert_unnamed("src/traces", &others, &[]);
    assert_unnamed("src/scaling", &["crate::traces"], &[]);
}

#[test]
fn only_the_grpc_module_and_the_stand_in_for_keda_build_proto_types() {
    assert_unnamed(
        "src",
        &["proto::"],
        &[
            "grpc/mod.rs",
            "grpc/convert.rs",
            "grpc/scaler.rs",
            "grpc/server.rs",
            "grpc/streams.rs",
            "grpc/streams_tests.rs",
            "grpc/live_triggers.rs",
            "grpc/metadata.rs",
            "demo/keda.rs",
        ],
    );
}

#[test]
fn the_worker_shares_no_code_with_the_scaler() {
    assert_unnamed("worker/src", &["sluice::"], &[]);
}
