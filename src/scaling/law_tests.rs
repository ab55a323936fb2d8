//! The invariants of the law, for any history of a queue.

#![allow(clippy::float_cmp, reason = "the numbers are given, not calculated")]

use std::time::Duration;

use proptest::prelude::*;

use crate::scaling::{
    Backlog, Estimate, Estimator, Law, LawTerm, MessageTime, Minute, ScalingDecision,
    ScalingPolicy, Seen, decide, observation::count_as_f64,
};

/// The scaler of one trigger, as those who serve it drive it.
#[derive(Debug, Clone)]
struct Scaler {
    policy: ScalingPolicy,
    estimator: Estimator,
    now: Duration,
}

impl Scaler {
    fn new(policy: ScalingPolicy) -> Self {
        Self {
            policy,
            estimator: Estimator::new(policy.law.unwrap()),
            now: Duration::from_secs(1_000_000),
        }
    }

    fn poll(&mut self, (visible, in_flight): (i64, i64), minutes: &[Minute]) -> ScalingDecision {
        let backlog = Backlog {
            visible,
            in_flight,
            delayed: 0,
        };
        let seen = Seen {
            backlog: &backlog,
            minutes,
            ready_replicas: None,
            delay: None,
        };
        let estimate = self.estimator.observe(self.now, &seen);
        let decision = decide(&self.policy, &backlog, Some(&estimate));
        self.estimator.asked(self.now, decision.replicas_asked());
        decision
    }

    /// What the next poll would answer.
    fn would_say(&self, counts: (i64, i64)) -> ScalingDecision {
        self.clone().poll(counts, &[])
    }

    fn after(&self, seconds: u64) -> Self {
        Self {
            now: self.now + Duration::from_secs(seconds),
            ..self.clone()
        }
    }
}

/// One poll, and what CloudWatch published since the one before.
#[derive(Debug, Clone)]
struct Step {
    seconds: u64,
    counts: (i64, i64),
    minute: Option<(f64, f64)>,
}

fn laws() -> impl Strategy<Value = Law> {
    let seconds = |range: std::ops::Range<f64>| {
        range.prop_map(|log| Duration::from_secs_f64(10_f64.powf(log)))
    };
    (
        seconds(1.0..4.0),
        0_u64..300,
        proptest::option::of(1_u32..50),
        proptest::option::of(seconds(-1.3..3.6)),
        proptest::option::weighted(0.2, 1_u32..50),
    )
        .prop_map(
            |(target_wait, startup, concurrency, message, fifo_groups)| Law {
                target_wait,
                startup: Duration::from_secs(startup),
                concurrency,
                message,
                fifo_groups,
            },
        )
}

