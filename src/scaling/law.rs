//! The law: from a target wait in seconds to replicas. Pure, and without state: what was learned
//! comes as an [`Estimate`].
//!
//! With no time at all to spare it is `aws-sqs-queue`: a slot for every message, waiting or in
//! flight. The more time there is, the more messages one slot can serve before they are late.

use std::time::Duration;

use super::{Cohort, Estimate, MessageTime, NoisyGroups};

/// What the user states, and hints at. A hint is a beginning, not a truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Law {
    /// `targetWaitSeconds`: how long a message may wait to be received.
    pub target_wait: Duration,
    /// `startupSeconds`: from the decision to a replica's first message.
    pub startup: Duration,
    /// `concurrency`: messages that a replica works on at once.
    pub concurrency: Option<u32>,
    /// `messageSeconds`: how long a message is in flight.
    pub message: Option<Duration>,
    /// `fifoGroups`: of so many groups at most one message each is worked on.
    pub fifo_groups: Option<u32>,
    /// `noisyWaitSeconds`: how long a message may wait of a group that is noisy in a fair queue, where that is
    /// longer.
    pub noisy_wait: Option<Duration>,
}

impl Law {
    /// `startupSeconds` where it is not given.
    pub const STARTUP: Duration = Duration::from_mins(1);

    /// The time in which slots have to be done that are there, and those that have to start.
    fn horizons(&self) -> Horizons {
        let starting = self.horizon();
        let planned = self.target_wait.mul_f64(SHARE_OF_TARGET);
        Horizons {
            started: planned.saturating_sub(AUTOSCALER_SYNC).max(starting),
            starting,
        }
    }

    /// The time that is really left to act: the target less start-up, but never less than half the
    /// target.
    pub fn horizon(&self) -> Duration {
        let planned = self.target_wait.mul_f64(SHARE_OF_TARGET);
        let left = planned.saturating_sub(self.startup);
        left.max(self.target_wait / 2).max(HORIZON_MIN)
    }
}

/// A part of the target is kept for what the counts do not show.
const SHARE_OF_TARGET: f64 = 0.92;

/// The autoscaler asks every so often.
const AUTOSCALER_SYNC: Duration = Duration::from_secs(15);

/// The share of the arrivals that is kept up with even when nothing waits: to give up more would only
/// be to take it back, and the autoscaler holds for minutes what it has once been asked for.
const KEPT_UP_WITH: f64 = 0.9;

/// However late a message is, its horizon does not shrink further: it is late already, and others
/// would pay for it.
const HORIZON_SHRINKS_TO: u32 = 4;

/// Divisions stay sane.
const HORIZON_MIN: Duration = Duration::from_secs(1);

/// The share of the arrivals within the horizon that is served at once; the others may wait, and
/// in the steady state they do.
const ARRIVALS_SERVED_AT_ONCE: f64 = 0.5;

/// While messages wait, at most 30 % of the busy slots are given up at a time: their messages are
/// not done, and a backlog says that they are needed.
const BUSY_KEPT: f64 = 0.7;

/// While nothing is learned and nothing hinted at, the number of replicas is felt for: so many at
/// first, and twice as many after each interval. `queueLength` may be far off. Few show how long a message
/// takes as well as many do, but a single one may be the one that does not start.
const UNKNOWN_REPLICAS_FIRST: f64 = 3.0;

/// In so long the first messages are done, and show how long they take. With a longer target there is
/// time to wait for that, but not too much: messages of half an hour show nothing for long, and need as
/// many replicas as there is room for.
const UNKNOWN_DOUBLES_EVERY: Duration = Duration::from_secs(30);
const UNKNOWN_DOUBLES_IN_TARGET: u32 = 15;

/// More than any cluster holds.
const DOUBLINGS_MAX: f64 = 30.0;

/// More slots than groups are kept, to find out when there are more groups.
const GROUPS_PROBED: f64 = 1.25;

