//! Long work while workers are scaled in: fifteen messages, with seconds where others measured minutes. Work is longer than
//! the visibility timeout, and workers are told to stop in the middle of it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::local_sqs::LocalSqs;
use crate::worker::Worker;

const MESSAGES: u64 = 15;

struct Outcome {
    printed: Vec<String>,
    received: u64,
    stopped: u64,
    /// Workers that ended otherwise than with exit code 0.
    killed: usize,
}

/// Five workers with one slot each; every moment one is stopped and another one started.
async fn given_scaled_in_work(drain_seconds: &str) -> Outcome {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("encode", &[]);
    for number in 0..MESSAGES {
        sqs.control.send("encode", &format!("m{number}")).unwrap();
    }
    let variables = [
        ("SLUICE_WORKER_WORK_MILLISECONDS", "4500"),
        ("SLUICE_WORKER_CONCURRENCY", "1"),
        // Shorter than the work, and long beside the moments in which a busy machine does not let a worker run.
        ("SQS_VISIBILITY_TIMEOUT", "4"),
        ("SLUICE_WORKER_DRAIN_SECONDS", drain_seconds),
    ];
    let start = || sqs.worker(&url, &variables);
    let mut workers: Vec<Worker> = (0..5).map(|_| start()).collect();
    let mut ending = Vec::new();
    let started_at = Instant::now();
    while sqs.queue("encode").deleted < MESSAGES {
        assert!(started_at.elapsed() < Duration::from_mins(2), "stuck");
        sleep(Duration::from_secs(2)).await;
        let oldest = workers.remove(0);
        ending.push(tokio::spawn(oldest.terminate()));
        workers.push(start());
    }
    for worker in workers {
        ending.push(tokio::spawn(worker.terminate()));
    }
    let (mut printed, mut killed) = (Vec::new(), 0);
    let stopped = u64::try_from(ending.len()).unwrap();
    for ended in ending {
        let ended = ended.await.unwrap();
        // One that was stopped before it had begun has nothing to hand back.
        let had_begun = ended.stderr.iter().any(|line| line.contains("consuming"));
        killed += usize::from(had_begun && ended.code != Some(0));
        printed.extend(ended.stdout);
    }
    let received = sqs.queue("encode").received;
    Outcome {
        printed,
        received,
        stopped,
        killed,
    }
}

#[tokio::test]
async fn with_time_to_drain_every_message_is_done_in_its_first_receive() {
    let outcome = given_scaled_in_work("25").await;
    assert_eq!((outcome.printed.len(), outcome.killed), (15, 0));
    // What a receive brings to a worker that is told to stop meanwhile goes back at once.
    let again = outcome.received - MESSAGES;
    assert!(again <= outcome.stopped, "{again} were repeated");
}

#[tokio::test]
async fn without_time_to_drain_work_is_repeated_and_none_is_lost_or_done_twice() {
    let outcome = given_scaled_in_work("1").await;
    assert_eq!((outcome.printed.len(), outcome.killed), (15, 0));
    assert!(outcome.received > 15, "no work was cut short");
}
