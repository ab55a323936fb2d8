//! What is known of one trigger. Whoever answers KEDA records here; readers copy it out.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    balance::Balance,
    board::Tally,
    history::{History, Moment},
};
use crate::{
    dead_letters::DeadLetters,
    queue::SensingState,
    scaling::{Activity, BindingTerm, Observation, ScalingDecision, Trigger},
    workloads::ObjectName,
};

/// A trigger and what was seen, believed and decided last.
#[derive(Debug)]
pub struct TriggerStatus {
    pub(super) object: Arc<ObjectName>,
    pub(super) trigger: Arc<Trigger>,
    asked_at_millis: AtomicU64,
    /// When the last sample that was recorded was asked for: a call about the same one stops here.
    recorded_at_micros: AtomicU64,
    state: Mutex<State>,
    tally: Tally,
    /// Tells it from every other trigger of this process.
    pub(super) number: u64,
    /// How often it has changed.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) last: Option<Look>,
    pub(super) failure: Option<Failure>,
    pub(super) history: History,
    pub(super) balance: Balance,
}

/// What came of one sample.
#[derive(Debug, Clone)]
pub struct Look {
    /// When the sample was asked for, since the Unix epoch.
    pub at: Duration,
    /// What was seen.
    pub observation: Arc<Observation>,
    /// What was decided.
    pub decision: ScalingDecision,
    /// What KEDA may be told of activity.
    pub activity: Activity,
    /// Whether minutes come; None without a law, which alone wants them.
    pub minutes: Option<SensingState>,
    /// Replicas that are ready, where Kubernetes is read.
    pub ready_replicas: Option<u32>,
    /// What is known of the dead letters of the queue, where it has some.
    pub dead_letters: Option<DeadLetters>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) cause: String,
    pub(super) since: Duration,
}

/// A decision that is another than the one before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The replicas asked for before; None at first.
    pub replicas_before: Option<f64>,
    /// What determined the decision before.
    pub bound_by_before: Option<BindingTerm>,
}

impl TriggerStatus {
    pub(super) fn new(
        (object, trigger): (Arc<ObjectName>, Arc<Trigger>),
        tally: Tally,
        now: Duration,
    ) -> Self {
        Self {
            object,
            trigger,
            asked_at_millis: AtomicU64::new(whole(now.as_millis())),
            recorded_at_micros: AtomicU64::new(0),
            state: Mutex::default(),
            number: tally.next_trigger(),
            tally,
            changes: AtomicU64::new(0),
        }
    }

    /// Notes that KEDA asks, at `now` since the Unix epoch.
    pub fn asked(&self, now: Duration) {
        self.asked_at_millis
            .store(whole(now.as_millis()), Ordering::Relaxed);
    }

    /// What orders triggers: object and queue.
    pub(super) fn place(&self) -> (&str, &str, &str, &str) {
        let (ObjectName { namespace, name }, queue) = (&*self.object, &self.trigger.queue);
        (namespace, name, &queue.region, &queue.name)
    }

    pub(super) fn asked_at(&self) -> Duration {
        Duration::from_millis(self.asked_at_millis.load(Ordering::Relaxed))
    }

    /// How often it has changed, to tell whether it has.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Whether a sample asked for at `at` is younger than all that were recorded.
    pub fn is_news(&self, at: Duration) -> bool {
        whole(at.as_micros()) > self.recorded_at_micros.load(Ordering::Relaxed)
    }

    /// Takes in what came of a sample that is news, and says whether the decision changed.
    pub fn record(&self, look: Look) -> Option<Change> {
        let mut state = self.lock();
        if !self.is_news(look.at) {
            return None;
        }
        self.recorded_at_micros
            .store(whole(look.at.as_micros()), Ordering::Relaxed);
        self.tally.decided(look.decision.bound_by);
        state.history.note(moment(&look));
        state.balance.note(look.at, &look.decision);
        state.failure = None;
        self.changes.fetch_add(1, Ordering::Relaxed);
        let change = change(state.last.as_ref(), &look);
        state.last = Some(look);
        change
    }

    /// Notes at `now`, since the Unix epoch, that the queue cannot be observed.
    pub fn failed(&self, now: Duration, cause: &dyn std::fmt::Display) {
        let cause = cause.to_string();
        let mut state = self.lock();
        let since = state.failure.as_ref().map_or(now, |failure| failure.since);
        let failure = Some(Failure { cause, since });
        if state.failure != failure {
            state.failure = failure;
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change is one of replicas, of activity or of what binds; a value that only moves is none.
fn change(before: Option<&Look>, look: &Look) -> Option<Change> {
    let gist = |look: &Look| {
        let ScalingDecision { bound_by, .. } = look.decision;
        (look.decision.replicas(), look.activity.polled, bound_by)
    };
    let before = before.map(gist);
    (before != Some(gist(look))).then(|| Change {
        replicas_before: before.and_then(|(replicas, ..)| replicas),
        bound_by_before: before.map(|(_, _, bound_by)| bound_by),
    })
}

fn moment(look: &Look) -> Moment {
    let decision = &look.decision;
    let oldest = decision.law.and_then(|law| law.estimate.oldest);
    Moment {
        at_seconds: most(look.at.as_secs()),
        visible: messages(decision.backlog.visible),
        in_flight: messages(look.observation.in_flight.clone().unwrap_or_default()),
        replicas: short(decision.replicas().unwrap_or_default()),
        plain_replicas: short(decision.plain_replicas().unwrap_or_default()),
        oldest_age_seconds: oldest.map(|oldest| oldest.age.as_secs_f32()),
    }
}

/// A count as it is drawn: no emulator's -1, and four thousand million look like more.
fn messages(count: i64) -> u32 {
    most(count.max(0).unsigned_abs())
}

fn most(number: u64) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a picture of a number of replicas needs no more"
)]
fn short(replicas: f64) -> f32 {
    replicas as f32
}

fn whole(time: u128) -> u64 {
    time.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "trigger_status_tests.rs"]
mod tests;
