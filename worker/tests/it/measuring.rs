//! What `/metrics` tells while the worker works.

use crate::gate::Gate;
use crate::local_sqs::LocalSqs;
use crate::worker::eventually;

#[tokio::test]
async fn messages_are_counted_from_their_receive_to_their_delete() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    for number in 0..12 {
        sqs.control.send("orders", &number.to_string()).unwrap();
    }
    let gate = Gate::start().await;
    let worker = sqs.worker(&url, &gate.handles(&[("SLUICE_WORKER_CONCURRENCY", "4")]));
    let busy = [
        "sluice_worker_slots 4",
        "sluice_worker_busy_slots 4",
        "sluice_worker_messages_in_flight 4",
        "sluice_worker_messages_received_total 4",
        "sluice_worker_messages_done_total 0",
    ];
    worker.counts(&busy).await;
    gate.open();
    let idle = [
        "sluice_worker_busy_slots 0",
        "sluice_worker_messages_in_flight 0",
        "sluice_worker_messages_done_total 12",
        "sluice_worker_messages_received_total 12",
        "sluice_worker_handler_seconds_count 12",
        "sluice_worker_handler_seconds_bucket{le=\"+Inf\"} 12",
        "sluice_worker_queue_wait_seconds_count 12",
        "# EOF",
    ];
    worker.counts(&idle).await;
    worker.terminate().await.assert_drained();
    assert_eq!(sqs.queue("orders").deleted, 12);
}

#[tokio::test]
async fn a_message_that_another_deletes_is_a_lost_heartbeat() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    let variables = [
        ("SLUICE_WORKER_WORK_MILLISECONDS", "600000"),
        ("SQS_VISIBILITY_TIMEOUT", "3"),
        ("SLUICE_WORKER_DRAIN_SECONDS", "1"),
    ];
    let worker = sqs.worker(&url, &variables);
    sqs.control.send("orders", "taken away").unwrap();
    worker.works_on(1).await;
    let purged = sqs.client.purge_queue().queue_url(&url).send().await;
    purged.unwrap();
    eventually("the loss is logged", || {
        worker
            .stderr
            .find("message may be given to another consumer")
            .is_some()
    })
    .await;
    worker
        .counts(&["sluice_worker_heartbeats_lost_total 1"])
        .await;
    worker.terminate().await.assert_drained();
}
