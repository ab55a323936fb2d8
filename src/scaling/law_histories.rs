//! Histories of a queue for the tests of the law: the scaler that lives through them, and what may be in
//! them.

use std::time::Duration;

use proptest::prelude::*;

use crate::scaling::{
    Backlog, Estimate, Estimator, Law, Minute, ScalingDecision, ScalingPolicy, Seen, decide,
};

/// Nothing but the counts.
pub(super) fn seen(backlog: &Backlog) -> Seen<'_> {
    Seen {
        backlog,
        minutes: &[],
        ready_replicas: None,
        delay: None,
    }
}

/// The scaler of one trigger, as those who serve it drive it.
#[derive(Debug, Clone)]
pub(super) struct Scaler {
    pub(super) policy: ScalingPolicy,
    pub(super) estimator: Estimator,
    pub(super) now: Duration,
    /// The most that was asked for so far.
    pub(super) most_asked: f64,
}

impl Scaler {
    pub(super) fn new(policy: ScalingPolicy) -> Self {
        Self {
            policy,
            estimator: Estimator::new(policy.law.unwrap()),
            now: Duration::from_secs(1_000_000),
            most_asked: 0.0,
        }
    }

    /// Of a trigger with nothing but the law.
    pub(super) fn under(law: Law) -> Self {
        Self::new(ScalingPolicy {
            law: Some(law),
            ..ScalingPolicy::default()
        })
    }

    pub(super) fn poll(
        &mut self,
        (visible, in_flight): (i64, i64),
        minutes: &[Minute],
    ) -> ScalingDecision {
        let backlog = Backlog {
            visible,
            in_flight,
            delayed: 0,
        };
        let seen = Seen {
            minutes,
            ..seen(&backlog)
        };
        let estimate = self.estimator.observe(self.now, &seen);
        let decision = decide(&self.policy, &backlog, Some(&estimate));
        self.estimator.asked(self.now, decision.replicas_asked());
        self.most_asked = self.most_asked.max(decision.replicas_asked());
        decision
    }

    /// What the next poll would answer.
    pub(super) fn would_say(&self, counts: (i64, i64)) -> ScalingDecision {
        self.clone().poll(counts, &[])
    }

    pub(super) fn after(&self, seconds: u64) -> Self {
        Self {
            now: self.now + Duration::from_secs(seconds),
            ..self.clone()
        }
    }
}

/// One poll, and what CloudWatch published since the one before.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) seconds: u64,
    pub(super) counts: (i64, i64),
    pub(super) minute: Option<(f64, f64)>,
}

pub(super) fn laws() -> impl Strategy<Value = Law> {
    let seconds = |range: std::ops::Range<f64>| {
        range.prop_map(|log| Duration::from_secs_f64(10_f64.powf(log)))
    };
    (
        seconds(1.0..4.0),
        0_u64..300,
        proptest::option::of(1_u32..50),
        proptest::option::of(seconds(-1.3..3.6)),
        proptest::option::weighted(0.2, 1_u32..50),
        proptest::option::of(1.0..100.0_f64),
    )
        .prop_map(
            |(target_wait, startup, concurrency, message, fifo_groups, noisy)| Law {
                target_wait,
                startup: Duration::from_secs(startup),
                concurrency,
                message,
                fifo_groups,
                noisy_wait: noisy.map(|factor| target_wait.mul_f64(factor)),
            },
        )
}

pub(super) fn policies() -> impl Strategy<Value = ScalingPolicy> {
    (laws(), 1_i64..500, proptest::option::of(1_u32..1_000)).prop_map(
        |(law, queue_length, max_replicas)| ScalingPolicy {
            law: Some(law),
            queue_length,
            max_replicas,
            ..ScalingPolicy::default()
        },
    )
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let minute = (0.0..1_000.0, 0.0..1_000.0)
        .prop_map(|(received, deleted): (f64, f64)| (received.floor(), deleted.floor()));
    let step = (
        1_u64..40,
        (0_i64..1_000, 0_i64..100),
        proptest::option::weighted(0.3, minute),
    )
        .prop_map(|(seconds, counts, minute)| Step {
            seconds,
            counts,
            minute,
        });
    proptest::collection::vec(step, 0..60)
}

/// A scaler that has lived through `steps`.
pub(super) fn warmed(policy: ScalingPolicy, steps: &[Step]) -> Scaler {
    let mut scaler = Scaler::new(policy);
    let mut from = scaler.now;
    for step in steps {
        scaler.now += Duration::from_secs(step.seconds);
        let minute = step.minute.map(|(received, deleted)| Minute {
            from,
            received: Some(received),
            deleted: Some(deleted),
            ..Minute::default()
        });
        from += if minute.is_some() {
            Minute::LENGTH
        } else {
            Duration::ZERO
        };
        scaler.poll(step.counts, minute.as_slice());
    }
    scaler.after(15)
}

pub(super) fn replicas(decision: &ScalingDecision) -> f64 {
    decision.replicas_asked()
}

pub(super) fn given_estimate() -> Estimate {
    Estimate {
        concurrency: 1.0,
        ..Estimate::default()
    }
}

pub(super) fn given_law() -> Law {
    Law {
        target_wait: Duration::from_mins(5),
        startup: Law::STARTUP,
        concurrency: Some(10),
        message: Some(Duration::from_secs(1)),
        fifo_groups: None,
        noisy_wait: None,
    }
}
