//! How full the queues of dead letters are: read rarely, beside the calls of KEDA and never within one.
//! Not knowing changes nothing.
//!
//! A look at such a queue is a request of its own, so there is one in five minutes for each that a queue
//! under watch names in its redrive policy: a third of a cent a month. It needs `sqs:GetQueueAttributes`
//! there; without it, it is tried once an hour.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::Instant,
};

use crate::{
    cache::ObservationCache,
    queue::QueueSource,
    scaling::{QueueRef, QueueSettings},
};

/// Queues of dead letters remembered at once; the least recently asked for is forgotten first.
const QUEUES_MAX: u64 = 20_000;
const QUEUE_IDLE: Duration = Duration::from_hours(1);

/// How often one is looked at, and how soon again after a failure, which is most often a permission.
const LOOK_EVERY: Duration = Duration::from_mins(5);
const RETRY_AFTER: Duration = Duration::from_hours(1);

/// Looks under way at once, and queues that wait for one; who finds no place is asked for again.
const LOOKS_MAX: usize = 4;
const WAITING_MAX: usize = 1_000;

/// Growth is told over the last hour.
const READINGS_MAX: usize = 12;

/// What is known of the dead letters of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The name of the queue they go to.
    pub queue: String,
    /// Messages waiting there; None while that is not known.
    pub messages: Option<i64>,
    /// How many more they have become within the last hour, as far as it was looked at.
    pub grown_by: i64,
}

/// A handle to what is known of dead letters; cheap to clone.
#[derive(Debug, Clone)]
pub struct DeadLetterFeed {
    entries: Cache<Arc<QueueRef>, Arc<Entry>>,
    asks: mpsc::Sender<Ask>,
}

type Ask = (Arc<QueueRef>, Arc<Entry>);

/// One queue of dead letters. The lock is held for a few assignments, never while waiting.
#[derive(Debug, Default)]
struct Entry(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    readings: VecDeque<i64>,
    next_at: Option<Instant>,
}

impl DeadLetterFeed {
    /// Looks through `cache` in a task that ends with the last handle.
    pub fn looking<S: QueueSource>(cache: Arc<ObservationCache<S>>) -> Self {
        let entries = Cache::builder()
            .max_capacity(QUEUES_MAX)
            .time_to_idle(QUEUE_IDLE)
            .build();
        let (asks, asked) = mpsc::channel(WAITING_MAX);
        tokio::spawn(look(cache, asked));
        Self { entries, asks }
    }

    /// What is known of the dead letters of `queue`, which are looked at again soon; nothing for a queue
    /// without a redrive policy. Never waits.
    pub fn of(&self, queue: &QueueRef, settings: &QueueSettings) -> Option<DeadLetters> {
        let dead = Arc::new(queue.dead_letter_queue(settings.dead_letters.as_deref()?)?);
        let entry = self.entries.get_with_by_ref(&dead, Arc::default);
        let (now, mut known) = (Instant::now(), entry.lock());
        let is_due = known.next_at.is_none_or(|next_at| next_at <= now);
        if is_due
            && self
                .asks
                .try_send((Arc::clone(&dead), Arc::clone(&entry)))
                .is_ok()
        {
            known.next_at = Some(now + LOOK_EVERY);
        }
        let (first, last) = (known.readings.front(), known.readings.back());
        let grown_by = last.zip(first).map_or(0, |(last, first)| last - first);
        Some(DeadLetters {
            queue: dead.name.clone(),
            messages: last.copied(),
            grown_by: grown_by.max(0),
        })
    }
}

/// Looks at what is asked for until nobody holds the feed any more.
async fn look<S: QueueSource>(cache: Arc<ObservationCache<S>>, mut asked: mpsc::Receiver<Ask>) {
    let places = Arc::new(Semaphore::new(LOOKS_MAX));
    let mut looks = JoinSet::new();
    while let Some((queue, entry)) = asked.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        while looks.try_join_next().is_some() {}
        let cache = Arc::clone(&cache);
        looks.spawn(async move {
            let seen = cache.look(&queue, LOOK_EVERY).await;
            entry.land(
                seen.ok()
                    .and_then(|sample| sample.observation.visible.clone().ok()),
            );
            drop(place);
        });
    }
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn land(&self, messages: Option<i64>) {
        let mut known = self.lock();
        let Some(messages) = messages else {
            known.next_at = Some(Instant::now() + RETRY_AFTER);
            known.readings.clear();
            return;
        };
        while known.readings.len() >= READINGS_MAX {
            known.readings.pop_front();
        }
        known.readings.push_back(messages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn growth_is_told_over_an_hour_and_a_failure_is_no_number() {
        let entry = Entry::default();
        for messages in 0..30 {
            entry.land(Some(messages));
        }
        assert_eq!(entry.lock().readings.len(), READINGS_MAX);
        assert_eq!(entry.lock().readings.front(), Some(&18));
        entry.land(None);
        assert!(entry.lock().readings.is_empty());
        assert_eq!(entry.lock().next_at, Some(Instant::now() + RETRY_AFTER));
    }
}
