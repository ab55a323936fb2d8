//! What the minutes of CloudWatch teach: the work that was done, and whether work succeeds at all.

use std::time::Duration;

use super::{Estimator, Minute, history::mean};

/// What is learned fades with this half-life, or three messages' time where that is longer.
const HALF_LIFE: Duration = Duration::from_mins(5);

/// So many messages' time is long enough to judge by.
const MESSAGES_TO_TELL: f64 = 3.0;

/// On an idle queue SQS counts a message in flight now and then. That is no work, and what was learned
/// before does not fade while there is none.
const IDLE_BELOW: f64 = 0.5;

/// Busy for so long without a deletion, nothing succeeds.
const SILENCE_MIN: Duration = Duration::from_mins(1);

/// Over so many minutes receives are held against deletions.
const FAILING_MINUTES: usize = 3;

/// Fewer receives do not tell.
const FAILING_RECEIVES_MIN: f64 = 30.0;

/// When more than this share of what was received is neither deleted nor in flight, work fails.
const FAILING_SHARE: f64 = 0.5;

/// When more than this share is, some messages fail.
const FAILING_SHARE_TOLD: f64 = 0.1;

/// When no more than this share of what was received is lost, or so few messages, work succeeds.
const CLEAN_SHARE: f64 = 0.02;
const CLEAN_MESSAGES: f64 = 3.0;

/// What consumers received over some minutes, and what of it came to nothing.
#[derive(Debug, Clone, Copy)]
struct Lost {
    received: f64,
    messages: f64,
    most_in_flight: f64,
}

impl Lost {
    /// Whether it is more than this share of what was received, and more than what is in flight may be
    /// miscounted by.
    fn exceeds(&self, share: f64) -> bool {
        self.received > FAILING_RECEIVES_MIN
            && self.messages > share * self.received + 0.1 * self.most_in_flight
    }
}

/// What was at work in a minute, counted in one or the other: replicas that had room for more have as many
/// slots at work as messages are in flight, whatever is learned of `concurrency` later.
#[derive(Debug, Clone, Copy)]
struct Busy {
    slots: f64,
    /// Full ones.
    replicas: f64,
}

impl Busy {
    fn slots(slots: f64) -> Self {
        Self {
            slots,
            replicas: 0.0,
        }
    }

    fn replicas(replicas: f64) -> Self {
        Self {
            slots: 0.0,
            replicas,
        }
    }
}

impl Estimator {
    pub(super) fn learn(&mut self, minute: &Minute) {
        let waited = self.history.had_waited(minute.until(), Duration::MAX);
        let oldest_age = minute.oldest_age.filter(|age| waited && !age.is_zero());
        let waited_in_it = self.history.had_waited(minute.from, minute.until());
        self.has_groups |= minute.groups_in_flight.is_some();
        self.groups = minute
            .groups_in_flight
            .filter(|groups| waited_in_it && *groups > 0.0);
        let in_flight = self.history.mean_in_flight(minute.from, minute.until());
        self.learn_yield(minute, in_flight.filter(|_| waited_in_it));
        self.oldest_since = oldest_age.map(|age| minute.until().saturating_sub(age));
        self.minutes.push(*minute);
        if self.minutes.len() > FAILING_MINUTES {
            self.minutes.remove(0);
        }
        // A minute in which nothing was seen of the queue, or nothing is known of deletions, teaches
        // nothing.
        let (Some(in_flight), Some(deleted)) = (in_flight, minute.deleted) else {
            return;
        };
        // Work that fails at once is hardly ever seen in flight.
        let is_failing = self.is_failing();
        if deleted <= 0.0 && in_flight < IDLE_BELOW && !is_failing {
            return;
        }
        let busy = self.busy(minute, in_flight, deleted);
        if deleted > 0.0 {
            self.last_deletion_at = Some(minute.until());
        }
        let seconds = self.message().map_or(60.0, |message| message.seconds);
        if is_failing || self.is_silent(minute, &busy, seconds) {
            // What is measured while nothing succeeds is no service time.
            self.stalled_since.get_or_insert(minute.from);
            return;
        }
        if deleted > 0.0 {
            self.stalled_since = None;
        }
        let half_life = (MESSAGES_TO_TELL * seconds).max(HALF_LIFE.as_secs_f64());
        let kept = 0.5_f64.powf(Minute::LENGTH.as_secs_f64() / half_life);
        let length = Minute::LENGTH.as_secs_f64();
        self.slot_seconds = self.slot_seconds * kept + busy.slots * length;
        self.replica_seconds = self.replica_seconds * kept + busy.replicas * length;
        self.deletions = self.deletions * kept + deleted;
    }

