//! Small worlds with results that can be worked out by hand, and what holds in every world.

#![allow(
    clippy::float_cmp,
    reason = "these worlds move in whole seconds, which are exact"
)]

use std::{ops::ControlFlow, time::Duration};

use proptest::prelude::*;

use super::{
    approximate::Fidelity,
    arrivals::Segment,
    cluster::Cluster,
    control::{Control, KedaLoop, ScalerSettings},
    hpa::AutoscalerSettings,
    keda::ScaledObject,
    outcome::Outcome,
    policy::Policy,
    scenario::{Flood, Scenario},
    work::{ServiceTime, Work},
    world::World,
};
use crate::scaling::{ScalingPolicy, Wakefulness};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// `messages` at once after 10 s; each takes 10 s; pods start at once and there is room for all.
fn given_scenario(messages: u64) -> Scenario {
    Scenario {
        name: "by hand".to_owned(),
        arrivals: vec![Segment {
            from: at(10),
            until: at(10),
            messages,
        }],
        flood: None,
        delay: Duration::ZERO,
        visibility_timeout: at(30),
        work: Work::undisturbed(ServiceTime::Constant(at(10)), 1),
        target_wait: at(60),
        horizon: at(1_000),
        fidelity: Fidelity::exact(),
        cluster: Cluster {
            startup: Duration::ZERO,
            nodes: 100,
            ..Cluster::default()
        },
        object: ScaledObject::default(),
        autoscaler: AutoscalerSettings::default(),
        scaler: ScalerSettings::sluice(),
        wakefulness: Wakefulness::default(),
        own: Vec::new(),
    }
}

fn given_keda(scenario: &Scenario, settings: ScalerSettings) -> Control {
    let (object, autoscaler) = (scenario.object.clone(), scenario.autoscaler.clone());
    let policy = ScalingPolicy::default();
    Control::Keda(Box::new(KedaLoop::new(
        policy, settings, object, autoscaler,
    )))
}

fn run(scenario: &Scenario, control: Control, seed: u64) -> Outcome {
    World::new(scenario, control, seed).run()
}

fn run_built_in(scenario: &Scenario, seed: u64) -> Outcome {
    let control = given_keda(scenario, ScalerSettings::built_in());
    run(scenario, control, seed)
}

/// Six messages, one after the other, on one pod: they wait 0, 10, ... 50 s.
#[test]
fn one_pod_works_off_one_message_after_the_other() {
    let outcome = run(&given_scenario(6), Control::Fixed(1), 1);
    assert_eq!((outcome.done_messages, outcome.left_messages), (6, 0));
    assert_eq!((outcome.wait_seconds_max, outcome.late_share), (50.0, 0.0));
    assert_eq!(outcome.drain_seconds, Some(60.0));
    assert_eq!(outcome.bound_pod_hours, 60.0 / 3600.0);
    assert_eq!(outcome.pod_hours, 1_000.0 / 3600.0);
}

#[test]
fn slots_of_a_pod_work_side_by_side() {
    let mut scenario = given_scenario(6);
    scenario.work.concurrency = 3;
    let outcome = run(&scenario, Control::Fixed(1), 1);
    assert_eq!(outcome.drain_seconds, Some(20.0));
}

/// The poll at 30 s wakes one, the cooldown ends 300 s after the poll that last saw a message.
#[test]
fn a_message_wakes_a_pod_at_the_next_poll_and_it_sleeps_after_the_cooldown() {
    let outcome = run_built_in(&given_scenario(1), 1);
    assert_eq!(outcome.first_message_seconds, Some(20.0));
    assert_eq!((outcome.replica_changes, outcome.replicas_max), (2, 1));
    assert_eq!(outcome.pod_hours, 300.0 / 3600.0);
    assert_eq!(outcome.false_activations, 0);
}

#[test]
fn a_push_wakes_it_within_a_second_of_the_cache() {
    let scenario = given_scenario(1);
    let control = given_keda(&scenario, ScalerSettings::sluice());
    let outcome = run(&scenario, control, 1);
    assert!(
        outcome
            .first_message_seconds
            .is_some_and(|seconds| seconds <= 5.0)
    );
}

/// 40 messages at 5 a replica: one at the poll, 4 at the next sync, then 8.
#[test]
fn the_autoscaler_goes_from_one_over_four_to_eight() {
    let mut scenario = given_scenario(40);
    scenario.work = Work::undisturbed(ServiceTime::Constant(at(100)), 1);
    let outcome = run_built_in(&scenario, 1);
    assert_eq!(outcome.replicas_max, 8);
    assert_eq!(outcome.starts, 8);
    assert_eq!(outcome.first_message_seconds, Some(20.0));
}

