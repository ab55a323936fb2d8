//! Hints that are wrong, and a cluster that has no room: what the law makes of them.

use super::support::{at, run};
use sluice::simulation::{outcome::Outcome, scenario::Scenario, workloads};

/// Of a hundred messages at most one is later than the target, and none is left.
fn is_kept(outcome: &Outcome) -> bool {
    outcome.late_share <= 0.01 && outcome.left_messages == 0
}

fn given(workload: &str) -> Scenario {
    workloads::canonical(workload).expect("a canonical workload")
}

#[test]
fn a_concurrency_that_says_twice_too_much_loses_no_steady_target() {
    for workload in ["steady", "ramp", "step"] {
        let (outcome, _) = run(&given(workload), "target-wait=concurrency:200", 1);
        assert!(
            is_kept(&outcome),
            "{} late of {workload}",
            outcome.late_share
        );
    }
}

/// The step, on a node that holds four pods where five are needed, until others come after an hour.
#[test]
fn a_shortage_of_nodes_makes_a_right_hint_no_dearer_than_ready_replicas_that_are_read() {
    let mut scenario = given("step");
    scenario.cluster.nodes = 1;
    scenario.cluster.pods_per_node = 4;
    scenario.cluster.node_startup_min = at(3_600);
    scenario.cluster.node_startup_max = at(3_600);
    let hours = |policy| {
        let (outcome, _) = run(&scenario, policy, 1);
        assert_eq!(outcome.left_messages, 0, "{policy}");
        outcome.pod_hours
    };
    let (told, read) = (
        hours("target-wait"),
        hours("target-wait=kubernetes,concurrency:100"),
    );
    assert!(told <= 1.1 * read, "{told} beside {read}");
}
