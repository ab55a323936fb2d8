//! What is learned of a queue from what can be seen of it: how long a message takes, how many arrive,
//! how many a replica works on, whether work succeeds at all. Pure: time is passed in, and the same
//! readings give the same estimate.
//!
//! Nothing here needs the workers' help. Little's law on the in-flight stage gives the time that a
//! message takes: the messages in flight are the work that goes on, the deletions what came of it.

mod concurrency;
mod history;
mod learning;

use std::time::Duration;

use self::{
    concurrency::{Concurrency, Held},
    history::{History, Reading, ReplicaHistory},
    learning::Yield,
};
use super::{Backlog, Law, Minute, observation::count_as_f64};

/// With so many times as many slots as groups are worked on, the groups are the limit.
const GROUPS_OUTNUMBERED_BY: f64 = 1.5;

/// A replica that was asked for may still be there so long after: the autoscaler holds it.
const REPLICAS_REMEMBERED: Duration = Duration::from_mins(5);

/// The autoscaler leaves what is within 10 % of what is wanted.
const AUTOSCALER_TOLERANCE: f64 = 1.1;

/// What a hint is worth, in deletions: it is unlearned within minutes of traffic.
const HINT_DELETIONS: f64 = 5.0;

/// Fewer deletions than this say nothing without a hint.
const DELETIONS_TO_TELL: f64 = 5.0;

/// Fewer messages are no traffic: SQS counts one or two too many now and then.
const TRAFFIC_MESSAGES: f64 = 5.0;

/// Long jobs show themselves before they end: from here on, the time without deletions counts.
const LONG_JOB: Duration = Duration::from_mins(1);

/// No message takes less, and none more.
const MESSAGE_SECONDS: std::ops::RangeInclusive<f64> = 1e-3..=86_400.0;

/// What was asked for this long before a stall was seen is still taken for what it asked for.
const ASKED_BEFORE_STALL: Duration = Duration::from_mins(10);

/// Arrivals are counted over the horizon, within these bounds.
const ARRIVALS_OVER: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(10)];

/// Over less than this nothing can be said of arrivals.
const ARRIVALS_OVER_MIN: Duration = Duration::from_secs(30);

/// "While messages wait" means so long.
const WAITING_FOR: Duration = Duration::from_mins(1);

/// What is to be seen of a queue at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The counts, as read.
    pub backlog: &'a Backlog,
    /// The minutes that CloudWatch has, oldest first; those that were seen before may be among them.
    pub minutes: &'a [Minute],
    /// The replicas that receive messages, where Kubernetes may be read.
    pub ready_replicas: Option<u32>,
    /// `DelaySeconds` of the queue, where it is known.
    pub delay: Option<Duration>,
}

/// What is believed of a queue at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    /// Messages waiting, after doubt.
    pub visible: f64,
    /// Messages in flight, after doubt.
    pub in_flight: f64,
    /// Messages that were in flight at the first look ever: replicas work on them that somebody else
    /// asked for, such as a copy of the scaler that is gone.
    pub found_in_flight: f64,
    /// How long a message is in flight. None while nothing tells.
    pub message: Option<MessageTime>,
    /// How long the oldest message has waited. None when nothing waits.
    pub oldest: Option<Oldest>,
    /// Messages per second.
    pub arrivals_per_second: f64,
    /// Messages that a replica works on at once.
    pub concurrency: f64,
    /// What a replica holds of it at most while messages wait, if all are there that were asked for. None
    /// when that agrees with the hint.
    pub concurrency_at_most: Option<f64>,
    /// No more replicas than this can exist. None when nothing tells.
    pub replicas_max: Option<f64>,
    /// The fewest messages in flight of the last minute, when messages waited all that time.
    pub steadily_busy: Option<f64>,
    /// Those of the waiting messages that need the most slots, so that they are in time.
    pub pressing: Option<Cohort>,
    /// What is in flight is work, and how much of it a replica does is known: hardly anything was
    /// received in the last minutes that was not done.
    pub is_work_clean: bool,
    /// The share of what was received in the last minutes that is neither done nor in flight any more,
    /// where it is no noise: those messages failed, and are received again.
    pub failing_share: Option<f64>,
    /// Work goes on and nothing comes of it: the replicas that were asked for before.
    pub stalled_at: Option<f64>,
    /// More replicas than this were asked for before, and no more got done.
    pub ineffective_above: Option<f64>,
    /// Groups of a FIFO queue that are worked on at once, where they are the limit.
    pub groups: Option<f64>,
    /// Delayed messages that can be received before a replica asked for now is there.
    pub due: f64,
    /// Since when there has been traffic.
    pub traffic_for: Option<Duration>,
}

