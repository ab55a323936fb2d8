//! An SQS that fails.

use axum::http::StatusCode;

use crate::scripted_sqs::{Fault, RECEIVE, ScriptedSqs};
use crate::worker::{Worker, eventually};

#[tokio::test]
async fn a_missing_queue_or_permission_is_fatal_at_the_start_and_says_so() {
    let table = [
        (
            "com.amazonaws.sqs#QueueDoesNotExist",
            "does not exist in this account and region",
        ),
        (
            "AccessDenied",
            "grant sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility",
        ),
    ];
    for (code, expected) in table {
        let sqs = ScriptedSqs::start().await;
        sqs.given_fault(RECEIVE, Fault::Request(StatusCode::BAD_REQUEST, code));
        let ended = Worker::start(&sqs, &[]).end().await;
        assert_eq!(ended.code, Some(1));
        let last = ended.stderr.last().unwrap();
        assert!(
            last.contains(expected) && last.contains("/123456789012/orders"),
            "{last}"
        );
        assert!(last.ends_with("as the test wants"), "{last}");
    }
}

#[tokio::test]
async fn an_error_that_may_pass_is_waited_out() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_outage(
        RECEIVE,
        Fault::Request(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
    );
    sqs.given_messages(1);
    let worker = Worker::start(&sqs, &[("SQS_WAIT_TIME_SECONDS", "1")]);
    eventually("the error is logged", || {
        worker.stderr.find("receive failed").is_some()
    })
    .await;
    let (status, reason) = worker.health("/health/ready").await;
    assert_eq!(
        (status, reason.as_str()),
        (503, "the last receive failed; the log says why\n")
    );
    sqs.outage_is_over();
    eventually("the message is deleted", || sqs.deleted().len() == 1).await;
    worker.terminate().await.assert_drained();
}

#[tokio::test]
async fn a_permission_that_is_lost_later_is_waited_for() {
    let sqs = ScriptedSqs::start().await;
    let worker = Worker::start(&sqs, &[("SQS_WAIT_TIME_SECONDS", "1")]);
    eventually("a receive was answered", || {
        sqs.requests(RECEIVE).len() >= 2
    })
    .await;
    sqs.given_fault(
        RECEIVE,
        Fault::Request(StatusCode::BAD_REQUEST, "AccessDenied"),
    );
    eventually("the error is logged", || {
        worker.stderr.find("receive failed").is_some()
    })
    .await;
    sqs.given_messages(1);
    eventually("the message is deleted", || sqs.deleted().len() == 1).await;
    worker.terminate().await.assert_drained();
}
