//! What CloudWatch publishes of a queue: the sums and ends of whole minutes, one to three minutes late.

use std::{cell::Cell, collections::VecDeque, time::Duration};

use super::{
    fair_queue::Groups,
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

/// Whether groups of a fair queue are noisy is one metric; while they are, there are four more: three of the
/// quiet groups, and what is visible beside them.
const METRICS_WATCHING: u64 = 1;
const METRICS_OF_NOISY: u64 = 5;

/// Groups that were noisy in one of so many minutes are looked at closely, as the scaler's poller does.
const NOISY_MINUTES: usize = 5;

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
    /// The groups of a fair queue at its end; none where nobody floods it.
    pub(super) groups: Option<Groups>,
    /// Its end.
    pub(super) until: Duration,
}

/// What is asked of the groups of a fair queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupDetail {
    /// Nothing: no law asks for it.
    None,
    /// Whether some are noisy.
    Watched,
    /// Some are: also what is in the others.
    Noisy,
}

impl Minute {
    /// What a scaler is told that asks for so much of the groups.
    pub(super) fn told(self, detail: GroupDetail) -> scaling::Minute {
        let watched = self.groups.filter(|_| detail != GroupDetail::None);
        let quiet = self.groups.filter(|_| detail == GroupDetail::Noisy);
        scaling::Minute {
            noisy_groups: watched.map(|groups| real(groups.noisy)),
            quiet_visible: quiet.map(|groups| real(groups.quiet.visible)),
            quiet_in_flight: quiet.map(|groups| real(groups.quiet.in_flight)),
            quiet_oldest_age: quiet.map(|groups| groups.quiet_oldest_age),
            ..self.into()
        }
    }
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
            ..Self::default()
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
    detail: Cell<GroupDetail>,
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
            detail: Cell::new(GroupDetail::None),
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
        (oldest_age, fair): (Duration, Option<Groups>),
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
            groups: fair,
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

    /// Asks for what was received and deleted and for the oldest message's age, of a FIFO queue for its
    /// groups, and for noisy ones where somebody `watches_groups`, once a minute, however often somebody wants
    /// to know.
    pub(super) fn poll(&self, now: Duration, watches_groups: bool) {
        let is_due = |at: Duration| now.saturating_sub(at) >= POLLED_EVERY;
        if self.polled_at.get().is_none_or(is_due) {
            let detail = if watches_groups && self.groups.is_none() {
                self.worth_asking()
            } else {
                GroupDetail::None
            };
            self.detail.set(detail);
            self.polled_at.set(Some(now));
            self.ask(METRICS_POLLED + u64::from(self.groups.is_some()) + metrics_of(detail));
        }
    }

    /// What was asked of the groups last: a minute tells no more.
    pub(super) fn detail(&self) -> GroupDetail {
        self.detail.get()
    }

    /// By what the poll before this one brought.
    fn worth_asking(&self) -> GroupDetail {
        let known = |at| self.readable(at).take(NOISY_MINUTES);
        let is_noisy = |minute: Minute| minute.groups.is_some_and(|groups| groups.noisy > 0);
        if self
            .polled_at
            .get()
            .is_some_and(|at| known(at).any(is_noisy))
        {
            GroupDetail::Noisy
        } else {
            GroupDetail::Watched
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

fn metrics_of(detail: GroupDetail) -> u64 {
    match detail {
        GroupDetail::None => 0,
        GroupDetail::Watched => METRICS_WATCHING,
        GroupDetail::Noisy => METRICS_OF_NOISY,
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
        cloudwatch.end_minute(end, (Counts::default(), totals), (Duration::ZERO, None));
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
            let truth = (counts(in_flight), Totals::default());
            cloudwatch.end_minute(end, truth, (Duration::ZERO, None));
            let seen = cloudwatch.readable(end + LATE_MAX).next();
            assert_eq!(seen.unwrap().groups_in_flight, told, "{groups:?}");
            cloudwatch.poll(end, false);
            let metrics = METRICS_POLLED + u64::from(groups.is_some());
            assert_eq!(cloudwatch.metrics_asked(), metrics);
        }
    }

    #[test]
    fn of_groups_only_so_much_is_told_as_is_asked_and_paid_for() {
        let mut cloudwatch = CloudWatch::new(1, None);
        let groups = Groups {
            noisy: 1,
            quiet: Counts {
                visible: 7,
                ..Counts::default()
            },
            quiet_oldest_age: Duration::from_secs(9),
        };
        let truth = (Counts::default(), Totals::default());
        let end = Duration::from_mins(1);
        cloudwatch.end_minute(end, truth, (Duration::ZERO, Some(groups)));
        let (noisy, age) = (Some(1.0), Some(groups.quiet_oldest_age));
        // What else to ask is known from the answer to the question before.
        for (minute, watches, told, asked) in [
            (0, false, (None, None, None), 3),
            (1, true, (noisy, Some(7.0), age), 8),
            (2, false, (None, None, None), 3),
        ] {
            let (now, before) = (
                end + LATE_MAX + POLLED_EVERY * minute,
                cloudwatch.metrics_asked(),
            );
            cloudwatch.poll(now, watches);
            let seen = cloudwatch.readable(now).next().unwrap();
            let seen = seen.told(cloudwatch.detail());
            let of_groups = (seen.noisy_groups, seen.quiet_visible, seen.quiet_oldest_age);
            assert_eq!(of_groups, told, "minute {minute}");
            assert_eq!(
                cloudwatch.metrics_asked() - before,
                asked,
                "minute {minute}"
            );
        }
        let first = CloudWatch {
            polled_at: Cell::new(None),
            ..cloudwatch
        };
        first.poll(end + LATE_MAX, true);
        assert_eq!(first.detail(), GroupDetail::Watched);
    }
}
