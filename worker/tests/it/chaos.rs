//! Workers that are stopped and killed at random while SQS fails at random: nothing is lost, and nothing is done twice but
//! what a kill has cut short.

use std::collections::BTreeMap;
use std::time::Duration;

use sluice::local::{FaultAction, FaultRule};
use tokio::time::{Instant, sleep};

use crate::local_sqs::LocalSqs;
use crate::worker::{Ended, Worker};

/// Far more than a run takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);
const WORKERS: usize = 3;

/// Enough to be ended many times over; `SLUICE_CHAOS_MESSAGES=20000` for longer.
fn messages() -> u64 {
    let asked = std::env::var("SLUICE_CHAOS_MESSAGES").ok();
    asked.map_or(2_000, |asked| asked.parse().unwrap())
}

struct Run {
    sqs: LocalSqs,
    url: String,
    messages: u64,
    chance: fastrand::Rng,
    workers: Vec<Worker>,
    printed: BTreeMap<String, u64>,
    signals: u64,
}

impl Run {
    async fn given(messages: u64, seed: u64) -> Self {
        let sqs = LocalSqs::start().await;
        let url = sqs.given_queue("orders", &[]);
        for number in 0..messages {
            sqs.control.send("orders", &format!("m{number}")).unwrap();
        }
        Self {
            sqs,
            url,
            messages,
            chance: fastrand::Rng::with_seed(seed),
            workers: Vec::new(),
            printed: BTreeMap::new(),
            signals: 0,
        }
    }

    fn start_worker(&mut self) {
        let variables = [
            ("SLUICE_WORKER_WORK_MILLISECONDS", "20"),
            ("SLUICE_WORKER_CONCURRENCY", "30"),
            ("SQS_VISIBILITY_TIMEOUT", "10"),
            ("RUST_LOG", "error"),
        ];
        let worker = self.sqs.worker(&self.url, &variables);
        self.workers.push(worker);
    }

    /// Keeps workers running and ends one after the other until the queue is empty.
    async fn until_empty(&mut self, signal_of: impl Fn(&mut fastrand::Rng) -> &'static str) {
        let started_at = Instant::now();
        loop {
            assert!(started_at.elapsed() < PATIENCE, "they get nowhere");
            while self.workers.len() < WORKERS {
                self.start_worker();
            }
            sleep(Duration::from_millis(self.chance.u64(100..900))).await;
            self.break_something();
            let chosen = self.chance.usize(..self.workers.len());
            let signal = signal_of(&mut self.chance);
            let ended = self.end(chosen, signal).await;
            self.keep(ended);
            let queue = self.sqs.queue("orders");
            if queue.visible + queue.in_flight == 0 {
                break;
            }
        }
        self.sqs.control.clear_faults();
        while !self.workers.is_empty() {
            let ended = self.end(0, "TERM").await;
            self.keep(ended);
        }
    }

    async fn end(&mut self, chosen: usize, signal: &str) -> Ended {
        let worker = self.workers.swap_remove(chosen);
        self.signals += 1;
        worker.signal(signal).await;
        let ended = worker.end().await;
        let expected = if signal == "TERM" { Some(0) } else { None };
        // A signal can come before it is listened to.
        assert!(
            ended.code == expected || ended.stdout.is_empty(),
            "{:?} {:?}",
            ended.code,
            ended.stderr
        );
        ended
    }

    fn keep(&mut self, ended: Ended) {
        for line in ended.stdout {
            // The last line of a killed worker can be cut off.
            if let Some((_, body)) = line.split_once("body=") {
                *self.printed.entry(body.to_owned()).or_default() += 1;
            }
        }
    }

    fn break_something(&mut self) {
        let actions = [
            FaultAction::Throttle,
            FaultAction::ServerError(503),
            FaultAction::PartialBatchFailure,
            FaultAction::Latency(Duration::from_millis(150)),
            FaultAction::DropConnection,
        ];
        let operations = [
            "ReceiveMessage",
            "DeleteMessageBatch",
            "ChangeMessageVisibilityBatch",
        ];
        let chosen = self.chance.usize(..actions.len());
        let operation = self.chance.choice(operations).unwrap();
        let rule = FaultRule::on(operation, actions[chosen].clone());
        self.sqs.control.set_fault(rule.times(3));
    }

    fn duplicates(&self) -> u64 {
        self.printed.values().map(|times| times - 1).sum()
    }

    fn assert_nothing_lost(&self) {
        let queue = self.sqs.queue("orders");
        assert_eq!(queue.deleted, self.messages);
        let done = u64::try_from(self.printed.len()).unwrap();
        assert_eq!(
            done, self.messages,
            "each was handled before it was deleted"
        );
    }
}

#[tokio::test]
async fn workers_that_are_only_stopped_lose_nothing_and_do_nothing_twice() {
    let mut run = Run::given(messages(), 1).await;
    run.until_empty(|_| "TERM").await;
    run.assert_nothing_lost();
    println!("{} stops, {} duplicates", run.signals, run.duplicates());
    assert_eq!(run.duplicates(), 0);
}

#[tokio::test]
async fn workers_that_are_killed_lose_nothing_and_duplicate_no_more_than_they_held() {
    let mut run = Run::given(messages(), 2).await;
    run.until_empty(|chance| if chance.bool() { "KILL" } else { "TERM" })
        .await;
    run.assert_nothing_lost();
    println!("{} ends, {} duplicates", run.signals, run.duplicates());
    // What is printed and not yet deleted when a worker is killed: its slots, and a few batches of deletes.
    assert!(
        run.duplicates() <= run.signals * 150,
        "{}",
        run.duplicates()
    );
}
