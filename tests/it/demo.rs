//! The README's first command, for scripts.

use std::path::Path;

use tokio::process::Command;

use crate::planted::secrets::looked_at;

/// Cargo builds the workers' binary next to the scaler's, for the worker's own tests.
fn worker() -> std::path::PathBuf {
    let worker = Path::new(env!("CARGO_BIN_EXE_sluice")).with_file_name("sluice-worker");
    assert!(
        worker.is_file(),
        "no worker: run the tests of the whole workspace"
    );
    worker
}

#[tokio::test]
async fn the_demo_scales_from_zero_and_back_with_every_message_done() {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args([
            "demo",
            "--once",
            "--json",
            "--messages",
            "200",
            "--first-messages",
            "20",
        ])
        .args([
            "--work-milliseconds",
            "500",
            "--concurrency",
            "5",
            "--queue-length",
            "20",
            "--max-replicas",
            "4",
            "--worker",
        ])
        .arg(worker())
        .env_remove("CARGO")
        .output()
        .await
        .map(looked_at)
        .expect("the binary");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON alone");
    assert_eq!(summary["messages_sent"], 200);
    assert_eq!(summary["messages_done"], 200);
    assert!(summary["replicas_max"].as_u64().unwrap() > 1, "{summary}");
    assert!(summary["scaled_to_zero_seconds"].is_number(), "{summary}");
    assert!(
        summary["replica_seconds"].as_f64().unwrap() > 0.0,
        "{summary}"
    );
}

#[tokio::test]
async fn a_missing_worker_is_said_with_the_way_to_build_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["demo", "--once", "--worker", "/nowhere/sluice-worker"])
        .output()
        .await
        .map(looked_at)
        .expect("the binary");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        log.contains("no worker at /nowhere/sluice-worker: build it with"),
        "{log}"
    );
}
