//! Receive, handle, delete.

use crate::scripted_sqs::{CHANGE, DELETE, Fault, RECEIVE, ScriptedSqs};
use crate::worker::{Worker, eventually};

#[tokio::test]
async fn messages_are_received_printed_and_deleted_in_batches() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_messages(20);
    let worker = Worker::start(&sqs, &[("SQS_WAIT_TIME_SECONDS", "1")]);
    eventually("all are deleted", || sqs.deleted().len() == 20).await;
    let ended = worker.terminate().await;
    ended.assert_drained();
    assert_eq!(ended.stdout.len(), 20);
    let first = r#"message_id=message-0 receive_count=1 body={"messageNumber":"0"}"#;
    assert!(
        ended.stdout.iter().any(|line| line == first),
        "{:?}",
        ended.stdout
    );
    let deletes = sqs.requests(DELETE);
    assert!(deletes.len() < 20, "none is a batch: {deletes:?}");
}

#[tokio::test]
async fn a_receive_asks_as_the_environment_says_and_only_the_first_does_not_wait() {
    let sqs = ScriptedSqs::start().await;
    let variables = [
        ("SQS_MAX_MESSAGES", "3"),
        ("SQS_WAIT_TIME_SECONDS", "1"),
        ("SQS_VISIBILITY_TIMEOUT", "44"),
    ];
    let worker = Worker::start(&sqs, &variables);
    eventually("a second receive", || sqs.requests(RECEIVE).len() >= 2).await;
    worker.terminate().await.assert_drained();
    let requests = sqs.requests(RECEIVE);
    assert_eq!(requests[0]["WaitTimeSeconds"], 0);
    assert_eq!(requests[1]["WaitTimeSeconds"], 1);
    assert_eq!(requests[1]["MaxNumberOfMessages"], 3);
    assert_eq!(requests[1]["VisibilityTimeout"], 44);
    assert_eq!(
        requests[1]["MessageSystemAttributeNames"][0],
        "ApproximateReceiveCount"
    );
}

#[tokio::test]
async fn no_more_is_received_than_there_are_free_slots() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_messages(5);
    let variables = [
        ("SLUICE_WORKER_CONCURRENCY", "2"),
        ("SLUICE_WORKER_WORK_MILLISECONDS", "600000"),
        ("SLUICE_WORKER_DRAIN_SECONDS", "1"),
    ];
    let worker = Worker::start(&sqs, &variables);
    eventually("both slots are taken", || sqs.hidden() == 2).await;
    worker.terminate().await.assert_drained();
    let asked: Vec<_> = sqs
        .requests(RECEIVE)
        .iter()
        .map(|r| r["MaxNumberOfMessages"].clone())
        .collect();
    assert_eq!(asked, [2]);
}

#[tokio::test]
async fn work_longer_than_the_visibility_timeout_keeps_its_message_hidden() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_messages(2);
    let variables = [
        ("SQS_VISIBILITY_TIMEOUT", "1"),
        ("SQS_WAIT_TIME_SECONDS", "1"),
        ("SLUICE_WORKER_WORK_MILLISECONDS", "1500"),
    ];
    let worker = Worker::start(&sqs, &variables);
    eventually("both are deleted", || sqs.deleted().len() == 2).await;
    worker.terminate().await.assert_drained();
    let extensions = sqs.requests(CHANGE);
    assert!(extensions.len() >= 2, "{extensions:?}");
    let entries = |request: &serde_json::Value| request["Entries"].as_array().unwrap().len();
    assert!(
        extensions.iter().any(|request| entries(request) == 2),
        "never extended in one request: {extensions:?}"
    );
    assert_eq!(extensions[0]["Entries"][0]["VisibilityTimeout"], 1);
}

#[tokio::test]
async fn failed_entries_of_a_delete_are_sent_again() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_messages(2);
    sqs.given_fault(DELETE, Fault::Entries);
    let worker = Worker::start(&sqs, &[("SQS_WAIT_TIME_SECONDS", "1")]);
    eventually("both are deleted", || sqs.deleted().len() == 2).await;
    worker.terminate().await.assert_drained();
    assert!(sqs.requests(DELETE).len() >= 2);
}

#[tokio::test]
async fn a_message_whose_handler_fails_is_not_deleted() {
    let sqs = ScriptedSqs::start().await;
    let mut worker = Worker::start(&sqs, &[("SQS_WAIT_TIME_SECONDS", "1")]);
    worker.stdout.close().await;
    sqs.given_messages(1);
    eventually("the failure is logged", || {
        worker.stderr.find("message failed").is_some()
    })
    .await;
    worker.terminate().await.assert_drained();
    assert_eq!((sqs.hidden(), sqs.requests(DELETE).len()), (1, 0));
}