/// SQS takes a group for noisy from 30 messages in flight on: so many slots each are left to them, and some more,
/// since a slot is not always taken.
const NOISY_IN_FLIGHT: f64 = 36.0;

/// With work present the answer is never zero.
const REPLICAS_WITH_WORK_MIN: f64 = 0.01;

/// Until when work has to be done.
#[derive(Debug, Clone, Copy)]
struct Horizons {
    started: Duration,
    starting: Duration,
}

/// What the law comes to, term by term. Slots are messages worked on at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LawAnswer {
    /// What is needed, with its fraction.
    pub needed: f64,
    /// What to ask for, so that the autoscaler, which rounds up, comes to the nearest whole number.
    pub replicas: f64,
    /// What determined it.
    pub bound_by: LawTerm,
    /// The time in which the backlog is to be gone.
    pub horizon: Duration,
    /// Slots for the backlog, the work under way and the arrivals, so that none is late.
    pub drain_slots: f64,
    /// Slots that stay, because their messages are not done and others wait.
    pub kept_slots: f64,
    /// From what.
    pub estimate: Estimate,
}

/// The term of the law that determined its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LawTerm {
    /// Nothing waits and nothing is in flight.
    Empty,
    /// Hardly anything is learned yet: messages per replica, or so many as may be tried.
    Learning,
    /// So many slots that no message waits too long.
    TargetWait,
    /// So many that the quiet groups of a fair queue are in time; the noisy ones may wait longer.
    NoisyGroups,
    /// Busy slots that are not given up while messages wait.
    Busy,
    /// Slots that were found at work: whoever asked for them knew more.
    TakenOver,
    /// Work fails, and more replicas would fail as well.
    Stalled,
    /// More replicas got no more done.
    Ineffective,
    /// No more groups.
    FifoGroups,
}

impl Law {
    /// What to ask for by `estimate`; `queue_length` serves while nothing is known.
    pub fn answer(&self, estimate: &Estimate, queue_length: f64) -> LawAnswer {
        let answer = LawAnswer {
            needed: 0.0,
            replicas: 0.0,
            bound_by: LawTerm::Empty,
            horizon: self.horizon(),
            drain_slots: 0.0,
            kept_slots: 0.0,
            estimate: *estimate,
        };
        let messages = estimate.visible + estimate.in_flight + estimate.due;
        let answer = match estimate.message {
            _ if messages <= 0.0 => return answer,
            None => LawAnswer {
                needed: self.unknown_replicas(estimate, queue_length),
                bound_by: LawTerm::Learning,
                ..answer
            },
            Some(message) => self.known_replicas(&message, answer),
        };
        self.limited(&answer)
    }

    /// What is asked for when it is known how long a `message` takes.
    fn known_replicas(&self, message: &MessageTime, answer: LawAnswer) -> LawAnswer {
        let estimate = &answer.estimate;
        let (drain_slots, drain_term) = self.drain(estimate, message);
        let slots_max = slots_max(estimate);
        let kept_slots = BUSY_KEPT
            * estimate
                .steadily_busy
                .map_or(0.0, |busy| busy.min(slots_max));
        let messages = estimate.visible + estimate.in_flight + estimate.due;
        let taken_over = estimate.taken_over.min(messages).min(slots_max);
        let known_slots = drain_slots.max(kept_slots);
        LawAnswer {
            needed: known_slots.max(taken_over) / estimate.concurrency,
            bound_by: if taken_over > known_slots {
                LawTerm::TakenOver
            } else if kept_slots > drain_slots {
                LawTerm::Busy
            } else {
                drain_term
            },
            drain_slots,
            kept_slots,
            ..answer
        }
    }

