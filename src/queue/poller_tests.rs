//! The poller against a scripted source, in paused time.

use std::sync::Mutex;

use tokio::time::sleep;

use super::*;
use crate::{
    queue::{MinutesSeen, SensingState},
    scaling::{Identity, QueueRef},
};

const SECOND: Duration = Duration::from_secs(1);

/// What a call asked for: when, where, of how many queues, over which time.
#[derive(Debug, Clone, PartialEq)]
struct Called {
    at: Duration,
    region: String,
    queues: usize,
    metrics: usize,
    window: Duration,
}

/// Answers each call with the last minute of each queue, or as the region of the queue says.
#[derive(Debug, Clone)]
struct ScriptedSource {
    started: Instant,
    calls: Arc<Mutex<Vec<Called>>>,
}

impl MinuteSource for ScriptedSource {
    fn place(&self, queue: &QueueRef) -> Result<Place, Arc<str>> {
        if queue.region == "nowhere" {
            return Err("there is no such place".into());
        }
        Ok(Place {
            region: queue.region.clone(),
            endpoint: None,
            identity: Identity::Own,
            account: None,
        })
    }

    async fn fetch(
        &self,
        place: &Place,
        call: &MinuteCall,
    ) -> Result<Vec<Vec<Minute>>, FetchError> {
        self.calls.lock().unwrap().push(Called {
            at: self.started.elapsed(),
            region: place.region.clone(),
            queues: call.queues.len(),
            metrics: call.queues.iter().map(|(_, metrics)| metrics.len()).sum(),
            window: call.until.abs_diff(call.from),
        });
        let code = || "AccessDenied".to_owned();
        match place.region.as_str() {
            "denied" => Err(FetchError::NoPermission {
                code: code(),
                message: String::new(),
            }),
            "throttled" => Err(FetchError::Throttled { code: code() }),
            "hanging" => std::future::pending().await,
            _ => {
                let minute = Minute {
                    from: call.until.saturating_sub(MINUTE),
                    deleted: Some(1.0),
                    noisy_groups: (place.region == "noisy").then_some(1.0),
                    ..Minute::default()
                };
                Ok(vec![vec![minute]; call.queues.len()])
            }
        }
    }
}

struct Polling {
    feed: MinuteFeed,
    calls: Arc<Mutex<Vec<Called>>>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn given_polling(dollars_per_month: f64) -> Polling {
    let source = ScriptedSource {
        started: Instant::now(),
        calls: Arc::default(),
    };
    let calls = Arc::clone(&source.calls);
    let settings = MinuteSettings {
        dollars_per_month,
        ..MinuteSettings::default()
    };
    let clock = EpochClock::anchored(Instant::now(), Duration::from_hours(1_000));
    let (feed, poller) = minute_feed(source, settings, Arc::default(), clock);
    let stop = CancellationToken::new();
    let task = tokio::spawn(poller.run(stop.clone()));
    Polling {
        feed,
        calls,
        stop,
        task,
    }
}

fn queue(region: &str, name: &str) -> Arc<QueueRef> {
    Arc::new(QueueRef {
        region: region.to_owned(),
        ..QueueRef::given(name)
    })
}

impl Polling {
    /// Wants the minutes of the queues every 10 seconds, as KEDA's polls do.
    async fn want(&self, queues: &[Arc<QueueRef>], lasts: Duration) {
        let started = Instant::now();
        while started.elapsed() < lasts {
            for queue in queues {
                self.feed.minutes(queue);
            }
            sleep(10 * SECOND).await;
        }
    }

    fn calls(&self) -> Vec<Called> {
        self.calls.lock().unwrap().clone()
    }

    fn minutes_of_calls(&self) -> Vec<u64> {
        let calls = self.calls().into_iter();
        calls.map(|call| call.at.as_secs() / 60).collect()
    }