#[test]
fn a_pod_that_is_killed_at_work_loses_its_message_until_the_timeout() {
    let mut scenario = given_scenario(1);
    scenario.work = Work::undisturbed(ServiceTime::Constant(at(400)), 1);
    scenario.object.cooldown = at(60);
    let counted = ScalingPolicy {
        scale_on_in_flight: false,
        ..ScalingPolicy::default()
    };
    let keda = KedaLoop::new(
        counted,
        ScalerSettings::built_in(),
        scenario.object.clone(),
        scenario.autoscaler.clone(),
    );
    let outcome = run(&scenario, Control::Keda(Box::new(keda)), 1);
    assert!(outcome.killed_messages >= 1 && outcome.redelivered_messages >= 1);
    assert_eq!(outcome.done_messages + outcome.left_messages, 1);
}

#[test]
fn poison_ends_in_the_dead_letter_queue() {
    let mut scenario = given_scenario(10);
    scenario.work.poison_share = 1.0;
    scenario.work.receives_max = 3;
    let outcome = run_built_in(&scenario, 1);
    assert_eq!((outcome.dead_messages, outcome.done_messages), (10, 0));
    assert_eq!(outcome.redelivered_messages, 20);
}

#[test]
fn an_outage_of_sqs_scales_nothing_to_zero() {
    let mut scenario = given_scenario(200);
    scenario.work = Work::undisturbed(ServiceTime::Constant(at(30)), 1);
    scenario.fidelity.outage = Some(at(60)..at(900));
    let outcome = run_built_in(&scenario, 1);
    assert_eq!((outcome.done_messages, outcome.killed_messages), (200, 0));
}

#[test]
fn a_delayed_cliff_is_receivable_all_at_once() {
    let mut scenario = given_scenario(5);
    scenario.delay = at(100);
    let outcome = run(&scenario, Control::Fixed(5), 1);
    assert_eq!(
        (outcome.wait_seconds_max, outcome.drain_seconds),
        (0.0, Some(110.0))
    );
}

#[test]
fn groups_bound_what_is_in_work() {
    let mut scenario = given_scenario(6);
    scenario.work.groups = Some(2);
    let outcome = run(&scenario, Control::Fixed(6), 1);
    assert_eq!(outcome.drain_seconds, Some(30.0));
}

#[test]
fn a_backlog_that_nobody_works_off_is_late_and_left() {
    let outcome = run(&given_scenario(3), Control::Fixed(0), 1);
    assert_eq!((outcome.left_messages, outcome.late_share), (3, 1.0));
    assert_eq!(
        (outcome.first_message_seconds, outcome.drain_seconds),
        (None, None)
    );
}

/// Received at once, but worked off one after the other, by each of two pods.
#[test]
fn what_is_prefetched_waits_within_the_pod() {
    let mut scenario = given_scenario(6);
    scenario.work.prefetch = 2;
    let outcome = run(&scenario, Control::Fixed(2), 1);
    assert_eq!(
        (outcome.wait_seconds_max, outcome.drain_seconds),
        (0.0, Some(30.0))
    );
}

#[test]
fn a_handler_that_resets_visibility_tries_again_at_once() {
    let mut scenario = given_scenario(1);
    scenario.work.outage = Some(at(0)..at(35));
    for (resets_visibility, drained) in [(true, 40.0), (false, 50.0)] {
        scenario.work.resets_visibility = resets_visibility;
        let outcome = run(&scenario, Control::Fixed(1), 1);
        assert_eq!(outcome.drain_seconds, Some(drained));
    }
}

