//! The tables of Kubernetes' own arithmetic, with and without `behavior`.

use super::{super::behavior::Limit, *};

fn given_autoscaler(max_replicas: u32, behavior: Option<Behavior>) -> Autoscaler {
    Autoscaler::new(AutoscalerSettings {
        max_replicas,
        behavior,
        ..AutoscalerSettings::default()
    })
}

fn given_ramp(autoscaler: &mut Autoscaler, value: f64, syncs: u64) -> Vec<u32> {
    let mut current = 1;
    (0..syncs)
        .map(|sync| {
            current = autoscaler
                .sync(messages(value), current, at(15 * sync))
                .replicas;
            current
        })
        .collect()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So many messages, five for each replica.
fn messages(value: f64) -> Metric {
    Metric { value, target: 5.0 }
}

#[test]
fn without_behavior_a_hundred_replicas_take_six_syncs() {
    let ramp = given_ramp(&mut given_autoscaler(100, None), 1_000.0, 6);
    assert_eq!(ramp, [4, 8, 16, 32, 64, 100]);
}

#[test]
fn a_metric_near_its_target_changes_nothing() {
    let sync = given_autoscaler(100, None).sync(messages(105.0), 20, at(0));
    assert_eq!(
        sync,
        Sync {
            replicas: 20,
            wanted: 20,
            bound_by: Bound::Tolerance
        }
    );
}

#[test]
fn scaling_down_waits_for_the_stabilisation_window() {
    let mut autoscaler = given_autoscaler(100, None);
    assert_eq!(autoscaler.sync(messages(50.0), 10, at(0)).replicas, 10);
    let held = autoscaler.sync(messages(0.0), 10, at(299));
    assert_eq!(
        held,
        Sync {
            replicas: 10,
            wanted: 0,
            bound_by: Bound::Stabilization
        }
    );
    assert_eq!(autoscaler.sync(messages(0.0), 10, at(301)).replicas, 1);
}

#[test]
fn the_maximum_holds() {
    let sync = given_autoscaler(10, None).sync(messages(1e12), 8, at(0));
    assert_eq!(
        sync,
        Sync {
            replicas: 10,
            wanted: u32::MAX,
            bound_by: Bound::MaxReplicas
        }
    );
}

#[test]
fn eight_replicas_are_reached_by_way_of_four() {
    let ramp = given_ramp(&mut given_autoscaler(100, None), 40.0, 3);
    assert_eq!(ramp, [4, 8, 8]);
}

#[test]
fn the_default_behavior_adds_four_or_doubles() {
    let mut autoscaler = given_autoscaler(100, Some(Behavior::default()));
    let ramp = given_ramp(&mut autoscaler, 1_000.0, 6);
    assert_eq!(ramp, [5, 10, 20, 40, 80, 100]);
}

#[test]
fn a_behavior_of_many_pods_goes_up_in_one_step() {
    let mut behavior = Behavior::default();
    behavior.up.limits = vec![Limit::pods(200, 15)];
    let mut autoscaler = given_autoscaler(100, Some(behavior));
    assert_eq!(given_ramp(&mut autoscaler, 400.0, 1), [80]);
}

#[test]
fn a_window_for_scaling_up_waits_until_more_is_wanted_throughout() {
    let mut behavior = Behavior::default();
    behavior.up.stabilization_window = Duration::from_secs(30);
    let mut autoscaler = given_autoscaler(100, Some(behavior));
    assert_eq!(autoscaler.sync(messages(10.0), 2, at(0)).replicas, 2);
    assert_eq!(autoscaler.sync(messages(50.0), 2, at(15)).replicas, 2);
    assert_eq!(autoscaler.sync(messages(50.0), 2, at(45)).replicas, 6);
}

#[test]
fn scaling_down_goes_in_the_steps_that_behavior_allows() {
    let mut behavior = Behavior::default();
    behavior.down.stabilization_window = Duration::ZERO;
    behavior.down.limits = vec![Limit::pods(2, 60)];
    let mut autoscaler = given_autoscaler(100, Some(behavior));
    let mut down = Vec::new();
    let mut current = 10;
    for seconds in [0, 15, 45, 60] {
        current = autoscaler
            .sync(messages(5.0), current, at(seconds))
            .replicas;
        down.push(current);
    }
    assert_eq!(down, [8, 8, 8, 6]);
}

#[test]
fn a_tolerance_of_nothing_follows_every_change() {
    let mut autoscaler = Autoscaler::new(AutoscalerSettings {
        tolerance: 0.0,
        ..AutoscalerSettings::default()
    });
    assert_eq!(autoscaler.sync(messages(105.0), 20, at(0)).replicas, 21);
}