/// How long the oldest message has waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oldest {
    pub age: Duration,
    /// Whether CloudWatch said so, minutes ago; else it follows from the counts.
    pub is_measured: bool,
}

/// Messages that wait, and how long the youngest of them has waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cohort {
    pub messages: f64,
    pub age: Duration,
}

/// How long a message is in flight, and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MessageTime {
    pub seconds: f64,
    /// The deletions it was learned from, faded; a hint is worth five.
    pub deletions: f64,
}

/// The state from which estimates are made, of one queue under one law. Bounded: a quarter of an
/// hour of readings.
#[derive(Debug, Clone)]
pub struct Estimator {
    law: Law,
    history: History,
    asked: ReplicaHistory,
    ready: ReplicaHistory,
    /// Replica-seconds of work, faded.
    replica_seconds: f64,
    /// Deletions that came of them, faded alike.
    deletions: f64,
    /// The shortest time that a fall of the counts has shown, the more doubted the older it is, while
    /// CloudWatch has shown none.
    by_fall: Option<MessageTime>,
    /// Until when it has been doubted.
    by_fall_at: Duration,
    /// The last minutes, for what is received and not deleted.
    minutes: Vec<Minute>,
    last_deletion_at: Option<Duration>,
    stalled_since: Option<Duration>,
    concurrency: Concurrency,
    /// What replicas would work on if all were there that were asked for.
    doubted: Concurrency,
    traffic_since: Option<Duration>,
    /// When the first look was.
    began_at: Option<Duration>,
    /// What was in flight at the first look.
    found_in_flight: Option<f64>,
    /// The last estimate: a second question about one observation gets the same answer.
    last: Option<(Duration, Estimate)>,
    /// Since when the oldest message waits, as CloudWatch said last.
    oldest_since: Option<Duration>,
    /// What CloudWatch said of groups last, when messages waited for all of the minute.
    groups: Option<f64>,
    /// What got done in the last minutes, and with how many replicas.
    yields: Vec<Yield>,
    ineffective_above: Option<f64>,
    /// `DelaySeconds` of the queue.
    delay: Option<Duration>,
}

impl Estimator {
    /// Knows nothing but the hints.
    pub fn new(law: Law) -> Self {
        Self {
            law,
            history: History::default(),
            asked: ReplicaHistory::default(),
            ready: ReplicaHistory::default(),
            replica_seconds: 0.0,
            deletions: 0.0,
            by_fall: None,
            by_fall_at: Duration::ZERO,
            minutes: Vec::new(),
            last_deletion_at: None,
            stalled_since: None,
            concurrency: Concurrency::new(law.concurrency),
            doubted: Concurrency::new(law.concurrency),
            traffic_since: None,
            began_at: None,
            found_in_flight: None,
            last: None,
            oldest_since: None,
            groups: None,
            yields: Vec::new(),
            ineffective_above: None,
            delay: None,
        }
    }

    /// Takes in what is seen at `now`, a time since the Unix epoch, and says what to believe.
    pub fn observe(&mut self, now: Duration, seen: &Seen<'_>) -> Estimate {
        match self.last {
            Some((at, estimate)) if at == now => estimate,
            _ => {
                let estimate = self.learn_from(now, seen);
                self.last = Some((now, estimate));
                estimate
            }
        }
    }