    /// The slots with which no message waits too long, and what determined them.
    fn drain(&self, estimate: &Estimate, message: &MessageTime) -> (f64, LawTerm) {
        let seconds = message.seconds;
        let all = (self.in_time(estimate, seconds), LawTerm::TargetWait);
        // Each of these can only say that less is enough.
        let patient = estimate.noisy.map(|noisy| {
            let slots = self.patient_slots(estimate, &noisy, seconds);
            (slots, LawTerm::NoisyGroups)
        });
        // What messages take at most says what is needed at most.
        let felt = message.is_at_most.then(|| {
            let slots = self.felt_replicas(estimate) * estimate.concurrency;
            (slots, LawTerm::Learning)
        });
        let enough = [patient, felt].into_iter().flatten();
        enough.fold(
            all,
            |least, enough| {
                if enough.0 < least.0 { enough } else { least }
            },
        )
    }

    /// The slots with which all of `estimate` is in time.
    fn in_time(&self, estimate: &Estimate, message_seconds: f64) -> f64 {
        let all_slots = drain_slots(estimate, message_seconds, self.horizons());
        let pressing_slots = estimate.pressing.map_or(0.0, |cohort| {
            let busy = estimate.in_flight.min(slots_max(estimate));
            let messages = cohort.messages + busy;
            self.slots_for(&Cohort { messages, ..cohort }, message_seconds)
        });
        let keep_up_slots = if estimate.is_work_clean {
            KEPT_UP_WITH * estimate.arrivals_per_second * message_seconds
        } else {
            0.0
        };
        all_slots.max(pressing_slots).max(keep_up_slots)
    }

    /// The slots with which the quiet groups are in time, and the messages of noisy ones within the wait that
    /// is theirs.
    fn patient_slots(&self, estimate: &Estimate, noisy: &NoisyGroups, message_seconds: f64) -> f64 {
        let quiet_slots = self.in_time(&estimate.without_noisy(), message_seconds);
        let wait = self.noisy_wait.unwrap_or(self.target_wait);
        let planned = wait.mul_f64(SHARE_OF_TARGET);
        // The oldest of all is one of theirs.
        let oldest = estimate.oldest.map_or(Duration::ZERO, |oldest| oldest.age);
        let left = planned.saturating_sub(oldest).max(self.horizon());
        let drained_slots =
            noisy.visible * message_seconds / (message_seconds + left.as_secs_f64());
        // With fewer in flight a group is forgiven, and its messages come before the others' again.
        let told_slots = (noisy.groups * NOISY_IN_FLIGHT).min(noisy.visible);
        // A flood takes every slot as soon as it falls free. So many do within the horizon that a message of
        // a quiet group gets one: with too few, no order of handing out is of use.
        let turns = message_seconds / self.horizon().as_secs_f64();
        (quiet_slots + drained_slots.max(told_slots)).max(turns)
    }

    /// What is asked for while nothing is known of the work.
    fn unknown_replicas(&self, estimate: &Estimate, queue_length: f64) -> f64 {
        let messages = estimate.visible + estimate.in_flight;
        let replicas = messages / queue_length.max(estimate.concurrency);
        // Whoever asked for the replicas that were found at work may have known more.
        let found = estimate.found_in_flight.min(messages) / estimate.concurrency;
        replicas.min(self.felt_replicas(estimate)).max(found)
    }

    /// The replicas that may be tried without knowing more.
    fn felt_replicas(&self, estimate: &Estimate) -> f64 {
        let doubles_every = UNKNOWN_DOUBLES_EVERY.max(self.target_wait / UNKNOWN_DOUBLES_IN_TARGET);
        // Before the first replicas work nothing shows what more of them are good for, and to double would be
        // blind. A short target has no time to wait for that. Nor is a part of a doubling of use: the
        // autoscaler would round it up, and hold it for minutes.
        let spare = self.target_wait.mul_f64(SHARE_OF_TARGET);
        let spare = spare.saturating_sub(self.startup);
        let traffic_for = estimate.traffic_for.unwrap_or_default();
        let could_show_for = estimate.worked_for.unwrap_or_default();
        let doublings = could_show_for
            .max(traffic_for.saturating_sub(spare))
            .div_duration_f64(doubles_every)
            .floor()
            .min(DOUBLINGS_MAX);
        UNKNOWN_REPLICAS_FIRST * doublings.exp2()
    }

