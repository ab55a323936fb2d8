//! A fair queue: one tenant that may flood it, beside many small ones. It is two queues in their aggregate
//! form with one order of sending, and while the flood's group is noisy, SQS hands out the others' messages
//! first. It knows no other group: the small tenants are never noisy.

use std::time::Duration;

use super::queue::{AggregateQueue, Held};
use crate::local::queue::{
    Counts, FORGIVEN_AFTER, IN_FLIGHT_MAX, NOISY_IN_FLIGHT_MIN, NOISY_SHARE_OF, Totals,
};

/// Whose a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tenant {
    /// One of the many small ones.
    Ordinary,
    /// The one that floods the queue, with messages of one group.
    Flood,
}

/// A message in a consumer's hands, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Taken {
    pub(super) tenant: Tenant,
    pub(super) held: Held,
}

/// What CloudWatch tells of the groups of a fair queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Groups {
    pub(super) noisy: u64,
    /// Messages of all groups that are not noisy.
    pub(super) quiet: Counts,
    /// The age of the oldest one of them.
    pub(super) quiet_oldest_age: Duration,
}

/// The messages of one queue, by tenant.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    ordinary: AggregateQueue,
    flood: AggregateQueue,
    now: Duration,
    /// When the flood last had more than its share in flight; none when that is forgiven or its last
    /// message has left.
    excess_at: Option<Duration>,
}

impl FairQueue {
    /// Sends `messages` of `tenant` that are all alike, receivable after `delay`.
    pub(super) fn send(
        &mut self,
        (now, tenant): (Duration, Tenant),
        messages: u64,
        delay: Duration,
    ) {
        self.of(tenant).send(now, messages, delay);
        self.share_order();
    }

    /// Applies every delay and visibility timeout that ended by `now`, and forgives.
    pub(super) fn advance(&mut self, now: Duration) {
        self.now = now;
        // What is in flight has been so until now.
        self.judge();
        self.ordinary.advance(now);
        self.flood.advance(now);
        self.judge();
    }

    /// When time next changes the queue by itself.
    pub(super) fn next_change_at(&self) -> Option<Duration> {
        let changes = [self.ordinary.next_change_at(), self.flood.next_change_at()];
        changes.into_iter().flatten().min()
    }

    /// Hands out the first visible message, of the ordinary ones while the flood is noisy, unless as many
    /// are in flight as SQS allows.
    pub(super) fn receive(&mut self) -> Option<Taken> {
        if self.counts().in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let tenant = self.first_in_line()?;
        let held = self.of(tenant).receive()?;
        self.judge();
        Some(Taken { tenant, held })
    }

    fn first_in_line(&self) -> Option<Tenant> {
        let (ordinary, flood) = (self.ordinary.first_place(), self.flood.first_place());
        match (ordinary, flood) {
            (None, None) => None,
            (None, Some(_)) => Some(Tenant::Flood),
            (Some(ordinary), Some(flood)) if flood < ordinary && !self.is_noisy() => {
                Some(Tenant::Flood)
            }
            (Some(_), _) => Some(Tenant::Ordinary),
        }
    }

    /// A consumer is done with a message of `tenant`.
    pub(super) fn delete(&mut self, tenant: Tenant) {
        self.of(tenant).delete();
        self.judge();
    }

    /// A message that failed too often leaves for the dead-letter queue instead of being received.
    pub(super) fn give_up(&mut self, tenant: Tenant) {
        self.of(tenant).give_up();
        self.judge();
    }

    /// A consumer lost a message: it stays in flight until `visible_at`.
    pub(super) fn drop_until(&mut self, visible_at: Duration, taken: Taken) {
        self.of(taken.tenant).drop_until(visible_at, taken.held);
    }

    pub(super) fn counts(&self) -> Counts {
        let (ordinary, flood) = (self.ordinary.counts(), self.flood.counts());
        Counts {
            visible: ordinary.visible + flood.visible,
            in_flight: ordinary.in_flight + flood.in_flight,
            delayed: ordinary.delayed + flood.delayed,
        }
    }

    pub(super) fn totals(&self) -> Totals {
        let (ordinary, flood) = (self.ordinary.totals(), self.flood.totals());
        Totals {
            sent: ordinary.sent + flood.sent,
            received: ordinary.received + flood.received,
            deleted: ordinary.deleted + flood.deleted,
            moved_in: ordinary.moved_in + flood.moved_in,
            moved_out: ordinary.moved_out + flood.moved_out,
            expired: ordinary.expired + flood.expired,
            purged: ordinary.purged + flood.purged,
        }
    }

    /// Whether the others' messages are handed out first.
    pub(super) fn is_noisy(&self) -> bool {
        self.excess_at.is_some()
    }

    pub(super) fn groups(&self, now: Duration) -> Groups {
        if self.is_noisy() {
            Groups {
                noisy: 1,
                quiet: self.ordinary.counts(),
                quiet_oldest_age: self.ordinary.oldest_age(now),
            }
        } else {
            Groups {
                noisy: 0,
                quiet: self.counts(),
                quiet_oldest_age: self.oldest_age(now),
            }
        }
    }

    /// Since when the first message can be received that nobody has received yet.
    pub(super) fn oldest_since(&self) -> Option<Duration> {
        let oldest = [self.ordinary.oldest_since(), self.flood.oldest_since()];
        oldest.into_iter().flatten().min()
    }

    /// `ApproximateAgeOfOldestMessage`: blind to messages that SQS has set back.
    pub(super) fn oldest_age(&self, now: Duration) -> Duration {
        let ordinary = self.ordinary.oldest_age(now);
        ordinary.max(self.flood.oldest_age(now))
    }

    /// Since when the messages wait that were never received, how many, and whose they are.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Tenant, Duration, u64)> + '_ {
        let of = |tenant| move |(since, messages)| (tenant, since, messages);
        let ordinary = self.ordinary.waiting().map(of(Tenant::Ordinary));
        ordinary.chain(self.flood.waiting().map(of(Tenant::Flood)))
    }

    fn of(&mut self, tenant: Tenant) -> &mut AggregateQueue {
        match tenant {
            Tenant::Ordinary => &mut self.ordinary,
            Tenant::Flood => &mut self.flood,
        }
    }

    /// What is sent to one of both follows all that was sent to the other.
    fn share_order(&mut self) {
        let next = self.ordinary.next_rank().max(self.flood.next_rank());
        self.ordinary.skip_to_rank(next);
        self.flood.skip_to_rank(next);
    }

    /// Whether the flood has more than its share in flight now, or had lately.
    fn judge(&mut self) {
        let flood = self.flood.counts();
        let all = self.ordinary.counts().in_flight + flood.in_flight;
        let exceeds =
            flood.in_flight >= NOISY_IN_FLIGHT_MIN && flood.in_flight * NOISY_SHARE_OF > all;
        if exceeds {
            self.excess_at = Some(self.now);
        }
        let is_over = |at: &mut Duration| {
            flood.total() == 0 || self.now.saturating_sub(*at) >= FORGIVEN_AFTER
        };
        self.excess_at.take_if(is_over);
    }
}

#[cfg(test)]
#[path = "fair_queue_tests.rs"]
mod tests;
