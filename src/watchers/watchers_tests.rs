//! Watchers against queues that count who looks, in paused time.

use std::sync::atomic::AtomicI64;

use tokio::time::sleep;

use super::*;
use crate::{
    cache::CacheSettings,
    queue::ObserveError,
    scaling::{Observation, QueueSettings},
};

/// Answers every look with the same count, and knows how often and when it was asked.
#[derive(Debug, Clone, Default)]
struct Queues(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    visible: AtomicI64,
    is_throttled: AtomicI64,
    asked: Mutex<Vec<(Instant, String)>>,
}

impl QueueSource for Queues {
    async fn observe(&self, queue: &QueueRef) -> Result<Observation, ObserveError> {
        let asked = (Instant::now(), queue.name.clone());
        self.0.asked.lock().unwrap().push(asked);
        sleep(Duration::from_millis(5)).await;
        if self.0.is_throttled.load(Ordering::Relaxed) > 0 {
            return Err(ObserveError::Unreachable {
                cause: "throttled".to_owned(),
            });
        }
        Ok(Observation {
            visible: Ok(self.0.visible.load(Ordering::Relaxed)),
            in_flight: Ok(0),
            delayed: Ok(0),
            settings: QueueSettings::default(),
        })
    }
}

impl Queues {
    fn asked(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }

    fn send(&self, messages: i64) {
        self.0.visible.store(messages, Ordering::Relaxed);
    }
}

fn given_queue(number: usize) -> Arc<QueueRef> {
    Arc::new(QueueRef::given(&format!("orders-{number}")))
}

fn given_watchers(queues: &Queues, settings: WatchSettings) -> Arc<Watchers<Queues>> {
    let cache = ObservationCache::new(queues.clone(), CacheSettings::default(), Arc::default());
    Arc::new(Watchers::new(Arc::new(cache), settings, Arc::default()))
}

const EVER: Duration = Duration::MAX;