    /// Whether a message has waited longer than it may, as far as can be seen: in a fair queue with noisy groups
    /// the oldest is one of theirs.
    pub fn is_late(&self, estimate: &Estimate) -> bool {
        let oldest = estimate.oldest.map_or(Duration::ZERO, |oldest| oldest.age);
        let Some((noisy, wait)) = estimate.noisy.zip(self.noisy_wait) else {
            return oldest > self.target_wait;
        };
        let quiet = noisy.quiet_pressing.filter(|cohort| cohort.messages > 0.0);
        oldest > wait || quiet.is_some_and(|cohort| cohort.age > self.target_wait)
    }

    /// The slots with which `cohort` is done in the time that it has left.
    pub(super) fn slots_for(&self, cohort: &Cohort, message_seconds: f64) -> f64 {
        let planned = self.target_wait.mul_f64(SHARE_OF_TARGET);
        let left = planned
            .saturating_sub(cohort.age)
            .max(self.horizon() / HORIZON_SHRINKS_TO);
        cohort.messages * message_seconds / (message_seconds + left.as_secs_f64())
    }

    fn limited(&self, answer: &LawAnswer) -> LawAnswer {
        let estimate = &answer.estimate;
        let hinted = self.fifo_groups.map(f64::from);
        let seen = estimate.groups.map(|groups| groups * GROUPS_PROBED + 1.0);
        let groups = hinted.or(seen).map(|groups| groups / estimate.concurrency);
        let limits = [
            (groups, LawTerm::FifoGroups),
            (estimate.ineffective_above, LawTerm::Ineffective),
            (estimate.stalled_at, LawTerm::Stalled),
        ];
        let limited = limits
            .into_iter()
            .fold(*answer, |answer, (limit, term)| match limit {
                Some(limit) if limit < answer.needed => LawAnswer {
                    needed: limit,
                    bound_by: term,
                    ..answer
                },
                _ => answer,
            });
        LawAnswer {
            replicas: nearest(limited.needed).max(REPLICAS_WITH_WORK_MIN),
            ..limited
        }
    }
}

/// The autoscaler rounds up; what it gets is made to be rounded to the nearest instead.
fn nearest(replicas: f64) -> f64 {
    (replicas - 0.5).max(replicas.min(1.0))
}

fn slots_max(estimate: &Estimate) -> f64 {
    estimate
        .replicas_max
        .map_or(f64::INFINITY, |most| most * estimate.concurrency)
}

/// The slots with which all that is there, and the arrivals' share, are done in time. Those that work already
/// have the while in which others would only start.
fn drain_slots(estimate: &Estimate, message_seconds: f64, horizons: Horizons) -> f64 {
    let [started, starting] = [horizons.started, horizons.starting].map(|time| time.as_secs_f64());
    // Messages in flight that no replica can hold were abandoned: they are no work yet.
    let most = slots_max(estimate);
    let (busy, working) = (estimate.in_flight.min(most), estimate.working.min(most));
    let arrivals = ARRIVALS_SERVED_AT_ONCE * estimate.arrivals_per_second * starting;
    let work = (estimate.visible + estimate.due + busy + arrivals) * message_seconds;
    let if_all_work = work / (message_seconds + started);
    let beside_those = (work - working * (started - starting)) / (message_seconds + starting);
    if_all_work.max(beside_those)
}

#[cfg(test)]
#[path = "law_guards_tests.rs"]
mod guards_tests;

#[cfg(test)]
#[path = "law_histories.rs"]
mod histories;

#[cfg(test)]
#[path = "law_learning_tests.rs"]
mod learning_tests;

#[cfg(test)]
#[path = "law_noisy_tests.rs"]
mod noisy_tests;

#[cfg(test)]
#[path = "law_properties.rs"]
mod properties;

#[cfg(test)]
#[path = "law_tests.rs"]
mod tests;