    /// What was at work in a minute: by what was in flight, or, where it is readable and messages waited
    /// throughout, by how many replicas there were.
    fn busy(&self, minute: &Minute, in_flight: f64, deleted: f64) -> Busy {
        let (from, until) = (minute.from, minute.until());
        let by_slots = |most: Option<f64>| {
            let slots = self.busy_slots(in_flight, most);
            if slots < in_flight {
                Busy::replicas(slots / self.concurrency.messages())
            } else {
                Busy::slots(slots)
            }
        };
        let Some(ready) = mean(self.ready.within(from, until)) else {
            return by_slots(self.replicas_max(until));
        };
        let range = || self.ready.within(from, until);
        let (least, most) = (
            range().fold(f64::INFINITY, f64::min),
            range().fold(0.0, f64::max),
        );
        let is_steady = ready >= 1.0 && least >= 0.7 * most;
        if is_steady && deleted > 0.0 && self.history.had_waited(from, until) {
            Busy::replicas(ready)
        } else {
            by_slots(Some(ready.max(1.0)))
        }
    }

    /// Busy, once successful, and no deletion for long.
    fn is_silent(&self, minute: &Minute, busy: &Busy, message_seconds: f64) -> bool {
        let patience = SILENCE_MIN.max(Duration::from_secs_f64(MESSAGES_TO_TELL * message_seconds));
        let is_overdue = self
            .last_deletion_at
            .is_some_and(|at| minute.until().saturating_sub(at) > patience);
        minute.deleted == Some(0.0)
            && is_overdue
            && busy.slots + busy.replicas * self.concurrency.messages() > 0.5
    }

    /// Most of what was received in the last minutes is neither deleted nor still in flight.
    fn is_failing(&self) -> bool {
        self.lost().is_some_and(|lost| lost.exceeds(FAILING_SHARE))
    }

    /// The share of what was received in the last minutes that failed, where it is no noise.
    pub(super) fn failing_share(&self) -> Option<f64> {
        let lost = self.lost()?;
        lost.exceeds(FAILING_SHARE_TOLD)
            .then(|| lost.messages / lost.received)
    }

    pub(super) fn is_work_clean(&self) -> bool {
        let is_clean =
            |lost: Lost| lost.messages <= (CLEAN_SHARE * lost.received).max(CLEAN_MESSAGES);
        self.lost().is_some_and(is_clean)
    }

    /// What was received in the last minutes and is neither deleted nor still in flight.
    fn lost(&self) -> Option<Lost> {
        let sum = |value: fn(&Minute) -> Option<f64>| -> Option<f64> {
            self.minutes.iter().map(value).sum()
        };
        let (received, deleted) = (
            sum(|minute| minute.received)?,
            sum(|minute| minute.deleted)?,
        );
        let (first, last) = (self.minutes.first()?, self.minutes.last()?);
        let around = |at: Duration, after: u64| {
            let from = at.saturating_sub(Duration::from_secs(20));
            self.history
                .mean_in_flight(from, at + Duration::from_secs(after))
        };
        let (before, after) = (around(first.from, 10)?, around(last.until(), 0)?);
        // What is still in flight has not failed, or every batch of long jobs would look like it.
        (self.minutes.len() == FAILING_MINUTES).then_some(Lost {
            received,
            messages: received - deleted - (after - before),
            most_in_flight: before.max(after),
        })
    }
}