    fn learn_from(&mut self, now: Duration, seen: &Seen<'_>) -> Estimate {
        self.catch_up(now, seen.minutes);
        let reading = self.history.read(Reading {
            at: now,
            visible: count_as_f64(seen.backlog.visible.max(0)),
            in_flight: count_as_f64(seen.backlog.in_flight.max(0)),
            delayed: count_as_f64(seen.backlog.delayed.max(0)),
        });
        self.delay = seen.delay;
        self.found_in_flight.get_or_insert(reading.in_flight);
        if let Some(ready) = seen.ready_replicas {
            self.ready.note(now, f64::from(ready));
            self.learn_concurrency(now, reading.in_flight, f64::from(ready));
        } else {
            self.doubt_concurrency(now, reading.in_flight);
        }
        let known_until = self.minutes.last().map(|minute| minute.from);
        let is_new = |minute: &&Minute| known_until.is_none_or(|known| minute.from > known);
        for minute in seen.minutes.iter().filter(is_new) {
            self.learn(&minute.believed());
        }
        if reading.visible <= 0.0 {
            self.oldest_since = None;
        }
        if reading.messages() >= TRAFFIC_MESSAGES {
            self.traffic_since.get_or_insert(now);
        }
        self.learn_from_fall(now, reading.messages());
        self.estimate(now, reading)
    }

    /// Notes what was answered: it bounds what can exist.
    pub fn asked(&mut self, now: Duration, replicas: f64) {
        self.asked.note(now, replicas);
    }

    /// What went on before the first look, as far as CloudWatch tells and whenever it does, which is some seconds
    /// after that look: so a restart forgets little.
    fn catch_up(&mut self, now: Duration, minutes: &[Minute]) {
        let began_at = *self.began_at.get_or_insert(now);
        let readings = minutes.iter().map(|minute| minute.believed());
        let readings = readings.filter_map(|minute| {
            Some(Reading {
                at: minute.until(),
                visible: minute.visible?,
                in_flight: minute.in_flight?,
                delayed: 0.0,
            })
        });
        let before = readings.filter(|reading| reading.at < began_at);
        self.history.catch_up(now, before);
    }

    fn estimate(&self, now: Duration, reading: Reading) -> Estimate {
        let replicas_max = self.replicas_max(now);
        let message = self.message();
        let steadily_busy = self
            .history
            .have_waited_since(now.saturating_sub(WAITING_FOR))
            .then(|| {
                self.history
                    .least_in_flight_since(now.saturating_sub(WAITING_FOR))
            });
        let (pressing, oldest) = self.pressing(now, reading, (message, replicas_max));
        Estimate {
            visible: reading.visible,
            in_flight: reading.in_flight,
            found_in_flight: self.found_in_flight.unwrap_or_default(),
            message,
            arrivals_per_second: self.arrivals_per_second(now, message, replicas_max),
            concurrency: self.concurrency(),
            concurrency_at_most: self.doubted.overstated(),
            replicas_max,
            steadily_busy,
            pressing,
            oldest,
            is_work_clean: self.concurrency.is_known() && self.is_work_clean(),
            failing_share: self.failing_share(),
            stalled_at: self.stalled_since.map(|since| self.asked_before(since)),
            ineffective_above: self.ineffective_above,
            groups: self
                .groups
                .filter(|groups| self.are_the_limit(*groups, replicas_max)),
            due: self.due(now, reading),
            traffic_for: self.traffic_since.map(|since| now.saturating_sub(since)),
        }
    }

    fn concurrency(&self) -> f64 {
        self.concurrency.messages()
    }

