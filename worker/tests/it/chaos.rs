//! Workers that are stopped and killed at random while SQS fails at random: nothing is lost, and nothing is done twice but
//! what a kill has cut short.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use sluice::local::{FaultAction, FaultRule};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::local_sqs::LocalSqs;
use crate::worker::{Ended, Worker};

const WORKERS: usize = 3;
const GROUPS: u64 = 50;

/// Of each queue: enough for workers to be ended many times over; `SLUICE_CHAOS_MESSAGES=20000` for longer.
fn messages() -> u64 {
    let asked = std::env::var("SLUICE_CHAOS_MESSAGES").ok();
    asked.map_or(2_000, |asked| asked.parse().unwrap())
}

/// Far more than a run takes on a busy machine.
fn patience() -> Duration {
    Duration::from_mins(4) + Duration::from_millis(50 * messages())
}

/// Workers of one queue, and what became of its messages.
struct Run {
    sqs: Arc<LocalSqs>,
    queue: &'static str,
    url: String,
    messages: u64,
    chance: fastrand::Rng,
    /// Of each worker, beside those of every run.
    variables: Vec<(&'static str, String)>,
    workers: Vec<Worker>,
    handled: BTreeMap<String, u64>,
    stops: u64,
    kills: u64,
}

impl Run {
    fn given(sqs: &Arc<LocalSqs>, seed: u64) -> Self {
        let url = sqs.given_queue("orders", &[]);
        for number in 0..messages() {
            sqs.control.send("orders", &format!("m{number}")).unwrap();
        }
        Self::of(sqs, ("orders", url), seed)
    }

    /// Groups of a FIFO queue, whose messages are posted to `log`.
    async fn given_groups(sqs: &Arc<LocalSqs>, log: &Posted, seed: u64) -> Self {
        let url = sqs.given_queue("orders.fifo", &[("FifoQueue", "true")]);
        let bodies: Vec<_> = (0..messages())
            .map(|number| {
                let group = number % GROUPS;
                (format!("g{group}"), format!("g{group}:{number:06}"))
            })
            .collect();
        sqs.send_grouped(&url, &bodies).await;
        let mut run = Self::of(sqs, ("orders.fifo", url), seed);
        run.variables = vec![
            ("SLUICE_WORKER_HANDLER", "http".into()),
            ("SLUICE_WORKER_HTTP_URL", log.url.clone()),
        ];
        run
    }

    fn of(sqs: &Arc<LocalSqs>, (queue, url): (&'static str, String), seed: u64) -> Self {
        Self {
            sqs: sqs.clone(),
            queue,
            url,
            messages: messages(),
            chance: fastrand::Rng::with_seed(seed),
            variables: Vec::new(),
            workers: Vec::new(),
            handled: BTreeMap::new(),
            stops: 0,
            kills: 0,
        }
    }

    fn start_worker(&mut self) {
        let mut variables = vec![
            ("SLUICE_WORKER_WORK_MILLISECONDS", "20"),
            ("SLUICE_WORKER_CONCURRENCY", "30"),
            ("SQS_VISIBILITY_TIMEOUT", "10"),
            ("RUST_LOG", "error"),
        ];
        let own = self.variables.iter();
        variables.extend(own.map(|(name, value)| (*name, value.as_str())));
        let worker = self.sqs.worker(&self.url, &variables);
        self.workers.push(worker);
    }

    /// Keeps workers running and ends one after the other until the queue is empty.
    async fn until_empty(&mut self, signal_of: impl Fn(&mut fastrand::Rng) -> &'static str) {
        let started_at = Instant::now();
        loop {
            assert!(started_at.elapsed() < patience(), "they get nowhere");
            while self.workers.len() < WORKERS {
                self.start_worker();
            }
            sleep(Duration::from_millis(self.chance.u64(100..900))).await;
            self.break_something();
            let chosen = self.chance.usize(..self.workers.len());
            let signal = signal_of(&mut self.chance);
            let ended = self.end(chosen, signal).await;
            self.keep(ended);
            let queue = self.sqs.queue(self.queue);
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
        if signal == "KILL" {
            self.kills += 1;
        } else {
            self.stops += 1;
        }
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
                *self.handled.entry(body.to_owned()).or_default() += 1;
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
        self.handled.values().map(|times| times - 1).sum()
    }

    fn assert_nothing_lost(&self) {
        let queue = self.sqs.queue(self.queue);
        assert_eq!(queue.deleted, self.messages);
        let done = u64::try_from(self.handled.len()).unwrap();
        assert_eq!(
            done, self.messages,
            "each was handled before it was deleted"
        );
        // What is deleted is never given out again, so that each further time was a receive of what was not.
        let again = queue.received - self.messages;
        assert!(self.duplicates() <= again, "{}", self.duplicates());
    }

    #[allow(clippy::print_stdout, reason = "what a long run is for")]
    fn tell(&self) {
        println!(
            "{}: {} messages, {} stops, {} kills, {} received, {} duplicates",
            self.queue,
            self.messages,
            self.stops,
            self.kills,
            self.sqs.queue(self.queue).received,
            self.duplicates()
        );
    }
}

/// What the workers of a FIFO queue posted, in its order: a message is posted before it is deleted, and the next of its
/// group is given out only then.
#[derive(Clone)]
struct Posted {
    url: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Posted {
    async fn start() -> Self {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let keep = bodies.clone();
        let posted = async move |body: String| keep.lock().unwrap().push(body);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let routes = Router::new().route("/", post(posted));
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { url, bodies }
    }

    fn assert_groups_in_order(&self) {
        let mut last: BTreeMap<String, String> = BTreeMap::new();
        for body in self.bodies.lock().unwrap().iter() {
            let (group, number) = body.split_once(':').unwrap();
            let before = last.insert(group.to_owned(), number.to_owned());
            let is_later = before.as_deref().is_none_or(|before| before < number);
            assert!(is_later, "{group}: {number} after {before:?}");
        }
    }
}

#[tokio::test]
async fn workers_that_are_only_stopped_lose_nothing_do_nothing_twice_and_keep_groups_in_order() {
    let (sqs, posted) = (Arc::new(LocalSqs::start().await), Posted::start().await);
    let mut plain = Run::given(&sqs, 1);
    let mut groups = Run::given_groups(&sqs, &posted, 3).await;
    tokio::join!(
        plain.until_empty(|_| "TERM"),
        groups.until_empty(|_| "TERM")
    );
    for body in posted.bodies.lock().unwrap().iter() {
        *groups.handled.entry(body.clone()).or_default() += 1;
    }
    for run in [plain, groups] {
        run.tell();
        run.assert_nothing_lost();
        assert_eq!(run.duplicates(), 0);
    }
    posted.assert_groups_in_order();
}

#[tokio::test]
async fn workers_that_are_killed_lose_nothing_and_duplicate_no_more_than_they_held() {
    let sqs = Arc::new(LocalSqs::start().await);
    let mut run = Run::given(&sqs, 2);
    run.until_empty(|chance| if chance.bool() { "KILL" } else { "TERM" })
        .await;
    run.tell();
    run.assert_nothing_lost();
    // What is printed and not yet deleted when a worker is killed: its slots, and a few batches of deletes.
    assert!(run.duplicates() <= run.kills * 150, "{}", run.duplicates());
}
