//! The minutes of all queues, as far as they are known: who wants them writes interest here and reads
//! without waiting; the poller reads the interest and writes minutes. Knows nothing of where they come
//! from.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use tokio::time::Instant;

use super::minute_source::GroupDetail;
use crate::scaling::{Minute, QueueRef};

/// Queues remembered at once; the least recently asked for is forgotten first.
const QUEUES_MAX: u64 = 20_000;

/// A queue that nobody asks for is forgotten after this time.
const QUEUE_IDLE: Duration = Duration::from_hours(1);

/// Interest ends by itself: twice KEDA's longest usual poll after it was last shown.
const INTEREST: Duration = Duration::from_mins(2);

/// A minute that is repeated, late or corrected is taken so far back. SQS may be this late after a queue
/// was inactive, and it costs nothing: metrics are paid for, not their minutes.
pub(super) const LATE_MAX: Duration = Duration::from_mins(16);

/// So far back goes the first look at a queue, from which estimates are rebuilt after a restart.
pub(super) const HISTORY: Duration = Duration::from_mins(32);

/// Minutes kept of a queue: its history and a few more.
const MINUTES_MAX: usize = 40;

/// Groups that were noisy in one of so many minutes are looked at closely: SQS forgives them after five
/// quiet minutes.
const NOISY_MINUTES: usize = 5;

/// An answer older than this is not current any more.
const CURRENT_FOR: Duration = Duration::from_mins(3);

/// A handle to the minutes of all queues; cheap to clone.
#[derive(Debug, Clone)]
pub struct MinuteFeed {
    pub(super) board: Arc<Board>,
}

/// What is known of the minutes of one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct MinutesSeen {
    /// By their beginning, the oldest first, each once; the same allocation while nothing is new.
    pub minutes: Arc<[Minute]>,
    /// Whether more can be expected.
    pub state: SensingState,
    /// When the last answer was asked for.
    pub fetched_at: Option<Instant>,
}

/// Whether minutes come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SensingState {
    /// They do not, for now or for good.
    Off {
        /// Why, for people.
        reason: Arc<str>,
    },
    /// They were not asked for yet, or not lately.
    Waiting,
    /// The last answer is a few minutes old at most.
    Current,
}

/// All queues that somebody wants minutes of.
#[derive(Debug)]
pub(super) struct Board {
    off: Option<Arc<str>>,
    entries: Cache<Arc<QueueRef>, Arc<Entry>>,
}

/// One queue. The lock is held for a few assignments, never while waiting.
#[derive(Debug)]
pub(super) struct Entry(Mutex<Watch>);

#[derive(Debug)]
struct Watch {
    wanted_at: Option<Instant>,
    /// When somebody last wanted to know of its groups as well.
    groups_wanted_at: Option<Instant>,
    asked_at: Option<Instant>,
    refused_at: Option<Instant>,
    seen: MinutesSeen,
}

/// A queue whose turn it is to be asked for.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) queue: Arc<QueueRef>,
    pub(super) entry: Arc<Entry>,
    asked_at: Option<Instant>,
    /// Whether a wide window is asked for: at first, and after a pause that a narrow one would not bridge.
    pub(super) needs_history: bool,
    pub(super) groups: GroupDetail,
}

impl MinuteFeed {
    /// A feed without minutes, because of `reason`.
    pub fn off(reason: &str) -> Self {
        Self::new(Some(reason.into()))
    }

    pub(super) fn new(off: Option<Arc<str>>) -> Self {
        let entries = Cache::builder()
            .max_capacity(QUEUES_MAX)
            .time_to_idle(QUEUE_IDLE)
            .build();
        let board = Arc::new(Board { off, entries });
        Self { board }
    }

    /// What is known of `queue`, and more of it for the next two minutes: call it for a queue whose
    /// minutes can change a decision. Never waits.
    pub fn minutes(&self, queue: &Arc<QueueRef>) -> MinutesSeen {
        match &self.board.off {
            Some(reason) => MinutesSeen::off(reason),
            None => self.board.entry(queue).want(Instant::now()),
        }
    }

    /// The same with what is known of the queue's groups, which costs more.
    pub fn minutes_and_groups(&self, queue: &Arc<QueueRef>) -> MinutesSeen {
        if self.board.off.is_none() {
            self.board.entry(queue).want_groups(Instant::now());
        }
        self.minutes(queue)
    }

    /// What is known of `queue` and costs nothing: call it for a queue that is empty. Never waits.
    pub fn known(&self, queue: &Arc<QueueRef>) -> MinutesSeen {
        match &self.board.off {
            Some(reason) => MinutesSeen::off(reason),
            None => self.board.entry(queue).lock().seen_at(Instant::now()),
        }
    }
}

impl MinutesSeen {
    fn off(reason: &Arc<str>) -> Self {
        Self {
            state: SensingState::Off {
                reason: Arc::clone(reason),
            },
            ..Self::default()
        }
    }
}

impl Default for MinutesSeen {
    fn default() -> Self {
        Self {
            minutes: Arc::new([]),
            state: SensingState::Waiting,
            fetched_at: None,
        }
    }
}

impl Board {
    fn entry(&self, queue: &Arc<QueueRef>) -> Arc<Entry> {
        self.entries.get_with_by_ref(queue, Arc::default)
    }

