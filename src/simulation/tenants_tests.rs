//! One tenant that floods a fair queue, in closed loop: what the others wait, what the flood waits, and what
//! it costs.

use std::time::Duration;

use super::{
    outcome::{Outcome, Tenants},
    policy::Policy,
    scenario::{Flood, Scenario},
    workloads,
    world::World,
};

/// At most so many of a hundred may be late.
const LATE_SHARE_MAX: f64 = 0.01;

fn given_tenants() -> Scenario {
    workloads::canonical("tenants").unwrap()
}

fn run(scenario: &Scenario, policy: &str) -> Outcome {
    let policy: Policy = policy.parse().unwrap();
    let control = policy.control(scenario).unwrap();
    World::new(scenario, control, 1).run()
}

fn tenants(outcome: &Outcome) -> Tenants {
    outcome.tenants.unwrap()
}

#[test]
fn a_flood_of_nothing_changes_nothing() {
    let scenario = workloads::canonical("noisy-step").unwrap();
    let mut flooded = scenario.clone();
    flooded.flood = Some(Flood {
        arrivals: Vec::new(),
        noisy_wait: Duration::from_hours(1),
    });
    for policy in ["queue-length=5", "target-wait"] {
        let without = run(&scenario, policy);
        assert_eq!(without.tenants, None);
        let with = run(&flooded, policy);
        let ordinary = tenants(&with).ordinary.wait_seconds_p99.to_bits();
        assert_eq!(ordinary, without.wait_seconds_p99.to_bits());
        let with = Outcome {
            tenants: None,
            ..with
        };
        assert_eq!(with, without, "{policy}");
    }
}

#[test]
fn every_message_of_every_tenant_is_sent_and_done() {
    let scenario = given_tenants();
    let outcome = run(&scenario, "fixed=12");
    assert_eq!(scenario.messages(), 5 * 180 * 60 + 60_000);
    assert_eq!(outcome.sent_messages, scenario.messages());
    assert_eq!(
        (outcome.done_messages, outcome.left_messages),
        (scenario.messages(), 0)
    );
}

/// With room for few pods a backlog of the flood stands for an hour, and the others pass it.
#[test]
fn ordinary_messages_wait_less_than_those_of_the_flood() {
    let mut scenario = given_tenants();
    scenario.object.max_replicas = 9;
    let outcome = run(&scenario, "queue-length=5");
    let Tenants { ordinary, flood } = tenants(&outcome);
    assert!(ordinary.wait_seconds_p99 < flood.wait_seconds_p50);
    assert!(ordinary.wait_seconds_max < flood.wait_seconds_max);
    assert!(ordinary.late_share <= LATE_SHARE_MAX, "{ordinary:?}");
}

#[test]
fn a_law_that_tells_groups_apart_asks_for_more_metrics() {
    let metrics = |policy| run(&given_tenants(), policy).cloudwatch_metrics;
    assert!(metrics("target-wait=noisy") > metrics("target-wait"));
}

#[test]
fn a_law_that_lets_noisy_groups_wait_keeps_both_targets_for_less() {
    let scenario = given_tenants();
    let told = run(&scenario, "target-wait=noisy");
    let Tenants { ordinary, flood } = tenants(&told);
    assert!(ordinary.late_share <= LATE_SHARE_MAX, "{ordinary:?}");
    assert!(flood.late_share <= LATE_SHARE_MAX, "{flood:?}");
    let untold = run(&scenario, "target-wait");
    assert!(
        told.pod_hours < untold.pod_hours,
        "{} of {}",
        told.pod_hours,
        untold.pod_hours
    );
}
