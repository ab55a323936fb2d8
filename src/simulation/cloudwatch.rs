//! What CloudWatch publishes of a queue: the sums and ends of whole minutes, one to three minutes late.

use std::{cell::Cell, collections::VecDeque, time::Duration};

use super::{
    numbers::real,
    random::{Random, Stream},
};
use crate::{
    local::queue::{Counts, Totals},
    scaling,
};

/// A minute is published at least this long after its end.
const LATE_MIN: Duration = Duration::from_mins(1);

/// A minute is published at most this long after its end.
const LATE_MAX: Duration = Duration::from_mins(3);

/// The scaler asks for a queue's minutes so often, and for so many metrics; of a FIFO queue for one more.
const POLLED_EVERY: Duration = Duration::from_mins(1);
const METRICS_POLLED: u64 = 3;

/// No policy looks back further.
const MINUTES_KEPT: usize = 60;

/// One minute of one queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Minute {
    /// `NumberOfMessagesSent`.
    pub(super) sent: u64,
    /// `NumberOfMessagesReceived`.
    pub(super) received: u64,
    /// `NumberOfMessagesDeleted`.
    pub(super) deleted: u64,
    /// `ApproximateNumberOfMessagesVisible` at its end.
    pub(super) visible: u64,
    /// `ApproximateNumberOfMessagesNotVisible` at its end.
    pub(super) in_flight: u64,
    /// `ApproximateAgeOfOldestMessage` at its end.
    pub(super) oldest_age: Duration,
    /// `ApproximateNumberOfGroupsWithInflightMessages`, of a FIFO queue.
    pub(super) groups_in_flight: Option<u64>,
    /// Its end.
    pub(super) until: Duration,
}

impl From<Minute> for scaling::Minute {
    fn from(minute: Minute) -> Self {
        Self {
            from: minute.until.saturating_sub(Self::LENGTH),
            sent: Some(real(minute.sent)),
            received: Some(real(minute.received)),
            deleted: Some(real(minute.deleted)),
            oldest_age: Some(minute.oldest_age),
            visible: Some(real(minute.visible)),
            in_flight: Some(real(minute.in_flight)),
            groups_in_flight: minute.groups_in_flight.map(real),
        }
    }
}

/// The last minutes of a queue, each with the time from which it can be read.
#[derive(Debug)]
pub(super) struct CloudWatch {
    random: Random,
    /// The groups of a FIFO queue; None of a standard one, which has no metric of them.
    groups: Option<u64>,
    minutes: VecDeque<(Duration, Minute)>,
    before: Totals,
    metrics_asked: Cell<u64>,
    polled_at: Cell<Option<Duration>>,
}

impl CloudWatch {
    pub(super) fn new(seed: u64, groups: Option<u32>) -> Self {
        Self {
            random: Random::new(seed, Stream::CloudWatch),
            groups: groups.map(u64::from),
            minutes: VecDeque::new(),
            before: Totals::default(),
            metrics_asked: Cell::new(0),
            polled_at: Cell::new(None),
        }
    }

    /// How many metrics were asked for: what CloudWatch charges for.
    pub(super) fn metrics_asked(&self) -> u64 {
        self.metrics_asked.get()
    }

    /// Takes in the minute that ends at `now`. Minutes become readable in their order.
    pub(super) fn end_minute(
        &mut self,
        now: Duration,
        (counts, totals): (Counts, Totals),
        oldest_age: Duration,
    ) {
        let before = std::mem::replace(&mut self.before, totals);
        let minute = Minute {
            sent: totals.sent - before.sent,
            // What is given up is taken back from what was received.
            received: totals.received.saturating_sub(before.received),
            deleted: totals.deleted - before.deleted,
            visible: counts.visible,
            in_flight: counts.in_flight,
            oldest_age,
            // A group has one message in work, and gives out no other before that is done.
            groups_in_flight: self.groups.map(|groups| groups.min(counts.in_flight)),
            until: now,
        };
        let last = self.minutes.back().map_or(Duration::ZERO, |(at, _)| *at);
        let published_at = (now + self.random.between(LATE_MIN, LATE_MAX)).max(last);
        self.minutes.push_back((published_at, minute));
        if self.minutes.len() > MINUTES_KEPT {
            self.minutes.pop_front();
        }
    }

    /// The minutes that can be read at `now`, newest first. Each call asks for one metric, however
    /// many minutes of it.
    pub(super) fn published(&self, now: Duration) -> impl Iterator<Item = Minute> + '_ {
        self.ask(1);
        self.readable(now)
    }

    /// Asks for what was received and deleted and for the oldest message's age, and of a FIFO queue for its
    /// groups, once a minute, however often somebody wants to know.
    pub(super) fn poll(&self, now: Duration) {
        let is_due = |at: Duration| now.saturating_sub(at) >= POLLED_EVERY;
        if self.polled_at.get().is_none_or(is_due) {
            self.polled_at.set(Some(now));
            self.ask(METRICS_POLLED + u64::from(self.groups.is_some()));
        }
    }

    fn ask(&self, metrics: u64) {
        self.metrics_asked.set(self.metrics_asked.get() + metrics);
    }

    /// What an earlier question still brings: the minutes that can be read at `now`, newest first.
    pub(super) fn readable(&self, now: Duration) -> impl Iterator<Item = Minute> + '_ {
        let readable = move |(at, _): &&(Duration, Minute)| *at <= now;
        self.minutes
            .iter()
            .rev()
            .filter(readable)
            .map(|(_, minute)| *minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_read_one_to_three_minutes_after_its_end() {
        let mut cloudwatch = CloudWatch::new(1, None);
        let totals = Totals {
            sent: 90,
            ..Totals::default()
        };
        let end = Duration::from_mins(1);
        cloudwatch.end_minute(end, (Counts::default(), totals), Duration::ZERO);
        assert_eq!(
            cloudwatch.published(end + Duration::from_secs(59)).count(),
            0
        );
        let seen = cloudwatch.published(end + LATE_MAX).next();
        assert_eq!(seen.map(|minute| minute.sent), Some(90));
        assert_eq!(cloudwatch.metrics_asked(), 2);
    }
    #[test]
    fn a_fifo_queue_tells_its_groups_and_a_standard_one_has_none() {
        let counts = |in_flight| Counts {
            in_flight,
            ..Counts::default()
        };
        let end = Duration::from_mins(1);
        for (groups, in_flight, told) in [
            (None, 9, None),
            (Some(4), 9, Some(4)),
            (Some(4), 2, Some(2)),
        ] {
            let mut cloudwatch = CloudWatch::new(1, groups);
            cloudwatch.end_minute(end, (counts(in_flight), Totals::default()), Duration::ZERO);
            let seen = cloudwatch.readable(end + LATE_MAX).next();
            assert_eq!(seen.unwrap().groups_in_flight, told, "{groups:?}");
            cloudwatch.poll(end);
            let metrics = METRICS_POLLED + u64::from(groups.is_some());
            assert_eq!(cloudwatch.metrics_asked(), metrics);
        }
    }
}
