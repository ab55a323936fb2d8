//! What `/metrics` tells while the worker works.

use crate::local_sqs::LocalSqs;
use crate::worker::eventually;

#[tokio::test]
async fn messages_are_counted_from_their_receive_to_their_delete() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    for number in 0..12 {
        sqs.control.send("orders", &number.to_string()).unwrap();
    }
    let variables = [
        ("SLUICE_WORKER_WORK_MILLISECONDS", "1500"),
        ("SLUICE_WORKER_CONCURRENCY", "4"),
    ];
    let worker = sqs.worker(&url, &variables);
    eventually("four are held", || sqs.queue("orders").in_flight == 4).await;
    let busy = worker.health("/metrics").await.1;
    for line in [
        "sluice_worker_slots 4",
        "sluice_worker_busy_slots 4",
        "sluice_worker_messages_in_flight 4",
        "sluice_worker_messages_received_total 4",
        "sluice_worker_messages_done_total 0",
    ] {
        assert!(busy.contains(line), "{line}: {busy}");
    }
    eventually("all are deleted", || sqs.queue("orders").deleted == 12).await;
    let idle = worker.health("/metrics").await.1;
    worker.terminate().await.assert_drained();
    for line in [
        "sluice_worker_busy_slots 0",
        "sluice_worker_messages_received_total 12",
        "sluice_worker_handler_seconds_count 12",
        "sluice_worker_handler_seconds_bucket{le=\"1.0\"} 0",
        "sluice_worker_handler_seconds_bucket{le=\"5.0\"} 12",
        "sluice_worker_queue_wait_seconds_count 12",
        "# EOF",
    ] {
        assert!(idle.contains(line), "{line}: {idle}");
    }
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
    eventually("it is held", || sqs.queue("orders").in_flight == 1).await;
    let purged = sqs.client.purge_queue().queue_url(&url).send().await;
    purged.unwrap();
    eventually("the loss is logged", || {
        worker
            .stderr
            .find("message may be given to another consumer")
            .is_some()
    })
    .await;
    let text = worker.health("/metrics").await.1;
    assert!(
        text.contains("sluice_worker_heartbeats_lost_total 1"),
        "{text}"
    );
    worker.terminate().await.assert_drained();
}