    /// What a ready replica holds while messages wait is what it can hold. Not on FIFO queues, whose
    /// groups limit what is in flight.
    fn learn_concurrency(&mut self, now: Duration, in_flight: f64, ready: f64) {
        let since = now.saturating_sub(self.concurrency.settles_in());
        let is_steady = self
            .ready
            .within(since, now)
            .all(|before| (before - ready).abs() < 0.5);
        if self.law.fifo_groups.is_none()
            && ready >= 1.0
            && is_steady
            && self.history.have_waited_since(since)
        {
            let held = if self.is_work_clean() {
                Held::AtWork
            } else {
                Held::AtMost
            };
            self.concurrency.note(in_flight / ready, held);
        }
    }

    /// Where ready replicas cannot be read, what was asked for tells that a hint may say too much: it is not
    /// corrected, because the replicas may as well be missing.
    fn doubt_concurrency(&mut self, now: Duration, in_flight: f64) {
        let since = now.saturating_sub(self.law.startup + self.doubted.settles_in());
        let range = |bound: fn(f64, f64) -> f64| self.asked.within(since, now).reduce(bound);
        let (Some(least), Some(most)) = (range(f64::min), range(f64::max)) else {
            return;
        };
        if self.law.fifo_groups.is_none()
            && most <= AUTOSCALER_TOLERANCE * least
            && self.history.have_waited_since(since)
        {
            self.doubted
                .note(in_flight / most.ceil().max(1.0), Held::AtMost);
        }
    }

    /// The most that can exist at `at`: what was ready then, else the most that was asked for.
    fn replicas_max(&self, at: Duration) -> Option<f64> {
        if let Some(ready) = self.ready.last_by(at) {
            return Some(ready.max(1.0));
        }
        let from = at.saturating_sub(REPLICAS_REMEMBERED);
        // Before the first answer there may be any number, unless the queue began empty.
        self.asked
            .first()
            .filter(|first| first.at <= from || first.number <= 0.0)?;
        let most = self.asked.most_within(from, at).unwrap_or(0.0);
        Some((most * AUTOSCALER_TOLERANCE).ceil().max(1.0))
    }

    fn message(&self) -> Option<MessageTime> {
        let slot_seconds = self.replica_seconds * self.concurrency();
        let hint = self.law.message.map(|message| message.as_secs_f64());
        let (seconds, deletions) = match hint {
            Some(hint) => {
                let deletions = HINT_DELETIONS + self.deletions;
                (
                    (HINT_DELETIONS * hint + slot_seconds) / deletions,
                    deletions,
                )
            }
            None if self.deletions >= DELETIONS_TO_TELL => {
                (slot_seconds / self.deletions, self.deletions)
            }
            None => {
                let at_least = slot_seconds / (self.deletions + 1.0);
                if at_least < LONG_JOB.as_secs_f64() {
                    return self.by_fall;
                }
                (at_least, self.deletions)
            }
        };
        Some(MessageTime {
            seconds: seconds.clamp(*MESSAGE_SECONDS.start(), *MESSAGE_SECONDS.end()),
            deletions,
        })
    }

    /// The growth of what is there, and what was done meanwhile. Only what goes on in both halves of
    /// the window is a rate: a batch that came at once is there to be counted, and nothing follows it.
    fn arrivals_per_second(
        &self,
        now: Duration,
        message: Option<MessageTime>,
        replicas_max: Option<f64>,
    ) -> f64 {
        let rate = || {
            let [least, most] = ARRIVALS_OVER;
            let seen_for = now.saturating_sub(self.history.first()?.at);
            let window = self.law.horizon().clamp(least, most).min(seen_for);
            let (from, middle) = (now.saturating_sub(window), now.saturating_sub(window / 2));
            let half = |from: Duration, until: Duration| {
                let growth = self.history.messages_at(until)? - self.history.messages_at(from)?;
                let in_flight = self.history.mean_in_flight(from, until)?;
                let done = self.busy_slots(in_flight, replicas_max) / message?.seconds;
                Some(growth.min(0.0) / (window / 2).as_secs_f64() + done)
            };
            let is_enough = window >= ARRIVALS_OVER_MIN;
            is_enough.then_some(half(from, middle)?.min(half(middle, now)?))
        };
        rate().unwrap_or(0.0).max(0.0)
    }