fn policies() -> impl Strategy<Value = ScalingPolicy> {
    (laws(), 1_i64..500, proptest::option::of(1_u32..1_000)).prop_map(
        |(law, queue_length, max_replicas)| ScalingPolicy {
            law: Some(law),
            queue_length,
            max_replicas,
            ..ScalingPolicy::default()
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
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
fn warmed(policy: ScalingPolicy, steps: &[Step]) -> Scaler {
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

fn replicas(decision: &ScalingDecision) -> f64 {
    decision.replicas_asked()
}

proptest! {
    #[test]
    fn the_answer_is_finite_bounded_and_above_zero_while_there_is_work(
        policy in policies(), steps in steps(), counts in (any::<i64>(), any::<i64>()),
    ) {
        let decision = warmed(policy, &steps).would_say(counts);
        let most = policy.max_replicas.map_or(f64::INFINITY, f64::from);
        prop_assert!(replicas(&decision).is_finite() && replicas(&decision) >= 0.0);
        prop_assert!(replicas(&decision) <= most);
        if counts.0 > 0 || counts.1 > 0 {
            prop_assert!(decision.is_active && decision.metric_value > 0.0);
        }
    }

    #[test]
    fn more_messages_never_lower_the_answer(
        policy in policies(), steps in steps(),
        visible in 0_i64..100_000, in_flight in 0_i64..500, more in 1_i64..100_000,
    ) {
        let scaler = warmed(policy, &steps);
        let answer = replicas(&scaler.would_say((visible, in_flight)));
        prop_assert!(replicas(&scaler.would_say((visible + more, in_flight))) >= answer - 1e-9);
        prop_assert!(replicas(&scaler.would_say((visible, in_flight + more))) >= answer - 1e-9);
    }

    #[test]
    fn a_longer_target_never_raises_the_first_answer(
        policy in policies(), counts in (0_i64..100_000, 0_i64..500), factor in 1.0_f64..4.0,
    ) {
        let law = policy.law.unwrap();
        let law = Law { message: law.message.or(Some(Duration::from_secs(3))), ..law };
        let longer = Law { target_wait: law.target_wait.mul_f64(factor), ..law };
        let answer = |law| replicas(&Scaler::new(ScalingPolicy { law: Some(law), ..policy }).would_say(counts));
        prop_assert!(answer(longer) <= answer(law) + 1e-9);
    }

    #[test]
    fn longer_work_never_lowers_it_and_more_at_once_never_raises_it(
        policy in policies(), counts in (0_i64..100_000, 0_i64..500), factor in 1.0_f64..4.0,
    ) {
        let law = Law { fifo_groups: None, ..policy.law.unwrap() };
        let law = Law { message: law.message.or(Some(Duration::from_secs(3))), ..law };
        let answer = |law| replicas(&Scaler::new(ScalingPolicy { law: Some(law), ..policy }).would_say(counts));
        let longer = Law { message: law.message.map(|message| message.mul_f64(factor)), ..law };
        prop_assert!(answer(longer) >= answer(law) - 1e-9);
        let wider = Law { concurrency: Some(law.concurrency.unwrap_or(1) * 2), ..law };
        prop_assert!(answer(wider) <= answer(law) + 1e-9);
    }

    #[test]
    fn without_growth_there_is_never_more_than_a_slot_for_each_message(
        policy in policies(), counts in (0_i64..10_000, 0_i64..200),
    ) {
        let law = policy.law.unwrap();
        let law = Law { message: law.message.or(Some(Duration::from_secs(3))), ..law };
        let decision = Scaler::new(ScalingPolicy { law: Some(law), ..policy }).would_say(counts);
        let messages = count_as_f64(counts.0 + counts.1);
        let concurrency = f64::from(law.concurrency.unwrap_or(1));
        prop_assert!(replicas(&decision) <= (messages / concurrency).max(0.01) + 1e-9);
    }

    #[test]
    fn while_messages_wait_at_most_three_in_ten_busy_slots_are_given_up(
        law in laws(), in_flight in 1_i64..300, waiting in 1_i64..50,
    ) {
        let law = Law { fifo_groups: None, message: law.message.or(Some(Duration::from_secs(3))), ..law };
        let mut scaler = Scaler::new(ScalingPolicy { law: Some(law), ..ScalingPolicy::default() });
        let mut answer = 0.0;
        for _ in 0..6 {
            answer = scaler.poll((waiting, in_flight), &[]).law.unwrap().needed;
            scaler = scaler.after(14);
        }
        let busy = count_as_f64(in_flight) / f64::from(law.concurrency.unwrap_or(1));
        prop_assert!(answer >= 0.7 * busy - 1e-6, "{answer} of {busy}");
    }

    #[test]
    fn a_stall_never_raises_the_answer_above_what_was_asked_before(
        law in laws(), counts in (0_i64..10_000_000, 0_i64..100_000), before in 1.0_f64..100.0,
    ) {
        let estimate = Estimate {
            visible: count_as_f64(counts.0),
            in_flight: count_as_f64(counts.1),
            message: Some(MessageTime { seconds: 1.0, deletions: 100.0 }),
            stalled_at: Some(before),
            ..given_estimate()
        };
        prop_assert!(law.answer(&estimate, 5.0).replicas <= before);
    }

    #[test]
    fn the_same_history_gives_the_same_answer(
        policy in policies(), steps in steps(), counts in (0_i64..1_000, 0_i64..100),
    ) {
        let answer = || warmed(policy, &steps).would_say(counts);
        prop_assert_eq!(answer(), answer());
    }

    #[test]
    fn a_gap_or_a_step_of_the_clock_is_harmless(
        policy in policies(), steps in steps(), gap in 0_u64..10_000_000,
    ) {
        let scaler = warmed(policy, &steps);
        for now in [scaler.now + Duration::from_secs(gap), scaler.now.saturating_sub(Duration::from_secs(gap))] {
            let decision = Scaler { now, ..scaler.clone() }.would_say((10, 1));
            prop_assert!(replicas(&decision).is_finite() && decision.is_active && replicas(&decision) > 0.0);
        }
    }

    /// With (1 - 1/2) of what arrives within the horizon waiting, as it does in the long run.
    #[test]
    fn in_the_steady_state_it_is_the_work_that_arrives(
        rate in 0.5_f64..100.0, seconds in 0.05_f64..20.0, target in 120.0_f64..2_000.0,
    ) {
        let law = Law {
            target_wait: Duration::from_secs_f64(target),
            startup: Law::STARTUP,
            concurrency: Some(4),
            message: None,
            fifo_groups: None,
        };
        let horizon = law.horizon().as_secs_f64();
        let estimate = Estimate {
            visible: 0.5 * rate * horizon,
            in_flight: rate * seconds,
            message: Some(MessageTime { seconds, deletions: 100.0 }),
            arrivals_per_second: rate,
            concurrency: 4.0,
            ..given_estimate()
        };
        let wanted = rate * seconds / 4.0;
        let answer = law.answer(&estimate, 5.0).needed;
        prop_assert!((answer / wanted - 1.0).abs() < 0.02, "{answer} for {wanted}");
    }
}

fn given_estimate() -> Estimate {
    Estimate {
        concurrency: 1.0,
        ..Estimate::default()
    }
}

fn given_law() -> Law {
    Law {
        target_wait: Duration::from_mins(5),
        startup: Law::STARTUP,
        concurrency: Some(10),
        message: Some(Duration::from_secs(1)),
        fifo_groups: None,
    }
}

#[test]
fn the_horizon_is_the_target_less_what_starting_takes() {
    let law = |seconds| Law {
        target_wait: Duration::from_secs(seconds),
        ..given_law()
    };
    for (target, horizon) in [(60, 30), (300, 216), (900, 768), (1, 1)] {
        assert_eq!(
            law(target).horizon(),
            Duration::from_secs(horizon),
            "{target}"
        );
    }
}

#[test]
fn silence_of_cloudwatch_changes_nothing_that_was_learned() {
    let policy = ScalingPolicy {
        law: Some(given_law()),
        ..ScalingPolicy::default()
    };
    let mut scaler = Scaler::new(policy);
    for _ in 0..200 {
        scaler = scaler.after(15);
        let law = scaler.poll((10, 2), &[]).law.unwrap();
        assert_eq!(law.estimate.message.unwrap().seconds, 1.0);
    }
}

#[test]
fn a_wrong_hint_is_unlearned_within_five_minutes_of_traffic() {
    let law = Law {
        message: Some(Duration::from_secs(4)),
        ..given_law()
    };
    let mut scaler = Scaler::new(ScalingPolicy {
        law: Some(law),
        ..ScalingPolicy::default()
    });
    let mut seconds = 0.0;
    for minute in 0..5_u64 {
        let from = scaler.now;
        for _ in 0..4 {
            // 20 in flight, 20 done per second: a second each.
            scaler.poll((100, 20), &[]);
            scaler = scaler.after(15);
        }
        let published = Minute {
            from,
            received: Some(1_200.0),
            deleted: Some(1_200.0),
            ..Minute::default()
        };
        let law = scaler.poll((100, 20), &[published]).law.unwrap();
        seconds = law.estimate.message.unwrap().seconds;
        assert!(minute > 0 || seconds < 1.1, "{seconds}");
    }
    assert!((seconds - 1.0).abs() < 0.02, "{seconds}");
}

#[test]
fn one_low_reading_is_not_believed_and_two_are() {
    let mut scaler = Scaler::new(ScalingPolicy {
        law: Some(given_law()),
        ..ScalingPolicy::default()
    });
    scaler.poll((1_000, 0), &[]);
    scaler = scaler.after(15);
    assert_eq!(
        scaler.poll((0, 0), &[]).law.unwrap().estimate.visible,
        500.0
    );
    scaler = scaler.after(15);
    let decision = scaler.poll((0, 0), &[]);
    assert_eq!(decision.law.unwrap().bound_by, LawTerm::Empty);
    assert!(!decision.is_active);
}