#[test]
fn whoever_watches_sees_every_step_and_may_break_the_run_off() {
    let scenario = given_scenario(6);
    let mut waits = Vec::new();
    let world = World::new(&scenario, Control::Fixed(1), 1);
    let outcome = world.watched(|view| {
        waits.push(view.oldest_wait);
        ControlFlow::Continue(())
    });
    let outcome = outcome.map(|(outcome, _)| outcome);
    assert_eq!(outcome, Some(run(&scenario, Control::Fixed(1), 1)));
    // The last message is taken in the step that ends its 50 s.
    assert_eq!(waits.iter().max(), Some(&at(49)));
    let mut last = Duration::ZERO;
    let world = World::new(&scenario, Control::Fixed(1), 1);
    let broken_off = world.watched(|view| {
        last = view.now;
        if view.totals.deleted >= 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((broken_off, last), (None, at(30)));
}

#[test]
fn a_pod_that_is_killed_loses_all_its_messages() {
    let mut scenario = given_scenario(12);
    scenario.work = Work::undisturbed(ServiceTime::Constant(at(5_000)), 2);
    let mut killed = 0;
    let policy = ScalingPolicy {
        scale_on_in_flight: false,
        ..ScalingPolicy::default()
    };
    let (object, autoscaler) = (scenario.object.clone(), scenario.autoscaler.clone());
    let keda = KedaLoop::new(policy, ScalerSettings::built_in(), object, autoscaler);
    let world = World::new(&scenario, Control::Keda(Box::new(keda)), 1);
    world.watched(|view| {
        killed = view.killed_messages;
        assert!(view.held_messages <= u64::from(2 * view.placed));
        if killed > 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(killed, 2);
}

/// A world in which everything that can happen does.
fn given_busy_scenario(messages: u64, service_seconds: u64) -> Scenario {
    let service_time = ServiceTime::Lognormal {
        mean: at(service_seconds),
        sigma: 1.0,
    };
    Scenario {
        arrivals: vec![
            Segment {
                from: at(0),
                until: at(300),
                messages,
            },
            Segment {
                from: at(600),
                until: at(600),
                messages,
            },
        ],
        work: Work {
            poison_share: 0.05,
            receives_max: 4,
            outage: Some(at(100)..at(160)),
            ..Work::undisturbed(service_time, 2)
        },
        fidelity: Fidelity::poor(),
        cluster: Cluster {
            nodes: 1,
            pods_per_node: 4,
            ..Cluster::default()
        },
        object: ScaledObject {
            cooldown: at(45),
            max_replicas: 20,
            ..ScaledObject::default()
        },
        ..given_scenario(0)
    }
}

/// Fewer than usual, because each is a whole run; as many as `PROPTEST_CASES` says where it says so.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() {
        usual
    } else {
        ProptestConfig { cases: 48, ..usual }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_message_is_accounted_for(seed: u64, messages in 0_u64..300, seconds in 1_u64..120) {
        let outcome = run_built_in(&given_busy_scenario(messages, seconds), seed);
        prop_assert_eq!(outcome.sent_messages, 2 * messages);
        let accounted = outcome.done_messages + outcome.dead_messages + outcome.left_messages;
        prop_assert_eq!(accounted, outcome.sent_messages);
        prop_assert_eq!(outcome.left_messages, 0);
        prop_assert!(outcome.replicas_max <= 20);
        prop_assert!(outcome.pod_hours.is_finite() && outcome.pod_hours >= outcome.bound_pod_hours);
    }

    #[test]
    fn every_message_of_a_flood_is_accounted_for(seed: u64, messages in 0_u64..300) {
        let mut scenario = given_busy_scenario(messages, 5);
        let arrivals = vec![Segment { from: at(200), until: at(400), messages: 3 * messages }];
        scenario.flood = Some(Flood { arrivals, noisy_wait: at(600) });
        let outcome = run_built_in(&scenario, seed);
        prop_assert_eq!(outcome.sent_messages, 5 * messages);
        let accounted = outcome.done_messages + outcome.dead_messages + outcome.left_messages;
        prop_assert_eq!(accounted, outcome.sent_messages);
        prop_assert_eq!(outcome.left_messages, 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_run(seed: u64) {
        let scenario = given_busy_scenario(200, 5);
        prop_assert_eq!(run_built_in(&scenario, seed), run_built_in(&scenario, seed));
    }
}

/// It leaves a change within 10 % undone: 10 replicas stay where 10.9 are needed, and what waits then grows until
/// the law wants more than that.
#[test]
fn the_autoscalers_dead_band_makes_nobody_late_by_a_tenth_of_the_target() {
    for per_ten_minutes in [6_300, 6_540, 12_900] {
        let mut scenario = given_scenario(0);
        scenario.arrivals = (0..12)
            .map(|ten| Segment {
                from: at(600 * ten),
                until: at(600 * (ten + 1)),
                messages: if ten < 2 { 6_000 } else { per_ten_minutes },
            })
            .collect();
        scenario.work = Work::undisturbed(ServiceTime::Constant(at(1)), 1);
        scenario.horizon = at(7_200);
        let policy: Policy = "target-wait".parse().unwrap();
        let control = policy.control(&scenario).unwrap();
        let outcome = World::new(&scenario, control, 1).run();
        assert_eq!(outcome.left_messages, 0, "{per_ten_minutes}");
        let most = scenario.target_wait.as_secs_f64() * 1.1;
        assert!(outcome.wait_seconds_max < most, "{outcome:?}");
    }
}
