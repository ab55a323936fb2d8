//! What the minutes of CloudWatch teach, and the falls of the counts while there are none: how long a
//! message takes, and whether work succeeds at all.

use std::time::Duration;

use super::{
    DELETIONS_TO_TELL, Estimator, MESSAGE_SECONDS, MessageTime, Minute, TRAFFIC_MESSAGES,
    history::mean,
};

/// A fall of the counts by so many messages, and by this share, is work that was done.
const FALL_MESSAGES_MIN: f64 = 20.0;
const FALL_SHARE_MIN: f64 = 0.1;

/// A fall is looked for in so long.
const FALL_WITHIN: Duration = Duration::from_secs(90);

/// With no other fall, the time that one has shown is taken for twice as long after so long.
const FALL_DOUBTED_IN: Duration = Duration::from_mins(15);

/// A count may be so old when it is read: a fall may have taken longer than between two readings.
const STALENESS: Duration = Duration::from_secs(5);

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

/// So many minutes are held against one another.
const YIELDS_KEPT: usize = 6;

/// With so many times the replicas, this share of the expected gain must be seen.
const REPLICAS_MORE: f64 = 1.5;
const GAIN_SHARE_MIN: f64 = 0.1;

/// What got done in a minute in which messages waited, with how many replicas, and how many messages
/// these had in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Yield {
    replicas: f64,
    in_flight: f64,
    deleted: f64,
}

impl Yield {
    /// Whether many more replicas got hardly more done. Those that have no more in flight never came, or
    /// were there before: the autoscaler holds for a while what is not asked for any more.
    fn is_no_more_than(&self, before: &Self) -> bool {
        let asked = self.replicas / before.replicas.max(1.0);
        let ratio = asked.min(self.in_flight / before.in_flight.max(1.0));
        let expected = before.deleted * (1.0 + GAIN_SHARE_MIN * (ratio - 1.0));
        before.deleted > 0.0 && ratio >= REPLICAS_MORE && self.deleted < expected
    }
}

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

impl Estimator {
    pub(super) fn learn(&mut self, minute: &Minute) {
        let waited = self.history.had_waited(minute.until(), Duration::MAX);
        let oldest_age = minute.oldest_age.filter(|age| waited && !age.is_zero());
        let waited_in_it = self.history.had_waited(minute.from, minute.until());
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
        let busy_replicas = self.busy_replicas(minute, in_flight, deleted);
        if deleted > 0.0 {
            self.last_deletion_at = Some(minute.until());
        }
        let seconds = self.message().map_or(60.0, |message| message.seconds);
        if is_failing || self.is_silent(minute, busy_replicas, seconds) {
            // What is measured while nothing succeeds is no service time.
            self.stalled_since.get_or_insert(minute.from);
            return;
        }
        if deleted > 0.0 {
            self.stalled_since = None;
        }
        let half_life = (MESSAGES_TO_TELL * seconds).max(HALF_LIFE.as_secs_f64());
        let kept = 0.5_f64.powf(Minute::LENGTH.as_secs_f64() / half_life);
        self.replica_seconds =
            self.replica_seconds * kept + busy_replicas * Minute::LENGTH.as_secs_f64();
        self.deletions = self.deletions * kept + deleted;
    }

    /// The replicas that were at work in a minute: by what was in flight, or, where it is readable
    /// and messages waited throughout, by how many there were.
    fn busy_replicas(&self, minute: &Minute, in_flight: f64, deleted: f64) -> f64 {
        let (from, until) = (minute.from, minute.until());
        let by_slots = |most: Option<f64>| self.busy_slots(in_flight, most) / self.concurrency();
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
            ready
        } else {
            by_slots(Some(ready.max(1.0)))
        }
    }

    /// Busy, once successful, and no deletion for long.
    fn is_silent(&self, minute: &Minute, busy_replicas: f64, message_seconds: f64) -> bool {
        let patience = SILENCE_MIN.max(Duration::from_secs_f64(MESSAGES_TO_TELL * message_seconds));
        let is_overdue = self
            .last_deletion_at
            .is_some_and(|at| minute.until().saturating_sub(at) > patience);
        minute.deleted == Some(0.0) && is_overdue && busy_replicas * self.concurrency() > 0.5
    }

    /// Holds what gets done now against what got done with fewer replicas. Only minutes in which messages
    /// waited all the time tell; of others nothing is said to be `in_flight`.
    fn learn_yield(&mut self, minute: &Minute, in_flight: Option<f64>) {
        let settled = minute.from.saturating_sub(self.law.startup);
        let replicas = self.asked.least_within(settled, minute.until());
        let (Some(replicas), Some(deleted), Some(in_flight)) =
            (replicas, minute.deleted, in_flight)
        else {
            self.yields.clear();
            self.ineffective_above = None;
            return;
        };
        let now = Yield {
            replicas,
            in_flight,
            deleted,
        };
        let is_ineffective = self.yields.iter().any(|before| now.is_no_more_than(before));
        self.ineffective_above = is_ineffective.then_some(replicas);
        self.yields.push(now);
        if self.yields.len() > YIELDS_KEPT {
            self.yields.remove(0);
        }
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

    /// Whatever arrived, at least as many messages were done as the counts fell: the time that a
    /// message takes is at most that of those in flight meanwhile.
    pub(super) fn learn_from_fall(&mut self, now: Duration, messages: f64) {
        let passed = now.saturating_sub(self.by_fall_at);
        self.by_fall_at = now;
        if self.deletions >= DELETIONS_TO_TELL {
            self.by_fall = None;
            return;
        }
        let known = self.by_fall.map(|known| MessageTime {
            seconds: (known.seconds * doubled_in(passed, messages)).min(*MESSAGE_SECONDS.end()),
            ..known
        });
        let (from, replicas_max) = (now.saturating_sub(FALL_WITHIN), self.replicas_max(now));
        let falls = self.history.falls_since(from, messages);
        let falls =
            falls.filter(|fall| fall.messages >= FALL_MESSAGES_MIN && fall.share >= FALL_SHARE_MIN);
        self.by_fall = falls
            .map(|fall| MessageTime {
                seconds: self.busy_slots(fall.most_in_flight, replicas_max)
                    * (fall.passed + STALENESS).as_secs_f64()
                    / fall.messages,
                deletions: fall.messages,
            })
            .chain(known)
            .min_by(|one, other| one.seconds.total_cmp(&other.seconds));
    }
}

/// How much longer a message is believed to take, `passed` after the last look: while there are messages and
/// their number does not fall, what a fall has shown long ago may have been a wrong count, or easier work.
fn doubled_in(passed: Duration, messages: f64) -> f64 {
    if messages < TRAFFIC_MESSAGES {
        return 1.0;
    }
    let passed = passed.min(FALL_WITHIN);
    passed.div_duration_f64(FALL_DOUBTED_IN).exp2()
}
