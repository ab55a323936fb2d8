//! Runs that others recorded on real clusters: fifteen messages of ten minutes each on a ScaledObject. The
//! twin must do the same in kind: which setting loses work, and which does not.

use super::support::{at, given_dump, run};
use sluice::simulation::scenario::Scenario;

fn given_recorded() -> Scenario {
    let mut scenario = given_dump(15, at(600));
    scenario.object.polling_interval = at(10);
    scenario.horizon = at(7_200);
    scenario.visibility_timeout = at(60);
    scenario.cluster.startup = at(5);
    scenario.cluster.nodes = 2;
    scenario
}

/// Recorded where only waiting messages were counted: 18 pods killed at work for 15 messages, and the better
/// part of an hour for ten minutes of work.
#[test]
fn counting_only_what_waits_kills_pods_at_work_again_and_again() {
    let (outcome, seen) = run(&given_recorded(), "visible=1", 1);
    let hour = seen.iter().take_while(|view| view.now < at(3_600));
    let killed = hour.map(|view| view.killed_messages).max();
    assert!(killed.is_some_and(|killed| killed >= 15), "{killed:?}");
    assert!(outcome.redelivered_messages >= 15);
    assert!(
        outcome
            .drain_seconds
            .is_none_or(|seconds| seconds > 1_200.0)
    );
}

/// Recorded where messages in work were counted as well: 15 done, none killed.
#[test]
fn counting_what_is_in_work_kills_none() {
    for policy in ["queue-length=1", "sluice=1"] {
        let (outcome, _) = run(&given_recorded(), policy, 1);
        assert_eq!(outcome.done_messages, 15, "{policy}");
        assert_eq!(outcome.killed_messages, 0, "{policy}");
        assert!(outcome.drain_seconds.is_some_and(|seconds| seconds < 900.0));
    }
}

/// With a grace longer than the work even the wrong count kills none: what drains finishes.
#[test]
fn a_grace_longer_than_the_work_keeps_it_whatever_is_counted() {
    let mut scenario = given_recorded();
    scenario.cluster.grace = at(660);
    let (outcome, _) = run(&scenario, "visible=1", 1);
    assert_eq!((outcome.done_messages, outcome.killed_messages), (15, 0));
}
