//! One watcher per queue, whatever the number of its subscribers: it looks often while one of them
//! waits for work, and not at all while the polls of others tell enough. Knows nothing of triggers,
//! streams or RPCs.

mod budget;
mod pace;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep_until},
};

pub use self::pace::Watching;
use self::{budget::LookBudget, pace::Pace};
use crate::{
    cache::{ObservationCache, Outcome, Samples},
    metrics::Metrics,
    queue::{ObserveError, QueueSource},
    scaling::QueueRef,
};

/// Looks under way at once. Where SQS or the machine is slow, all looks slow down instead of running
/// into their deadline together.
const AT_ONCE_MAX: usize = 256;

/// How often queues are looked at for those who wait for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchSettings {
    /// How often a queue is looked at while somebody waits for its work.
    pub interval: Duration,
    /// All looks of all queues in a second, at most; beyond it every queue is looked at less often.
    pub looks_per_second_max: u32,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            // A thousand queues at full pace, and well below what one process can ask.
            looks_per_second_max: 1_000,
        }
    }
}

/// The watchers of all queues that somebody subscribes to.
#[derive(Debug)]
pub struct Watchers<S> {
    cache: Arc<ObservationCache<S>>,
    settings: WatchSettings,
    budget: LookBudget,
    at_once: Semaphore,
    metrics: Arc<Metrics>,
    /// The fixed moment from which all intervals are counted.
    origin: Instant,
    /// Watchers started so far: each takes the next place within the interval.
    started: AtomicU64,
    /// An entry is taken out by its watcher when the last subscriber has left.
    watched: Mutex<HashMap<Arc<QueueRef>, Weak<Watched>>>,
}

/// A queue that is watched, as long as somebody holds this.
#[derive(Debug)]
struct Watched {
    attention: watch::Sender<Attention>,
    failure: Failures,
}

/// Why the last look failed, if it did.
type Failures = watch::Receiver<Option<ObserveError>>;

/// The attention that the subscribers of a queue want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Attention {
    waiting: usize,
    doubting: usize,
}

/// What a subscriber wants of the watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// To hear of work as soon as there is some.
    Work,
    /// A second look, soon.
    Confirmation,
    /// Nothing: there is work, and what the polls see is enough.
    None,
}

/// A subscriber to what the looks at one queue come to.
#[derive(Debug)]
pub struct Subscription<S> {
    cache: Arc<ObservationCache<S>>,
    queue: Arc<QueueRef>,
    samples: Samples,
    failures: Failures,
    watched: Arc<Watched>,
    interest: Interest,
}