    fn off_reason(&self, queue: &Arc<QueueRef>) -> String {
        match self.feed.known(queue) {
            MinutesSeen {
                state: SensingState::Off { reason },
                ..
            } => reason.to_string(),
            seen => panic!("not off: {seen:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_call_serves_all_queues_of_a_place_once_a_minute() {
    let polling = given_polling(1_000.0);
    let queues: Vec<_> = (0..100)
        .map(|index| queue("a", &format!("q{index}")))
        .collect();
    polling.want(&queues, 4 * MINUTE).await;
    let calls = polling.calls();
    let each: Vec<_> = calls
        .iter()
        .map(|call| (call.queues, call.metrics))
        .collect();
    // A history has two metrics more: the counts of then.
    assert_eq!(each, [(100, 500), (100, 300), (100, 300), (100, 300)]);
    assert!(
        calls
            .windows(2)
            .all(|pair| pair[1].at >= pair[0].at + MINUTE),
        "{calls:?}"
    );
    assert_eq!((calls[0].window, calls[1].window), (HISTORY, LATE_MAX));
    let seen = polling.feed.known(&queues[99]);
    assert_eq!((seen.state, seen.minutes.len()), (SensingState::Current, 4));
}

/// Four metrics while all tenants are quiet, and eight from the minute after one that has a noisy one; none of
/// them before somebody wants to know, or of a FIFO queue.
#[tokio::test(start_paused = true)]
async fn tenants_are_watched_where_it_matters_and_looked_at_while_they_are_noisy() {
    let wanted = async |queue: Arc<QueueRef>| {
        let polling = given_polling(1_000.0);
        let started = Instant::now();
        while started.elapsed() < 3 * MINUTE {
            polling.feed.minutes_and_groups(&queue);
            sleep(10 * SECOND).await;
        }
        polling.feed.minutes(&queue);
        sleep(3 * MINUTE).await;
        let calls = polling.calls().into_iter();
        calls.map(|call| call.metrics).collect::<Vec<_>>()
    };
    assert_eq!(wanted(queue("a", "orders")).await[..3], [9, 4, 4]);
    assert_eq!(wanted(queue("noisy", "orders")).await[..3], [9, 8, 8]);
    assert_eq!(wanted(queue("noisy", "jobs.fifo")).await[..3], [6, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn nobody_pays_for_groups_that_nobody_wants_to_know_of_any_more() {
    let (polling, queues) = (given_polling(1_000.0), [queue("noisy", "orders")]);
    polling.feed.minutes_and_groups(&queues[0]);
    polling.want(&queues, 5 * MINUTE).await;
    let metrics: Vec<_> = polling.calls().iter().map(|call| call.metrics).collect();
    assert_eq!(metrics, [9, 8, 3, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_fifo_queue_is_asked_for_its_groups_too() {
    let polling = given_polling(5.0);
    polling.want(&[queue("a", "jobs.fifo")], 2 * MINUTE).await;
    let metrics: Vec<_> = polling.calls().iter().map(|call| call.metrics).collect();
    assert_eq!(metrics, [6, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_nobody_wants_any_more_costs_nothing() {
    let (polling, queue) = (given_polling(5.0), queue("a", "q"));
    polling.want(std::slice::from_ref(&queue), 5 * SECOND).await;
    for _ in 0..600 {
        polling.feed.known(&queue);
        sleep(10 * SECOND).await;
    }
    assert_eq!(polling.calls().len(), 2, "{:?}", polling.calls());
}

#[tokio::test(start_paused = true)]
async fn more_than_five_hundred_metrics_are_several_calls() {
    let polling = given_polling(1_000.0);
    let queues: Vec<_> = (0..300)
        .map(|index| queue("a", &format!("q{index}")))
        .collect();
    polling.want(&queues, 10 * SECOND).await;
    let queues: Vec<_> = polling.calls().iter().map(|call| call.queues).collect();
    assert_eq!(queues, [100, 100, 100]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_refuses_us_is_asked_again_rarely_and_says_why() {
    let (polling, queue) = (given_polling(5.0), queue("denied", "q"));
    polling
        .want(std::slice::from_ref(&queue), 40 * MINUTE)
        .await;
    assert_eq!(polling.minutes_of_calls(), [0, 15, 30]);
    let reason = polling.off_reason(&queue);
    assert!(
        reason.contains("does not let this identity read metrics"),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_that_throttles_is_asked_ever_less_often() {
    let (polling, queue) = (given_polling(5.0), queue("throttled", "q"));
    polling
        .want(std::slice::from_ref(&queue), 60 * MINUTE)
        .await;
    // A minute is the least there is between two questions for a queue.
    assert_eq!(
        polling.minutes_of_calls(),
        [0, 1, 2, 4, 8, 16, 31, 46],
        "doubling, up to 15 minutes"
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_that_hangs_holds_up_no_other() {
    let (polling, fine) = (given_polling(5.0), queue("a", "q"));
    let queues = [queue("hanging", "q"), fine.clone()];
    polling.want(&queues, 3 * MINUTE).await;
    assert_eq!(polling.feed.known(&fine).minutes.len(), 3);
    let reason = polling.off_reason(&queues[0]);
    assert!(reason.contains("has not answered for 15 s"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_a_place_says_why_and_costs_nothing() {
    let (polling, lost) = (given_polling(5.0), queue("nowhere", "q"));
    polling.want(std::slice::from_ref(&lost), MINUTE).await;
    assert_eq!(polling.off_reason(&lost), "there is no such place");
    assert!(polling.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_used_up_is_shared_by_turns() {
    // 11.2 metrics a minute, for ten queues of three.
    let polling = given_polling(5.0);
    let queues: Vec<_> = (0..10)
        .map(|index| queue("a", &format!("q{index}")))
        .collect();
    polling.want(&queues, 4 * 60 * MINUTE).await;
    let metrics: usize = polling.calls().iter().map(|call| call.metrics).sum();
    // An hour's worth is there at the start.
    assert!((3_200..3_400).contains(&metrics), "{metrics}");
    let now = Instant::now();
    for queue in &queues {
        let seen = polling.feed.known(queue);
        let age = now - seen.fetched_at.unwrap();
        assert!(age < 5 * MINUTE, "{age:?}");
        assert!(seen.minutes.len() > 10, "{}", seen.minutes.len());
    }
    let off = queues
        .iter()
        .filter(|queue| matches!(polling.feed.known(queue).state, SensingState::Off { .. }));
    assert!(off.count() > 0, "some wait for money");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_that_the_budget_does_not_pay() {
    let (polling, queue) = (given_polling(0.000_1), queue("a", "q"));
    polling
        .want(std::slice::from_ref(&queue), 3 * 60 * MINUTE)
        .await;
    let metrics: usize = polling.calls().iter().map(|call| call.metrics).sum();
    assert!(metrics <= 10, "{metrics}");
    let reason = polling.off_reason(&queue);
    assert!(reason.contains("the budget of $0.0001 a month"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn it_ends_at_shutdown_even_while_a_call_hangs() {
    let polling = given_polling(5.0);
    polling.want(&[queue("hanging", "q")], SECOND).await;
    polling.stop.cancel();
    polling.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_holds_the_feed() {
    let Polling { feed, task, .. } = given_polling(5.0);
    drop(feed);
    task.await.unwrap();
}

/// Lines of a log.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_is_told_once_a_place_however_many_queues_and_refusals() {
    let (log, polling) = (Log::default(), given_polling(5.0));
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let queues = [queue("denied", "a"), queue("denied", "b")];
    polling.want(&queues, 60 * MINUTE).await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told = log.matches("no minutes from CloudWatch").count();
    assert_eq!(told, 1, "{log}");
    assert!(
        log.contains("region=\"denied\"") && log.contains("AccessDenied"),
        "{log}"
    );
}