    /// Of the messages that were there at an earlier reading, those wait that have not been done since:
    /// SQS hands out the oldest first, more or less. They have less time left than what came later.
    /// The second is how long the oldest of all has waited.
    fn pressing(
        &self,
        now: Duration,
        reading: Reading,
        (message, replicas_max): (Option<MessageTime>, Option<f64>),
    ) -> (Option<Cohort>, Option<Oldest>) {
        let measured = self.measured_age(now, reading);
        let Some(MessageTime { seconds, .. }) = message else {
            return (None, measured);
        };
        let first_at = self.history.first().map_or(now, |first| first.at);
        let most_busy = self.busy_slots(f64::INFINITY, replicas_max);
        let in_flight = reading.in_flight.min(most_busy);
        let cohorts = self.history.backwards(now, most_busy).map(|earlier| {
            let age = now.saturating_sub(earlier.at);
            // What was there at the first look may be older than that.
            let is_older = earlier.at == first_at;
            let measured_age = measured
                .filter(|_| is_older)
                .map_or(age, |oldest| oldest.age);
            Cohort {
                messages: earlier.messages - in_flight - earlier.slot_seconds / seconds,
                age: age.max(measured_age),
            }
        });
        let (mut pressing, mut oldest): (Option<Cohort>, Option<Cohort>) = (None, None);
        let need = |cohort: &Cohort| self.law.slots_for(cohort, seconds);
        for cohort in cohorts.take_while(|cohort| cohort.messages > 0.0) {
            oldest = Some(cohort);
            if pressing
                .as_ref()
                .is_none_or(|most| need(&cohort) > need(most))
            {
                pressing = Some(cohort);
            }
        }
        let counted = oldest
            .filter(|_| reading.visible > 0.0)
            .map(|cohort| Oldest {
                age: cohort.age,
                is_measured: false,
            });
        (pressing, measured.or(counted))
    }

    /// What CloudWatch said of the oldest message, aged by the time since: while messages have waited
    /// ever since, it may be the same one. It is blind to messages that failed often, so it never tells
    /// that there is none.
    fn measured_age(&self, now: Duration, reading: Reading) -> Option<Oldest> {
        let since = self.oldest_since?;
        (reading.visible > 0.0).then(|| Oldest {
            age: now.saturating_sub(since),
            is_measured: true,
        })
    }

    /// Delayed messages that were there when those that are due now were sent. A queue's delay is the
    /// same for all but those that have one of their own.
    fn due(&self, now: Duration, reading: Reading) -> f64 {
        let Some(delay) = self.delay.filter(|delay| !delay.is_zero()) else {
            return 0.0;
        };
        let waited = delay.saturating_sub(self.law.startup);
        let then = self.history.at(now.saturating_sub(waited));
        then.map_or(0.0, |then| then.delayed.min(reading.delayed))
    }

    /// Groups are the limit when there are slots enough for more.
    fn are_the_limit(&self, groups: f64, replicas_max: Option<f64>) -> bool {
        let slots = replicas_max.map(|most| most * self.concurrency());
        slots.is_some_and(|slots| slots >= GROUPS_OUTNUMBERED_BY * groups)
    }

    /// A message in flight that no replica can hold was abandoned by one.
    fn busy_slots(&self, in_flight: f64, replicas_max: Option<f64>) -> f64 {
        replicas_max.map_or(in_flight, |most| in_flight.min(most * self.concurrency()))
    }

    fn asked_before(&self, stall: Duration) -> f64 {
        let asked = self.asked.most_within(
            stall.saturating_sub(ASKED_BEFORE_STALL),
            stall + Duration::from_secs(15),
        );
        asked.unwrap_or(1.0).max(1.0)
    }
}

#[cfg(test)]
#[path = "estimate/catch_up_tests.rs"]
mod catch_up_tests;
