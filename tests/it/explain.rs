//! `sluice explain` as it is typed: a file against a real SQS, and an object against a running scaler.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use sluice::{local::FaultAction, status::ScaledObjectList};
use tokio::process::Command;

use crate::support::*;

fn manifest(sqs: &Sqs, kind: &str, metadata: &str) -> String {
    format!(
        "kind: {kind}\nmetadata: {{name: orders, namespace: shop}}\nspec:\n  maxReplicaCount: 4\n  triggers:\n    - type: \
         external-push\n      metadata:\n        queueURL: {}\n        awsRegion: eu-west-1\n        awsEndpoint: {}\n{metadata}",
        sqs.metadata["queueURL"], sqs.metadata["awsEndpoint"]
    )
}

fn given_file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

async fn explain(sqs: &Sqs, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluice"))
        .arg("explain")
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", "AKIALOCAL")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_ENDPOINT_URL", &sqs.metadata["awsEndpoint"])
        .env("SLUICE_CLOUDWATCH_ENDPOINT", "trigger")
        .output()
        .await
        .map(looked_at)
        .expect("the binary")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_file_is_explained_in_words() {
    let sqs = given_sqs().await;
    sqs.send(12);
    let text = manifest(&sqs, "ScaledObject", "        queueLenght: '3'\n");
    let path = given_file("explain-words.yaml", &text);
    let output = explain(&sqs, &[path.to_str().unwrap()]).await;
    let expected = "\
shop/orders: queue orders in eu-west-1
  KEDA is told   active, 12 messages at 5 a replica: 3 replicas
  because        12 visible + 0 in flight + 0 delayed: 3 replicas at queueLength 5
  aws-sqs-queue  would say 3 replicas, active
  seen           12 visible, 0 in flight, 0 delayed, 0 s ago; visibility timeout 30 s, no queue for dead letters
  warning        metadata key \"queueLenght\" is unknown and ignored; did you mean \"queueLength\"?
  note           the queue has no RedrivePolicy: a message that always fails is tried until its retention ends
  note           the autoscaler stays within minReplicaCount 0 and maxReplicaCount 4
";
    assert_eq!(out(&output), expected, "{}", log(&output));
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn a_law_is_explained_with_what_cloudwatch_tells() {
    let sqs = given_sqs().await;
    sqs.send(600);
    let hints =
        "        targetWaitSeconds: '60'\n        concurrency: '10'\n        messageSeconds: '1'\n";
    let path = given_file("explain-law.yaml", &manifest(&sqs, "ScaledObject", hints));
    let output = explain(&sqs, &["--json", path.to_str().unwrap()]).await;
    let list: ScaledObjectList = serde_json::from_str(&out(&output)).expect("JSON alone");
    let trigger = &list.scaledobjects[0].triggers[0];
    let decision = trigger.decision.as_ref().expect("a decision");
    // 600 messages of a second, ten at once: by queueLength 120 replicas, all that the object allows are 4.
    assert_eq!(decision.plain.replicas, Some(120.0));
    assert!(decision.replicas.unwrap() <= 4.0, "{decision:?}");
    assert_eq!(
        trigger.estimate.as_ref().unwrap().message_seconds,
        Some(1.0)
    );
    assert_eq!(sqs.control.requests("GetMetricData"), 1);
}

#[tokio::test]
async fn a_queue_that_cannot_be_seen_is_an_error_not_zero() {
    let sqs = given_sqs().await;
    sqs.fault(FaultAction::AccessDenied);
    let path = given_file("explain-denied.yaml", &manifest(&sqs, "ScaledObject", ""));
    let output = explain(&sqs, &[path.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        out(&output).contains("cannot see     SQS answered 403"),
        "{}",
        out(&output)
    );
    assert!(
        log(&output).contains("nothing can be decided for 1 of the triggers"),
        "{}",
        log(&output)
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let sqs = given_sqs().await;
    let wrong = manifest(&sqs, "ScaledJob", "        queueLength: many\n");
    let path = given_file("explain-wrong.yaml", &wrong);
    let output = explain(&sqs, &[path.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        log(&output).contains("explain-wrong.yaml:6:7: error parsing SQS queue metadata"),
        "{}",
        log(&output)
    );
    let path = given_file("explain-none.yaml", "kind: Deployment\n");
    let output = explain(&sqs, &[path.to_str().unwrap()]).await;
    assert!(
        log(&output).contains("expected a ScaledObject or ScaledJob"),
        "{}",
        log(&output)
    );
    let output = explain(&sqs, &["none.yaml"]).await;
    assert!(
        log(&output).contains("there is no file \"none.yaml\""),
        "{}",
        log(&output)
    );
}

#[tokio::test]
async fn an_object_that_asks_is_explained_by_its_server() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    sqs.send(7);
    scaler.value(&sqs.metadata).await.expect("a value");
    let server = format!("http://{}", scaler.http);
    let output = explain(&sqs, &["shop/worker", "--server", &server]).await;
    let text = out(&output);
    assert!(
        text.starts_with("shop/worker: queue orders in eu-west-1\n"),
        "{text}{}",
        log(&output)
    );
    assert!(
        text.contains("KEDA is told   active, 7 messages at 5 a replica: 2 replicas"),
        "{text}"
    );
    let output = explain(&sqs, &["shop/worker", "--server", &server, "--json"]).await;
    let list: ScaledObjectList = serde_json::from_str(&out(&output)).expect("JSON alone");
    assert_eq!(list.scaledobjects[0].name, "worker");

    let output = explain(&sqs, &["shop/other", "--server", &server]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        log(&output).contains("those that ask are shop/worker"),
        "{}",
        log(&output)
    );
    let output = explain(&sqs, &["shop/other", "--server", "http://127.0.0.1:1"]).await;
    assert!(
        log(&output).contains("cannot connect to 127.0.0.1:1"),
        "{}",
        log(&output)
    );
}
