//! The numbers of a trigger that are metrics: what each is called, what it means and where it comes from.

use std::time::Duration;

use super::{balance::Balance, trigger_status::Look};
use crate::scaling::{Count, ScalingDecision};

/// What there is of numbers; a number that is not known has no series.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) observation_age: Option<f64>,
    pub(super) visible: Option<f64>,
    pub(super) in_flight: Option<f64>,
    pub(super) delayed: Option<f64>,
    pub(super) dead_letters: Option<f64>,
    pub(super) cannot_observe: Option<f64>,
    pub(super) active: Option<f64>,
    pub(super) replicas: Option<f64>,
    pub(super) plain_replicas: Option<f64>,
    pub(super) law_replicas: Option<f64>,
    pub(super) ready_replicas: Option<f64>,
    pub(super) target_wait: Option<f64>,
    pub(super) horizon: Option<f64>,
    pub(super) oldest_age: Option<f64>,
    pub(super) message: Option<f64>,
    pub(super) deletions: Option<f64>,
    pub(super) arrivals: Option<f64>,
    pub(super) concurrency: Option<f64>,
    pub(super) asked_age: Option<f64>,
    pub(super) saved: Option<f64>,
    pub(super) added: Option<f64>,
    pub(super) late: Option<f64>,
}

/// Its name, its help, and where it is.
pub(super) type Number = (&'static str, &'static str, fn(&Numbers) -> Option<f64>);

/// What goes up and down.
pub(super) const GAUGES: [Number; 19] = [
    (
        "observation_age_seconds",
        "Age of the last observation of the trigger's queue",
        |n| n.observation_age,
    ),
    ("visible_messages", "Messages waiting to be received", |n| {
        n.visible
    }),
    (
        "in_flight_messages",
        "Messages received and not yet deleted",
        |n| n.in_flight,
    ),
    (
        "delayed_messages",
        "Messages sent and not yet receivable",
        |n| n.delayed,
    ),
    (
        "dead_letters",
        "Messages waiting in the queue of dead letters",
        |n| n.dead_letters,
    ),
    (
        "cannot_observe",
        "1 while the queue cannot be observed",
        |n| n.cannot_observe,
    ),
    ("active", "1 while KEDA is told that there is work", |n| {
        n.active
    }),
    (
        "replicas_asked",
        "Replicas that the answer comes to, before the autoscaler's bounds",
        |n| n.replicas,
    ),
    (
        "plain_replicas",
        "Replicas that the answer of aws-sqs-queue would come to",
        |n| n.plain_replicas,
    ),
    (
        "law_replicas",
        "Replicas that the law wants, whether it is obeyed or not",
        |n| n.law_replicas,
    ),
    (
        "ready_replicas",
        "Replicas that are ready, where Kubernetes is read",
        |n| n.ready_replicas,
    ),
    (
        "target_wait_seconds",
        "How long a message may wait: targetWaitSeconds",
        |n| n.target_wait,
    ),
    (
        "horizon_seconds",
        "The time in which the backlog is to be gone",
        |n| n.horizon,
    ),
    (
        "oldest_message_age_seconds",
        "How long the oldest message has waited, as far as is known",
        |n| n.oldest_age,
    ),
    (
        "message_seconds",
        "How long a message is in flight, as estimated",
        |n| n.message,
    ),
    (
        "message_deletions",
        "Deletions that the estimate was learned from, faded",
        |n| n.deletions,
    ),
    (
        "arrivals_per_second",
        "Messages that arrive, as estimated",
        |n| n.arrivals,
    ),
    (
        "concurrency_messages",
        "Messages that a replica works on at once, as estimated",
        |n| n.concurrency,
    ),
    ("asked_age_seconds", "Time since KEDA asked last", |n| {
        n.asked_age
    }),
];

/// What only grows, since the trigger was first seen.
pub(super) const COUNTERS: [Number; 3] = [
    (
        "saved_replica_seconds",
        "Replica-seconds that aws-sqs-queue would have asked for and the law did not",
        |n| n.saved,
    ),
    (
        "added_replica_seconds",
        "Replica-seconds that the law asked for and aws-sqs-queue would not have",
        |n| n.added,
    ),
    (
        "late_seconds",
        "Time in which the oldest message had waited for longer than the target",
        |n| n.late,
    ),
];

impl Numbers {
    pub(super) fn of_look(look: &Look, now: Duration) -> Self {
        let seen = &look.observation;
        let known = |messages: &Count| messages.as_ref().ok().copied().map(count);
        let dead_letters = look.dead_letters.as_ref().and_then(|dead| dead.messages);
        Self {
            observation_age: Some(now.saturating_sub(look.at).as_secs_f64()),
            visible: known(&seen.visible),
            in_flight: known(&seen.in_flight),
            delayed: known(&seen.delayed),
            dead_letters: dead_letters.map(count),
            active: Some(flag(look.activity.polled)),
            ready_replicas: look.ready_replicas.map(f64::from),
            ..Self::of_decision(&look.decision)
        }
    }

    fn of_decision(decision: &ScalingDecision) -> Self {
        let estimate = decision.law.map(|law| law.estimate);
        let message = estimate.and_then(|estimate| estimate.message);
        Self {
            replicas: decision.replicas(),
            plain_replicas: decision.plain_replicas(),
            law_replicas: decision.law.map(|law| law.replicas.ceil()),
            horizon: decision.law.map(|law| law.horizon.as_secs_f64()),
            oldest_age: estimate
                .and_then(|estimate| estimate.oldest)
                .map(|oldest| oldest.age.as_secs_f64()),
            message: message.map(|message| message.seconds),
            deletions: message.map(|message| message.deletions),
            arrivals: estimate.map(|estimate| estimate.arrivals_per_second),
            concurrency: estimate.map(|estimate| estimate.concurrency),
            ..Self::default()
        }
    }

    pub(super) fn with_balance(self, balance: Option<&Balance>) -> Self {
        Self {
            saved: balance.map(|balance| balance.saved_replica_seconds),
            added: balance.map(|balance| balance.added_replica_seconds),
            late: balance.map(|balance| balance.late_seconds),
            ..self
        }
    }
}

pub(super) fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

#[allow(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no lossless conversion, and counts stay below 2^53"
)]
fn count(messages: i64) -> f64 {
    messages as f64
}
