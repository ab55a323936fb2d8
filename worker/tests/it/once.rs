//! Workers that end by themselves.

use std::time::Duration;

use crate::local_sqs::LocalSqs;
use crate::worker::Worker;

#[tokio::test]
async fn a_job_handles_one_message_of_a_queue_that_it_knows_by_name_and_ends() {
    let sqs = LocalSqs::start().await;
    sqs.given_queue("orders", &[]);
    for number in 0..3 {
        sqs.control.send("orders", &number.to_string()).unwrap();
    }
    let worker = Worker::once(&sqs.endpoint, &[("SQS_QUEUE_NAME", "orders")]);
    let ended = worker.end().await;
    ended.assert_drained();
    let queue = sqs.queue("orders");
    assert_eq!(
        (ended.stdout.len(), queue.deleted, queue.received),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn a_job_that_finds_nothing_ends_too() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    let variables = [
        ("SQS_QUEUE_URL", url.as_str()),
        ("SLUICE_WORKER_IDLE_SECONDS", "1"),
    ];
    let ended = Worker::once(&sqs.endpoint, &variables).end().await;
    ended.assert_drained();
    assert!(ended.took >= Duration::from_secs(1) && ended.stdout.is_empty());
}

#[tokio::test]
async fn fifteen_jobs_do_fifteen_messages() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    for number in 0..15 {
        sqs.control.send("orders", &number.to_string()).unwrap();
    }
    let variables = [
        ("SQS_QUEUE_URL", url.as_str()),
        ("SLUICE_WORKER_WORK_MILLISECONDS", "300"),
    ];
    let jobs: Vec<_> = (0..15)
        .map(|_| Worker::once(&sqs.endpoint, &variables))
        .collect();
    for job in jobs {
        let ended = job.end().await;
        ended.assert_drained();
        assert_eq!(ended.stdout.len(), 1);
    }
    let queue = sqs.queue("orders");
    assert_eq!((queue.deleted, queue.received), (15, 15));
}