    /// The queues that somebody wants minutes of and that were not asked for within `every`; those
    /// that have waited longest come first.
    pub(super) fn due(&self, now: Instant, every: Duration) -> Vec<Due> {
        let mut due: Vec<Due> = self
            .entries
            .iter()
            .filter_map(|(queue, entry)| entry.due(&queue, now, every))
            .collect();
        due.sort_by_key(Due::waits_since);
        due
    }
}

impl Due {
    /// Orders by who has waited longest.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.asked_at
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self(Mutex::new(Watch {
            wanted_at: None,
            groups_wanted_at: None,
            asked_at: None,
            refused_at: None,
            seen: MinutesSeen::default(),
        }))
    }
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, Watch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn want_groups(&self, now: Instant) {
        self.lock().groups_wanted_at = Some(now);
    }

    fn want(&self, now: Instant) -> MinutesSeen {
        let mut watch = self.lock();
        watch.wanted_at = Some(now);
        watch.seen_at(now)
    }

    fn due(self: &Arc<Self>, queue: &Arc<QueueRef>, now: Instant, every: Duration) -> Option<Due> {
        let watch = self.lock();
        let within = |at: Option<Instant>, time| at.is_some_and(|at| now - at < time);
        let is_due = within(watch.wanted_at, INTEREST) && !within(watch.asked_at, every);
        is_due.then(|| Due {
            queue: Arc::clone(queue),
            entry: Arc::clone(self),
            asked_at: watch.asked_at,
            needs_history: !within(watch.seen.fetched_at, LATE_MAX),
            groups: if within(watch.groups_wanted_at, INTEREST) {
                watch.groups()
            } else {
                GroupDetail::None
            },
        })
    }

    /// Notes that the queue is being asked for.
    pub(super) fn ask(&self, now: Instant) {
        self.lock().asked_at = Some(now);
    }

    /// Notes that no answer can be had, and says whether that was so a minute ago.
    pub(super) fn refuse(&self, reason: &Arc<str>, now: Instant) -> bool {
        let mut watch = self.lock();
        watch.seen.state = SensingState::Off {
            reason: Arc::clone(reason),
        };
        let was_refused = watch
            .refused_at
            .is_some_and(|at| now - at < Duration::from_mins(1));
        if !was_refused {
            watch.refused_at = Some(now);
        }
        was_refused
    }

    /// Takes over the minutes of an answer that was asked for at `asked_at`.
    pub(super) fn land(&self, minutes: &[Minute], asked_at: Instant) {
        let mut watch = self.lock();
        if let Some(merged) = merged(&watch.seen.minutes, minutes) {
            watch.seen.minutes = merged.into();
        }
        watch.seen.state = SensingState::Current;
        watch.seen.fetched_at = Some(asked_at);
        watch.refused_at = None;
    }
}

impl Watch {
    /// What is worth asking of the groups, by what is known of them.
    fn groups(&self) -> GroupDetail {
        let mut last = self.seen.minutes.iter().rev().take(NOISY_MINUTES);
        if last.any(|minute| minute.noisy_groups.is_some_and(|groups| groups > 0.0)) {
            GroupDetail::Noisy
        } else {
            GroupDetail::Watched
        }
    }

    fn seen_at(&self, now: Instant) -> MinutesSeen {
        let mut seen = self.seen.clone();
        let is_fresh = seen.fetched_at.is_some_and(|at| now - at < CURRENT_FOR);
        if seen.state == SensingState::Current && !is_fresh {
            seen.state = SensingState::Waiting;
        }
        seen
    }
}

/// What is known with what is told, or nothing when that is no news. What is told stands over what is
/// known, and what is not told stays known.
fn merged(known: &[Minute], told: &[Minute]) -> Option<Vec<Minute>> {
    let mut minutes = known.to_vec();
    for minute in told {
        match minutes.binary_search_by_key(&minute.from, |known| known.from) {
            Ok(index) => {
                if let Some(known) = minutes.get_mut(index) {
                    *known = corrected(*known, *minute);
                }
            }
            Err(index) => minutes.insert(index, *minute),
        }
    }
    let extra = minutes.len().saturating_sub(MINUTES_MAX);
    minutes.drain(..extra);
    (minutes != known).then_some(minutes)
}

fn corrected(known: Minute, told: Minute) -> Minute {
    Minute {
        from: known.from,
        sent: told.sent.or(known.sent),
        received: told.received.or(known.received),
        deleted: told.deleted.or(known.deleted),
        oldest_age: told.oldest_age.or(known.oldest_age),
        visible: told.visible.or(known.visible),
        in_flight: told.in_flight.or(known.in_flight),
        groups_in_flight: told.groups_in_flight.or(known.groups_in_flight),
        noisy_groups: told.noisy_groups.or(known.noisy_groups),
        quiet_visible: told.quiet_visible.or(known.quiet_visible),
        quiet_in_flight: told.quiet_in_flight.or(known.quiet_in_flight),
        quiet_oldest_age: told.quiet_oldest_age.or(known.quiet_oldest_age),
    }
}

#[cfg(test)]
#[path = "minutes_tests.rs"]
mod tests;
