//! The arithmetic of Kubernetes' autoscaler and of KEDA's executor, from their documentation and sources.

use std::time::Duration;

use sluice::simulation::{
    behavior::{Behavior, Limit},
    hpa::{Autoscaler, AutoscalerSettings, Bound, Metric},
    keda::{Executor, Fallback, ScaledObject},
};

use super::support::{at, changes, given_dump, run};

const SYNC: u64 = 15;

fn given_autoscaler(window: Duration, behavior: Option<Behavior>) -> Autoscaler {
    Autoscaler::new(AutoscalerSettings {
        downscale_window: window,
        behavior,
        ..AutoscalerSettings::default()
    })
}

/// `ceil(value / target)` outside of a tenth around the target, the current number within it.
#[test]
fn an_average_value_is_divided_and_rounded_up_but_for_the_tolerance() {
    for (value, target, current, replicas) in [
        (0.0, 5.0, 1, 1),
        (5.0, 5.0, 1, 1),
        (5.4, 5.0, 1, 1),
        (6.0, 5.0, 1, 2),
        (12.0, 5.0, 1, 3),
        (22.222, 6.111, 2, 4),
        (105.0, 5.0, 20, 20),
        (109.0, 5.0, 20, 20),
        (111.0, 5.0, 20, 23),
        (91.0, 5.0, 20, 20),
        (89.0, 5.0, 20, 18),
        (15.0, 5.0, 2, 3),
        (1_000_000.0, 5.0, 64, 100),
    ] {
        let mut autoscaler = given_autoscaler(Duration::ZERO, None);
        let found = autoscaler.sync(Metric { value, target }, current, at(0));
        assert_eq!(
            found.replicas, replicas,
            "{value} of {target} at {current}: {found:?}"
        );
    }
}

/// `max(2 x current, 4)` a sync: a hundred replicas about 90 s after the first.
#[test]
fn without_behavior_the_ramp_is_one_four_eight_and_so_on() {
    let mut autoscaler = given_autoscaler(at(300), None);
    let metric = Metric {
        value: 500.0,
        target: 5.0,
    };
    let mut current = 1;
    let ramp: Vec<u32> = (0..6)
        .map(|sync| {
            current = autoscaler.sync(metric, current, at(sync * SYNC)).replicas;
            current
        })
        .collect();
    assert_eq!(ramp, [4, 8, 16, 32, 64, 100]);
}

#[test]
fn a_user_behavior_takes_the_ramp_away() {
    let mut behavior = Behavior::default();
    behavior.up.limits = vec![Limit::percent(900, 15), Limit::pods(100, 15)];
    let mut autoscaler = given_autoscaler(at(300), Some(behavior));
    let metric = Metric {
        value: 500.0,
        target: 5.0,
    };
    assert_eq!(autoscaler.sync(metric, 1, at(0)).replicas, 100);
}

#[test]
fn the_highest_recommendation_of_five_minutes_holds_back_a_lower_one() {
    let mut autoscaler = given_autoscaler(at(300), None);
    let metric = |value| Metric { value, target: 5.0 };
    autoscaler.sync(metric(100.0), 20, at(0));
    for sync in 1..=20 {
        let found = autoscaler.sync(metric(5.0), 20, at(sync * SYNC));
        assert_eq!((found.replicas, found.bound_by), (20, Bound::Stabilization));
    }
    assert_eq!(autoscaler.sync(metric(5.0), 20, at(21 * SYNC)).replicas, 1);
}

/// Activation is to one replica, or the minimum, however much waits; the way down is straight.
#[test]
fn the_executor_wakes_the_minimum_and_sleeps_after_the_cooldown() {
    for (min_replicas, woken) in [(0, 1), (1, 1), (3, 3)] {
        let mut executor = Executor::new(ScaledObject {
            min_replicas,
            ..ScaledObject::default()
        });
        assert_eq!(executor.act(Some(true), 0, at(0)), Some(woken));
        assert_eq!(executor.act(Some(false), 40, at(299)), None);
        let slept = executor.act(Some(false), 40, at(300));
        assert_eq!(slept, (min_replicas == 0).then_some(0));
    }
}

#[test]
fn the_fallback_shows_so_many_replicas_after_the_threshold() {
    let mut executor = Executor::new(ScaledObject {
        fallback: Some(Fallback {
            failure_threshold: 3,
            replicas: 6,
        }),
        ..ScaledObject::default()
    });
    let shown: Vec<Option<f64>> = (0..5)
        .map(|_| executor.metric(None, 5.0).map(|metric| metric.value))
        .collect();
    assert_eq!(shown, [None, None, None, Some(30.0), Some(30.0)]);
}

/// The table of a system that this project replaces: five messages a replica, ten replicas at most.
#[test]
fn a_queue_of_n_messages_gets_a_replica_for_each_five() {
    for (messages, replicas) in [
        (0, 0),
        (1, 1),
        (5, 1),
        (6, 2),
        (10, 2),
        (11, 3),
        (15, 3),
        (46, 10),
        (50, 10),
        (80, 10),
    ] {
        let mut scenario = given_dump(messages, at(3_000));
        scenario.object.max_replicas = 10;
        scenario.object.polling_interval = at(15);
        scenario.horizon = at(300);
        scenario.work.concurrency = 5;
        let (outcome, _) = run(&scenario, "queue-length=5", 1);
        assert_eq!(outcome.replicas_max, replicas, "{messages} messages");
    }
}

/// Its timings: twelve messages are seen after 15 s and get three pods; 300 s after they were last seen, at
/// 45 s, there are none. The autoscaler's own window ends a moment before.
#[test]
fn twelve_messages_are_seen_worked_off_and_slept_after() {
    let mut scenario = given_dump(12, at(6));
    scenario.object.max_replicas = 10;
    scenario.object.polling_interval = at(15);
    let (outcome, seen) = run(&scenario, "queue-length=5", 1);
    assert_eq!(changes(&seen), [(15, 1), (22, 3), (337, 1), (345, 0)]);
    assert_eq!(outcome.done_messages, 12);
}
