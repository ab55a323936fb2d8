//! The invariants of the law, for any history of a queue.

use std::time::Duration;

use proptest::prelude::*;

use super::histories::{Scaler, laws, policies, replicas, steps, warmed};
use crate::scaling::{
    Law, Minute, ScalingDecision, ScalingPolicy, decide, observation::count_as_f64,
};

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
        let fewer = scaler.would_say((visible, in_flight));
        for counts in [(visible + more, in_flight), (visible, in_flight + more)] {
            let answer = scaler.would_say(counts);
            // A message more may make the first fall of the counts too small to tell how long work takes, and
            // then less is asked for than once that is known.
            let is_known = |decision: &ScalingDecision| decision.law.unwrap().estimate.message.is_some();
            let is_comparable = is_known(&answer) || !is_known(&fewer);
            prop_assert!(!is_comparable || replicas(&answer) >= replicas(&fewer) - 1e-9);
        }
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

    /// Invariant 7, of the estimators and of the law: work that fails for minutes after any history.
    #[test]
    fn a_stall_never_raises_the_answer_above_what_was_asked_before(
        law in laws(), steps in steps(), received in 500_u32..2_000,
        counts in (0_i64..10_000_000, 0_i64..500),
    ) {
        let mut scaler = warmed(ScalingPolicy { law: Some(law), ..ScalingPolicy::default() }, &steps);
        let mut is_stalled = false;
        for minute in 0..8 {
            for _ in 0..4 {
                let asked_before = scaler.most_asked.max(1.0);
                let decision = scaler.poll(counts, &[]);
                is_stalled = decision.law.unwrap().estimate.stalled_at.is_some();
                prop_assert!(!is_stalled || replicas(&decision) <= asked_before + 1e-9);
                scaler = scaler.after(15);
            }
            let failed = Minute {
                // Later than any minute of the history.
                from: scaler.now + Duration::from_hours(1) + Minute::LENGTH * minute,
                received: Some(f64::from(received)),
                deleted: Some(0.0),
                ..Minute::default()
            };
            scaler.poll(counts, &[failed]);
            scaler = scaler.after(1);
        }
        prop_assert!(is_stalled, "eight minutes of failure were not noticed");
    }

    #[test]
    fn the_same_history_gives_the_same_answer(
        policy in policies(), steps in steps(), counts in (0_i64..1_000, 0_i64..100),
    ) {
        let answer = || warmed(policy, &steps).would_say(counts);
        prop_assert_eq!(answer(), answer());
    }

    #[test]
    fn a_decision_is_replayed_from_its_record(
        policy in policies(), steps in steps(), counts in (0_i64..1_000, 0_i64..100),
    ) {
        let decision = warmed(policy, &steps).would_say(counts);
        let estimate = decision.law.map(|law| law.estimate);
        prop_assert_eq!(decide(&decision.policy, &decision.backlog, estimate.as_ref()), decision);
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

    /// As much waits as in the long run, what arrives within the horizon but for the half that is served at once;
    /// twenty minutes of polls and of CloudWatch's minutes are all that is known.
    #[test]
    fn in_the_steady_state_it_is_the_work_that_arrives(
        slots in 100.0_f64..2_000.0, seconds in 0.05_f64..20.0, target in 120.0_f64..2_000.0,
    ) {
        let law = Law {
            target_wait: Duration::from_secs_f64(target),
            startup: Law::STARTUP,
            concurrency: Some(4),
            message: None,
            fifo_groups: None,
            noisy_wait: None,
        };
        let rate = slots / seconds;
        let horizons = law.horizons();
        let waits = horizons.started.as_secs_f64() - 0.5 * horizons.starting.as_secs_f64();
        let counts = (whole(rate * waits), whole(slots));
        let mut scaler = Scaler::new(ScalingPolicy { law: Some(law), ..ScalingPolicy::default() });
        let mut answer = 0.0;
        for poll in 0..80_u64 {
            let published = (poll % 4 == 3).then(|| Minute {
                from: scaler.now.saturating_sub(Minute::LENGTH),
                received: Some(rate * 60.0),
                deleted: Some(rate * 60.0),
                ..Minute::default()
            });
            answer = scaler.poll(counts, published.as_slice()).law.unwrap().needed;
            scaler = scaler.after(15);
        }
        let wanted = slots / 4.0;
        prop_assert!((answer / wanted - 1.0).abs() < 0.02, "{answer} for {wanted}");
    }

    #[test]
    fn silence_of_cloudwatch_changes_nothing(
        policy in policies(), steps in steps(), counts in (1_i64..10_000, 1_i64..500),
    ) {
        let law = policy.law.unwrap();
        let law = Law { message: law.message.or(Some(Duration::from_secs(3))), ..law };
        let mut scaler = warmed(ScalingPolicy { law: Some(law), ..policy }, &steps);
        let learned = scaler.would_say(counts).law.unwrap().estimate.message;
        for _ in 0..200 {
            let decision = scaler.poll(counts, &[]);
            prop_assert_eq!(decision.law.unwrap().estimate.message, learned);
            scaler = scaler.after(15);
        }
    }

    /// Invariant 1 where CloudWatch says nonsense.
    #[test]
    fn no_minute_of_any_numbers_makes_an_answer_infinite_or_zero(
        policy in policies(), steps in steps(),
        minutes in proptest::collection::vec(any_minute(), 1..8),
        counts in (1_i64..10_000, 0_i64..500),
    ) {
        let mut scaler = warmed(policy, &steps);
        for (index, minute) in (0..).zip(&minutes) {
            let minute = Minute { from: scaler.now + Minute::LENGTH * index, ..*minute };
            let decision = scaler.poll(counts, &[minute]);
            scaler = scaler.after(15);
            prop_assert!(replicas(&decision).is_finite() && replicas(&decision) > 0.0, "{decision:?}");
        }
    }
}

fn whole(number: f64) -> i64 {
    format!("{number:.0}").parse().unwrap()
}

fn any_minute() -> impl Strategy<Value = Minute> {
    let number = || {
        let chosen = prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-5.0), Just(1e12)];
        proptest::option::of(prop_oneof![chosen, 0.0..1_000.0, any::<f64>()])
    };
    let age = proptest::option::of((0_u64..u64::MAX).prop_map(Duration::from_secs));
    (number(), number(), number(), number(), age).prop_map(
        |(received, deleted, sent, groups_in_flight, oldest_age)| Minute {
            sent,
            received,
            deleted,
            oldest_age,
            groups_in_flight,
            ..Minute::default()
        },
    )
}

/// Once found by chance: half of the arrivals of two minutes, and a count below zero.
#[test]
fn a_count_below_zero_beside_one_message_in_flight_is_work() {
    let law = Law {
        target_wait: Duration::from_secs(10),
        startup: Duration::ZERO,
        concurrency: None,
        message: None,
        fifo_groups: None,
        noisy_wait: None,
    };
    let policy = ScalingPolicy {
        law: Some(law),
        queue_length: 1,
        ..ScalingPolicy::default()
    };
    let decision = warmed(policy, &[]).would_say((-4_890_523_804_198_538_726, 1));
    assert!(decision.is_active && decision.metric_value > 0.0);
}