/// Subscribes and wants the same for ever.
fn given_subscriber(watchers: &Arc<Watchers<Queues>>, number: usize, interest: Interest) {
    let mut subscription = watchers.subscribe(&given_queue(number));
    tokio::spawn(async move {
        loop {
            // Who looks and fails looks again.
            let _ = subscription.next(EVER).await;
            subscription.wants(interest);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_looked_at_once_a_second_whoever_subscribes_and_polls() {
    let queues = Queues::default();
    let watchers = given_watchers(&queues, WatchSettings::default());
    for _ in 0..50 {
        given_subscriber(&watchers, 1, Interest::Work);
    }
    for _ in 0..100 {
        sleep(Duration::from_millis(590)).await;
        let polled = watchers
            .cache
            .sample(&given_queue(1), Duration::from_secs(1))
            .await;
        assert!(polled.is_ok());
    }
    assert!((58..=60).contains(&queues.asked()), "{}", queues.asked());
}

#[tokio::test(start_paused = true)]
async fn a_queue_at_work_is_not_looked_at_while_it_is_polled() {
    let queues = Queues::default();
    let watchers = given_watchers(&queues, WatchSettings::default());
    given_subscriber(&watchers, 1, Interest::None);
    sleep(Duration::from_secs(2)).await;
    let before = queues.asked();
    for _ in 0..20 {
        sleep(Duration::from_secs(15)).await;
        watchers
            .cache
            .sample(&given_queue(1), Duration::from_secs(1))
            .await
            .unwrap();
    }
    assert_eq!(queues.asked() - before, 20, "only the polls ask");
    sleep(Duration::from_secs(61)).await;
    assert_eq!(
        queues.asked() - before,
        23,
        "and without polls a look every 20 s"
    );
}

#[tokio::test(start_paused = true)]
async fn every_sample_reaches_every_subscriber_and_the_last_one_a_newcomer() {
    let queues = Queues::default();
    let watchers = given_watchers(&queues, WatchSettings::default());
    let mut first = watchers.subscribe(&given_queue(1));
    assert_eq!(first.next(EVER).await.unwrap().observation.visible, Ok(0));
    queues.send(7);
    assert_eq!(first.next(EVER).await.unwrap().observation.visible, Ok(7));
    let mut second = watchers.subscribe(&given_queue(1));
    let before = Instant::now();
    assert_eq!(second.next(EVER).await.unwrap().observation.visible, Ok(7));
    assert_eq!(before, Instant::now());
}

#[tokio::test(start_paused = true)]
async fn a_watcher_ends_with_its_last_subscriber_and_begins_again_with_the_next() {
    let queues = Queues::default();
    let watchers = given_watchers(&queues, WatchSettings::default());
    let mut subscription = watchers.subscribe(&given_queue(1));
    subscription.next(EVER).await.unwrap();
    drop(subscription);
    sleep(Duration::from_secs(2)).await;
    let asked = queues.asked();
    assert_eq!(watchers.watched.lock().unwrap().len(), 0);
    sleep(Duration::from_mins(10)).await;
    assert_eq!(queues.asked(), asked);
    given_subscriber(&watchers, 1, Interest::Work);
    sleep(Duration::from_secs(10)).await;
    assert!(
        (10..=12).contains(&(queues.asked() - asked)),
        "{}",
        queues.asked() - asked
    );
}

#[tokio::test(start_paused = true)]
async fn a_doubt_is_settled_within_half_a_second() {
    let queues = Queues::default();
    let watchers = given_watchers(&queues, WatchSettings::default());
    let mut subscription = watchers.subscribe(&given_queue(1));
    subscription.next(EVER).await.unwrap();
    let before = subscription.next(EVER).await.unwrap();
    subscription.wants(Interest::Confirmation);
    let after = subscription.next(EVER).await.unwrap();
    assert_eq!((after.asked_at - before.asked_at).as_millis() / 10, 40);
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_down_and_does_not_end_the_watching() {
    let queues = Queues::default();
    let watchers = given_watchers(&queues, WatchSettings::default());
    given_subscriber(&watchers, 1, Interest::Work);
    sleep(Duration::from_secs(10)).await;
    let before = queues.asked();
    queues.0.is_throttled.store(1, Ordering::Relaxed);
    sleep(Duration::from_mins(10)).await;
    let throttled = queues.asked() - before;
    assert!((10..=30).contains(&throttled), "{throttled}");
    queues.0.is_throttled.store(0, Ordering::Relaxed);
    sleep(Duration::from_mins(1)).await;
    let before = queues.asked();
    sleep(Duration::from_secs(30)).await;
    assert!((29..=31).contains(&(queues.asked() - before)));
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_kept_shared_fairly_and_without_bursts() {
    let queues = Queues::default();
    let settings = WatchSettings {
        looks_per_second_max: 100,
        ..WatchSettings::default()
    };
    let watchers = given_watchers(&queues, settings);
    for number in 0..500 {
        given_subscriber(&watchers, number, Interest::Work);
    }
    sleep(Duration::from_secs(20)).await;
    let (from, before) = (Instant::now(), queues.asked());
    sleep(Duration::from_mins(1)).await;
    let asked = queues.0.asked.lock().unwrap()[before..].to_vec();
    assert!((5_400..=6_100).contains(&asked.len()), "{}", asked.len());
    let mut bins = vec![0; 601];
    let mut by_queue = HashMap::new();
    for (at, name) in asked {
        bins[usize::try_from((at - from).as_millis() / 100).unwrap()] += 1;
        *by_queue.entry(name).or_insert(0) += 1;
    }
    assert!(bins.iter().all(|looks| *looks <= 20), "{bins:?}");
    assert_eq!(by_queue.len(), 500);
    assert!(
        by_queue.values().all(|looks| (9..=14).contains(looks)),
        "{by_queue:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_hears_of_a_failure_once_and_of_the_next_sample() {
    let queues = Queues::default();
    let watchers = given_watchers(&queues, WatchSettings::default());
    queues.0.is_throttled.store(1, Ordering::Relaxed);
    let mut subscription = watchers.subscribe(&given_queue(0));
    let failure = subscription.next(EVER).await.unwrap_err();
    assert!(failure.to_string().contains("throttled"), "{failure}");
    let again = tokio::time::timeout(Duration::from_mins(1), subscription.next(EVER)).await;
    assert!(again.is_err(), "{again:?}");
    queues.0.is_throttled.store(0, Ordering::Relaxed);
    assert!(subscription.next(EVER).await.is_ok());
}
