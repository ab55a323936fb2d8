//! What failed comes again after a growing wait, and in the end goes to the dead-letter queue.

use std::time::Duration;

use tokio::time::Instant;

use crate::local_sqs::LocalSqs;
use crate::worker::eventually;

/// Standard output is closed: printing fails.
async fn given_a_failing_worker(
    sqs: &LocalSqs,
    url: &str,
    retry_seconds_max: &str,
) -> crate::worker::Worker {
    let variables = [
        ("SLUICE_WORKER_RETRY_SECONDS_MAX", retry_seconds_max),
        ("SQS_VISIBILITY_TIMEOUT", "600"),
    ];
    let mut worker = sqs.worker(url, &variables);
    worker.stdout.close().await;
    worker
}

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letter_queue_long_before_its_visibility_times_out() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue_with_dead_letters("orders", 3);
    let worker = given_a_failing_worker(&sqs, &url, "0").await;
    sqs.control.send("orders", "poison").unwrap();
    eventually("it is a dead letter", || {
        sqs.queue("orders").moved_to_dead_letters == 1
    })
    .await;
    assert_eq!(sqs.queue("orders-dead").visible, 1);
    assert_eq!(sqs.queue("orders").received, 3);
    let counted = [
        "sluice_worker_messages_failed_total 3",
        "sluice_worker_messages_redelivered_total 2",
        "sluice_worker_messages_done_total 0",
    ];
    worker.counts(&counted).await;
    worker.terminate().await.assert_drained();
}

#[tokio::test]
async fn a_failed_message_waits_before_it_comes_again() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    let worker = given_a_failing_worker(&sqs, &url, "300").await;
    let sent_at = Instant::now();
    sqs.control.send("orders", "poison").unwrap();
    // Long before its visibility times out, but not at once.
    eventually("it comes again", || sqs.queue("orders").received == 2).await;
    let waited = sent_at.elapsed();
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
    worker.terminate().await.assert_drained();
}
