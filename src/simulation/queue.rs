//! A standard queue in its aggregate form: messages that were sent together are one entry, so that a
//! backlog of hundreds of thousands costs no memory. A test proves it equal to the local SQS's queue,
//! message by message. It knows no groups and no retention.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::local::queue::{Counts, IN_FLIGHT_MAX, Totals};

/// SQS puts a message that failed this often behind the others.
const SET_BACK_AFTER_RECEIVES: u32 = 3;

/// Messages sent together that nobody has received yet.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The first one's place in the order they were sent.
    rank: u64,
    messages: u64,
    available_at: Duration,
}

/// A message in a consumer's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    /// Its place in the order messages were sent.
    pub(super) rank: u64,
    /// When it could first be received.
    pub(super) available_at: Duration,
    /// How often it was received, this time included.
    pub(super) receives: u32,
    /// Whether it is one that no consumer can ever work off; whoever receives it first finds out.
    pub(super) is_poison: bool,
}

/// Where the first message stands in line. One that is visible again stands before one that was sent at its
/// place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    at: u64,
    is_fresh: bool,
    rank: u64,
}

/// The messages of one queue.
#[derive(Debug, Default)]
pub(super) struct AggregateQueue {
    fresh: VecDeque<Run>,
    /// Visible again, by their place in the order: their rank, or that of the first message sent after
    /// they were put behind the others, and then by rank.
    returned: BTreeMap<(u64, u64), Held>,
    /// Sent with a delay, by the time it ends; the delay is one for all.
    delayed: VecDeque<Run>,
    /// Dropped by consumers that are gone, by when they are visible again.
    dropped: BTreeMap<(Duration, u64), Held>,
    counts: Counts,
    totals: Totals,
    next_rank: u64,
}

impl AggregateQueue {
    /// Sends `messages` that are all alike, receivable after `delay`.
    pub(super) fn send(&mut self, now: Duration, messages: u64, delay: Duration) {
        if messages == 0 {
            return;
        }
        let run = Run {
            rank: self.next_rank,
            messages,
            available_at: now + delay,
        };
        self.next_rank += messages;
        self.totals.sent += messages;
        if delay.is_zero() {
            self.counts.visible += messages;
            self.fresh.push_back(run);
        } else {
            self.counts.delayed += messages;
            self.delayed.push_back(run);
        }
    }

    /// Applies every delay and visibility timeout that ended by `now`.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some(run) = self.delayed.pop_front_if(|run| run.available_at <= now) {
            self.counts.delayed -= run.messages;
            self.counts.visible += run.messages;
            self.fresh.push_back(run);
        }
        while let Some(entry) = self.dropped.first_entry()
            && entry.key().0 <= now
        {
            let held = entry.remove();
            self.counts.in_flight -= 1;
            self.counts.visible += 1;
            let is_set_back = held.receives >= SET_BACK_AFTER_RECEIVES;
            let place = if is_set_back {
                self.next_rank
            } else {
                held.rank
            };
            self.returned.insert((place, held.rank), held);
        }
    }

    /// When time next changes the queue by itself.
    pub(super) fn next_change_at(&self) -> Option<Duration> {
        let released = self.delayed.front().map(|run| run.available_at);
        let visible = self.dropped.first_key_value().map(|((at, _), _)| *at);
        released.into_iter().chain(visible).min()
    }

    /// Hands out the first visible message, unless as many are in flight as SQS allows.
    pub(super) fn receive(&mut self) -> Option<Held> {
        if self.counts.in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let mut held = self.take_first()?;
        held.receives += 1;
        self.counts.visible -= 1;
        self.counts.in_flight += 1;
        self.totals.received += 1;
        Some(held)
    }

    /// Where the message stands that is handed out next.
    pub(super) fn first_place(&self) -> Option<Place> {
        let returned = self.returned.keys().next().map(|&(at, rank)| Place {
            at,
            is_fresh: false,
            rank,
        });
        let fresh = self.fresh.front().map(|run| Place {
            at: run.rank,
            is_fresh: true,
            rank: run.rank,
        });
        returned.into_iter().chain(fresh).min()
    }

    /// The place in the order of what is sent next.
    pub(super) fn next_rank(&self) -> u64 {
        self.next_rank
    }

    /// Leaves the places before `rank` to messages that are sent elsewhere.
    pub(super) fn skip_to_rank(&mut self, rank: u64) {
        self.next_rank = self.next_rank.max(rank);
    }

    fn take_first(&mut self) -> Option<Held> {
        let returned = self
            .returned
            .first_key_value()
            .map(|((place, _), _)| *place);
        let fresh = self.fresh.front().map(|run| run.rank);
        if returned.is_some_and(|place| fresh.is_none_or(|fresh| place <= fresh)) {
            return self.returned.pop_first().map(|(_, held)| held);
        }
        let run = self.fresh.front_mut()?;
        let held = Held {
            rank: run.rank,
            available_at: run.available_at,
            receives: 0,
            is_poison: false,
        };
        run.rank += 1;
        run.messages -= 1;
        if run.messages == 0 {
            self.fresh.pop_front();
        }
        Some(held)
    }

    /// A consumer is done with a message it holds.
    pub(super) fn delete(&mut self) {
        self.counts.in_flight -= 1;
        self.totals.deleted += 1;
    }

    /// A message that failed too often leaves for the dead-letter queue instead of being received.
    pub(super) fn give_up(&mut self) {
        self.counts.in_flight -= 1;
        self.totals.received -= 1;
        self.totals.moved_out += 1;
    }

    /// A consumer lost a message: it stays in flight until `visible_at`.
    pub(super) fn drop_until(&mut self, visible_at: Duration, held: Held) {
        self.dropped.insert((visible_at, held.rank), held);
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Since when the first message can be received that nobody has received yet.
    pub(super) fn oldest_since(&self) -> Option<Duration> {
        self.waiting().next().map(|(available_at, _)| available_at)
    }

    /// `ApproximateAgeOfOldestMessage`: blind to messages that SQS has set back.
    pub(super) fn oldest_age(&self, now: Duration) -> Duration {
        let fresh = self.fresh.front().map(|run| run.available_at);
        let returned = self
            .returned
            .values()
            .find(|held| held.receives < SET_BACK_AFTER_RECEIVES)
            .map(|held| held.available_at);
        let oldest = fresh.into_iter().chain(returned).min();
        oldest.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Since when the first message waits that has never been received, and how many runs wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.fresh
            .iter()
            .chain(&self.delayed)
            .map(|run| (run.available_at, run.messages))
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