impl<S: QueueSource> Watchers<S> {
    /// Nobody is subscribed yet.
    pub fn new(
        cache: Arc<ObservationCache<S>>,
        settings: WatchSettings,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            cache,
            settings,
            budget: LookBudget::new(settings.looks_per_second_max),
            at_once: Semaphore::new(AT_ONCE_MAX),
            metrics,
            // Copies that are started together do not look together.
            origin: Instant::now() + settings.interval.mul_f64(fastrand::f64()),
            started: AtomicU64::new(0),
            watched: Mutex::default(),
        }
    }

    /// The samples of `queue`, which is watched from now on if it is not yet.
    pub fn subscribe(self: &Arc<Self>, queue: &Arc<QueueRef>) -> Subscription<S> {
        let mut samples = self.cache.samples(queue);
        samples.mark_changed();
        let watched = self.watched(queue);
        let subscription = Subscription {
            cache: Arc::clone(&self.cache),
            queue: Arc::clone(queue),
            samples,
            failures: watched.failure.clone(),
            watched,
            interest: Interest::Work,
        };
        subscription.watched.count(Interest::Work, 1);
        subscription
    }

    fn watched(self: &Arc<Self>, queue: &Arc<QueueRef>) -> Arc<Watched> {
        let mut all = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = all.get(queue).and_then(Weak::upgrade) {
            return watched;
        }
        let (sender, attention) = watch::channel(Attention::default());
        let (failures, failure) = watch::channel(None);
        let watched = Arc::new(Watched {
            attention: sender,
            failure,
        });
        all.insert(Arc::clone(queue), Arc::downgrade(&watched));
        let place = self.started.fetch_add(1, Ordering::Relaxed);
        let pace = Pace::new(self.settings.interval, self.origin, place);
        let watch = Arc::clone(self).watch(Arc::clone(queue), pace, (attention, failures));
        tokio::spawn(watch);
        watched
    }

    /// Looks at `queue` until nobody is subscribed any more.
    async fn watch(
        self: Arc<Self>,
        queue: Arc<QueueRef>,
        mut pace: Pace,
        (mut attention, failures): (
            watch::Receiver<Attention>,
            watch::Sender<Option<ObserveError>>,
        ),
    ) {
        let _watched_queue = self.metrics.queue_watched();
        let mut samples = self.cache.samples(&queue);
        while attention.has_changed().is_ok() {
            if samples.has_changed().is_err() {
                // The cache forgot the queue, and starts anew.
                samples = self.cache.samples(&queue);
            }
            let wanted = attention.borrow_and_update().watching();
            let now = Instant::now();
            let due = pace.due(samples.borrow().as_ref(), wanted, now);
            if due <= now {
                let failure = self.look(&queue, &mut pace).await.err();
                failures.send_if_modified(|last| {
                    let is_news = *last != failure;
                    *last = failure;
                    is_news
                });
                continue;
            }
            // Then it is asked again whether a look is due: somebody may have polled meanwhile.
            tokio::select! {
                () = sleep_until(due) => {}
                _ = attention.changed() => {}
            }
        }
        self.forget(&queue);
    }

    async fn look(&self, queue: &Arc<QueueRef>, pace: &mut Pace) -> Outcome {
        sleep_until(self.budget.slot(Instant::now())).await;
        let _place = self.at_once.acquire().await;
        let outcome = self.cache.look(queue, pace.shortest()).await;
        self.metrics.looked(&outcome);
        pace.looked(outcome.is_ok(), Instant::now());
        outcome
    }

    fn forget(&self, queue: &Arc<QueueRef>) {
        let mut all = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have subscribed again meanwhile, to another watcher.
        if all
            .get(queue)
            .is_some_and(|watched| watched.strong_count() == 0)
        {
            all.remove(queue);
        }
    }
}

impl Attention {
    fn watching(self) -> Watching {
        match self {
            Self { doubting: 1.., .. } => Watching::Doubtful,
            Self { waiting: 1.., .. } => Watching::Idle,
            Self { .. } => Watching::Active,
        }
    }

    fn of(&mut self, interest: Interest) -> Option<&mut usize> {
        match interest {
            Interest::Work => Some(&mut self.waiting),
            Interest::Confirmation => Some(&mut self.doubting),
            Interest::None => None,
        }
    }
}

impl Watched {
    /// Counts one subscriber more or less.
    fn count(&self, interest: Interest, change: isize) {
        self.attention.send_if_modified(|attention| {
            let before = attention.watching();
            if let Some(count) = attention.of(interest) {
                *count = count.saturating_add_signed(change);
            }
            attention.watching() != before
        });
    }
}

impl<S: QueueSource> Subscription<S> {
    /// The last sample at first, if there is one of the last `max_age`, and from there on each new one.
    ///
    /// # Errors
    /// Why the watcher's look failed, once for each cause.
    pub async fn next(&mut self, max_age: Duration) -> Outcome {
        loop {
            let is_known = tokio::select! {
                changed = self.samples.changed() => changed.is_ok(),
                Ok(()) = self.failures.changed() => {
                    match self.failures.borrow_and_update().clone() {
                        Some(error) => return Err(error),
                        None => continue,
                    }
                }
            };
            if !is_known {
                // The cache forgot the queue, and starts anew.
                self.samples = self.cache.samples(&self.queue);
                self.samples.mark_changed();
            }
            let sample = self.samples.borrow_and_update().clone();
            if let Some(sample) = sample.filter(|sample| sample.age() <= max_age) {
                return Ok(sample);
            }
        }
    }

    /// Tells the watcher what this subscriber wants from now on.
    pub fn wants(&mut self, interest: Interest) {
        if self.interest != interest {
            self.watched.count(interest, 1);
            self.watched.count(self.interest, -1);
            self.interest = interest;
        }
    }
}

impl<S> Drop for Subscription<S> {
    fn drop(&mut self) {
        self.watched.count(self.interest, -1);
    }
}

#[cfg(test)]
#[path = "watchers_tests.rs"]
mod tests;
