//! What happens to messages when the worker is told to stop.

use std::time::Duration;

use crate::gate::Gate;
use crate::scripted_sqs::{CHANGE, DELETE, Fault, RECEIVE, ScriptedSqs};
use crate::worker::{Worker, eventually};
use axum::http::StatusCode;

#[tokio::test]
async fn a_message_in_the_middle_is_finished_and_deleted() {
    for signal in ["TERM", "INT", "QUIT"] {
        let sqs = ScriptedSqs::start().await;
        sqs.given_messages(1);
        let work = ("SLUICE_WORKER_WORK_MILLISECONDS", "1000");
        let worker = Worker::start(&sqs, &[work, ("SQS_WAIT_TIME_SECONDS", "1")]);
        worker.works_on(1).await;
        worker.signal(signal).await;
        let ended = worker.end().await;
        ended.assert_drained();
        assert_eq!((ended.stdout.len(), sqs.deleted().len()), (1, 1));
    }
}

#[tokio::test]
async fn what_does_not_finish_in_the_drain_time_is_handed_back() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_messages(12);
    let variables = [
        ("SLUICE_WORKER_WORK_MILLISECONDS", "600000"),
        ("SLUICE_WORKER_CONCURRENCY", "12"),
        ("SLUICE_WORKER_DRAIN_SECONDS", "1"),
        ("SQS_WAIT_TIME_SECONDS", "1"),
    ];
    let worker = Worker::start(&sqs, &variables);
    worker.works_on(12).await;
    let ended = worker.terminate().await;
    ended.assert_drained();
    assert_eq!(
        (sqs.visible(), sqs.hidden(), sqs.deleted().len()),
        (12, 0, 0)
    );
    assert!(ended.stdout.is_empty() && ended.took >= Duration::from_secs(1));
}

async fn given_draining_while_a_receive_waits(sqs: &ScriptedSqs) -> Worker {
    let worker = Worker::start(sqs, &[]);
    eventually("a receive waits", || sqs.requests(RECEIVE).len() == 2).await;
    worker.signal("TERM").await;
    eventually("it drains", || worker.stderr.find("draining").is_some()).await;
    worker
}

#[tokio::test]
async fn messages_that_a_pending_receive_brings_are_handed_back() {
    let sqs = ScriptedSqs::start().await;
    let worker = given_draining_while_a_receive_waits(&sqs).await;
    sqs.given_messages(3);
    let ended = worker.end().await;
    ended.assert_drained();
    assert_eq!((sqs.visible(), sqs.hidden()), (3, 0));
    assert_eq!(
        sqs.requests(CHANGE).len(),
        1,
        "handed back by the worker, in one request"
    );
    assert!(ended.stdout.is_empty());
    assert_eq!(
        sqs.requests(RECEIVE).len(),
        2,
        "no receive starts while draining"
    );
}

#[tokio::test]
async fn a_hand_back_is_not_repeated_when_it_may_have_been_heard() {
    let sqs = ScriptedSqs::start().await;
    let worker = given_draining_while_a_receive_waits(&sqs).await;
    sqs.given_fault(CHANGE, Fault::Answer);
    sqs.given_messages(3);
    let ended = worker.end().await;
    ended.assert_drained();
    assert_eq!((sqs.visible(), sqs.hidden()), (3, 0));
    assert_eq!(
        sqs.requests(CHANGE).len(),
        1,
        "others may be at work on them by now"
    );
    let says = |line: &String| line.contains("nobody knows whether SQS did it");
    assert!(ended.stderr.iter().any(says), "{:?}", ended.stderr);
}

#[tokio::test]
async fn a_receive_that_outlasts_the_drain_does_not_hold_the_exit() {
    let sqs = ScriptedSqs::start().await;
    let worker = Worker::start(&sqs, &[("SLUICE_WORKER_DRAIN_SECONDS", "1")]);
    eventually("a receive waits", || sqs.requests(RECEIVE).len() == 2).await;
    let ended = worker.terminate().await;
    ended.assert_drained();
    assert_eq!(sqs.unanswered_receives(), 1, "the exit waited for it");
    assert!(
        ended
            .stderr
            .iter()
            .any(|line| line.contains("a receive outlasted the drain time"))
    );
}

#[tokio::test]
async fn deletes_that_fail_at_first_are_still_made_before_the_exit() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_messages(1);
    sqs.given_fault(
        DELETE,
        Fault::Request(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
    );
    let work = ("SLUICE_WORKER_WORK_MILLISECONDS", "500");
    let worker = Worker::start(&sqs, &[work, ("SQS_WAIT_TIME_SECONDS", "1")]);
    worker.works_on(1).await;
    worker.terminate().await.assert_drained();
    assert_eq!(sqs.deleted(), ["message-0"]);
    assert_eq!(sqs.requests(CHANGE).len(), 0);
}

#[tokio::test]
async fn readiness_ends_with_the_signal_and_liveness_does_not() {
    let sqs = ScriptedSqs::start().await;
    let gate = Gate::start().await;
    let variables = [("SQS_WAIT_TIME_SECONDS", "1")];
    let worker = Worker::start(&sqs, &gate.handles(&variables));
    sqs.given_messages(1);
    worker.works_on(1).await;
    assert_eq!(worker.health("/health/ready").await, (200, String::new()));
    worker.signal("TERM").await;
    eventually("it drains", || worker.stderr.find("draining").is_some()).await;
    assert_eq!(
        worker.health("/health/ready").await,
        (503, "draining\n".to_owned())
    );
    assert_eq!(worker.health("/health/live").await, (200, String::new()));
    gate.open();
    worker.end().await.assert_drained();
}

#[tokio::test]
async fn a_second_signal_ends_the_drain_at_once() {
    let sqs = ScriptedSqs::start().await;
    sqs.given_messages(1);
    let worker = Worker::start(&sqs, &[("SLUICE_WORKER_WORK_MILLISECONDS", "600000")]);
    worker.works_on(1).await;
    worker.signal("TERM").await;
    eventually("it drains", || worker.stderr.find("draining").is_some()).await;
    worker.signal("INT").await;
    let ended = worker.end().await;
    assert_eq!(ended.code, Some(1));
    let last = ended.stderr.last().unwrap();
    assert_eq!(
        last,
        "SIGINT while draining: ended without finishing; unfinished messages come again"
    );
}
