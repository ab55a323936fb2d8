//! The cache against a scripted source, in paused time.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{task::JoinSet, time::advance};

use super::*;
use crate::scaling::QueueSettings;

const PATIENCE: Duration = Duration::from_millis(900);

/// After a delay, a visible count or a failure.
type ScriptedAnswer = (Duration, Result<i64, ObserveError>);

/// Gives one scripted answer a fetch.
#[derive(Clone, Default)]
struct ScriptedSource {
    script: Arc<Mutex<VecDeque<ScriptedAnswer>>>,
    fetches: Arc<AtomicUsize>,
}

impl ScriptedSource {
    fn then(self, delay: Duration, answer: Result<i64, ObserveError>) -> Self {
        self.script.lock().unwrap().push_back((delay, answer));
        self
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl QueueSource for ScriptedSource {
    async fn observe(&self, _queue: &QueueRef) -> Result<Observation, ObserveError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let next = self.script.lock().unwrap().pop_front();
        let (delay, answer) = next.expect("a fetch that the script does not foresee");
        tokio::time::sleep(delay).await;
        answer.map(|visible| Observation {
            visible: Ok(visible),
            in_flight: Ok(0),
            delayed: Ok(0),
            settings: QueueSettings::default(),
        })
    }
}

fn given_queue() -> Arc<QueueRef> {
    Arc::new(QueueRef::given("orders"))
}

fn given_cache(source: &ScriptedSource) -> Arc<ObservationCache<ScriptedSource>> {
    let settings = CacheSettings::default();
    Arc::new(ObservationCache::new(
        source.clone(),
        settings,
        Arc::default(),
    ))
}

fn visible(sample: &Result<Sample, ObserveError>) -> Result<i64, ObserveError> {
    sample
        .clone()
        .map(|sample| sample.observation.visible.clone().unwrap())
}

fn throttled() -> ObserveError {
    ObserveError::Refused {
        status: 400,
        code: "Throttled".to_owned(),
        message: String::new(),
    }
}

const NOW: Duration = Duration::ZERO;

#[tokio::test(start_paused = true)]
async fn a_hundred_askers_make_one_request() {
    let source = ScriptedSource::default().then(Duration::from_millis(50), Ok(7));
    let (cache, queue) = (given_cache(&source), given_queue());
    let mut askers = JoinSet::new();
    for _ in 0..100 {
        let (cache, queue) = (Arc::clone(&cache), Arc::clone(&queue));
        askers.spawn(async move { cache.sample(&queue, PATIENCE).await });
    }
    for sample in askers.join_all().await {
        assert_eq!(visible(&sample), Ok(7));
    }
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_observation_serves_until_its_time_to_live_is_over() {
    let source = ScriptedSource::default().then(NOW, Ok(1)).then(NOW, Ok(2));
    let (cache, queue) = (given_cache(&source), given_queue());
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(1));
    advance(Duration::from_millis(4_900)).await;
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(1));
    advance(Duration::from_millis(200)).await;
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_second() {
    let source = ScriptedSource::default()
        .then(NOW, Err(throttled()))
        .then(NOW, Ok(3));
    let (cache, queue) = (given_cache(&source), given_queue());
    for _ in 0..10 {
        assert_eq!(
            visible(&cache.sample(&queue, PATIENCE).await),
            Err(throttled())
        );
    }
    assert_eq!(source.fetches(), 1);
    advance(Duration::from_millis(1_100)).await;
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(3));
}

#[tokio::test(start_paused = true)]
async fn the_last_good_answer_serves_within_the_staleness_bound_and_no_longer() {
    let mut source = ScriptedSource::default().then(NOW, Ok(9));
    for _ in 0..3 {
        source = source.then(NOW, Err(throttled()));
    }
    let (cache, queue) = (given_cache(&source), given_queue());
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(9));
    advance(Duration::from_secs(30)).await;
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(9));
    advance(Duration::from_secs(30)).await;
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(9));
    advance(Duration::from_secs(2)).await;
    assert_eq!(
        visible(&cache.sample(&queue, PATIENCE).await),
        Err(throttled())
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_fetch_is_answered_from_the_last_good_one_and_serves_the_next_caller() {
    let source = ScriptedSource::default()
        .then(NOW, Ok(1))
        .then(Duration::from_secs(3), Ok(2));
    let (cache, queue) = (given_cache(&source), given_queue());
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(1));
    advance(Duration::from_secs(6)).await;
    let before = Instant::now();
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(1));
    assert_eq!(before.elapsed(), PATIENCE);
    assert_eq!(
        visible(&cache.sample(&queue, Duration::from_secs(4)).await),
        Ok(2)
    );
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_cancels_nothing() {
    let source = ScriptedSource::default().then(Duration::from_secs(2), Ok(5));
    let (cache, queue) = (given_cache(&source), given_queue());
    let short = Duration::from_millis(10);
    assert!(
        timeout(short, cache.sample(&queue, PATIENCE))
            .await
            .is_err()
    );
    advance(Duration::from_secs(2)).await;
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(5));
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_answers_is_an_error_and_one_request_at_a_time() {
    let hour = Duration::from_hours(1);
    let source = ScriptedSource::default()
        .then(hour, Ok(0))
        .then(hour, Ok(0));
    let (cache, queue) = (given_cache(&source), given_queue());
    for _ in 0..3 {
        let waited = visible(&cache.sample(&queue, PATIENCE).await);
        assert_eq!(waited, Err(ObserveError::NoAnswer { waited: PATIENCE }));
    }
    assert_eq!(source.fetches(), 1);
    // After the fetch deadline of 5 s and the memory of its failure the next one may ask again.
    advance(Duration::from_secs(5)).await;
    assert!(cache.sample(&queue, PATIENCE).await.is_err());
    advance(Duration::from_secs(2)).await;
    assert!(cache.sample(&queue, PATIENCE).await.is_err());
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_panics_is_an_error_and_the_next_one_is_made() {
    let source = ScriptedSource::default();
    let (cache, queue) = (given_cache(&source), given_queue());
    assert!(cache.sample(&queue, PATIENCE).await.is_err());
    let source = source.then(NOW, Ok(4));
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(4));
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_time_to_live_of_zero_asks_every_time() {
    let source = ScriptedSource::default().then(NOW, Ok(1)).then(NOW, Ok(2));
    let settings = CacheSettings {
        ttl: Duration::ZERO,
        ..CacheSettings::default()
    };
    let cache = ObservationCache::new(source.clone(), settings, Arc::default());
    let queue = given_queue();
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(1));
    assert_eq!(visible(&cache.sample(&queue, PATIENCE).await), Ok(2));
}
