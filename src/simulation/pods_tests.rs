//! Pods and nodes on a small cluster, second by second.

#![allow(clippy::float_cmp, reason = "pods are charged in whole seconds here")]

use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const WORKERS: Workers = Workers {
    concurrency: 1,
    prefetch: 0,
};

/// Room for four pods, 10 s to start, a minute for a node, 30 s of grace.
fn given_pods() -> Pods {
    let cluster = Cluster {
        startup: at(10),
        pods_per_node: 2,
        nodes: 2,
        node_startup_min: at(60),
        node_startup_max: at(60),
        ..Cluster::default()
    };
    Pods::new(cluster, WORKERS, 1)
}

#[test]
fn a_pod_works_after_its_start_up_and_is_paid_for_from_its_place() {
    let mut pods = given_pods();
    pods.scale_to(2, at(0));
    pods.advance(at(9));
    assert_eq!((pods.ready(), pods.has_slot()), (0, false));
    pods.advance(at(10));
    assert_eq!(pods.ready(), 2);
    assert_eq!(pods.totals(at(30)).pod_seconds, 60.0);
}

#[test]
fn pods_without_room_wait_for_a_node() {
    let mut pods = given_pods();
    pods.scale_to(5, at(0));
    pods.advance(at(59));
    assert_eq!((pods.placed, pods.ready()), (4, 4));
    pods.advance(at(60));
    pods.advance(at(70));
    assert_eq!((pods.placed, pods.ready()), (5, 5));
    assert_eq!(pods.nodes, 3);
    pods.scale_to(0, at(100));
    pods.advance(at(400));
    assert_eq!(pods.nodes, 2);
}

#[test]
fn a_pod_that_is_asked_to_stop_finishes_its_message() {
    let mut pods = given_pods();
    pods.scale_to(1, at(0));
    pods.advance(at(10));
    let pod = pods.take_slot().unwrap();
    pods.scale_to(0, at(20));
    assert_eq!((pods.replicas(), pods.placed), (0, 1));
    pods.release_slot(pod, at(40));
    assert_eq!(pods.placed, 0);
    assert!(pods.advance(at(100)).is_empty());
    assert_eq!(pods.totals(at(100)).pod_seconds, 40.0);
}

#[test]
fn a_pod_that_outstays_its_grace_is_killed() {
    let mut pods = given_pods();
    pods.scale_to(1, at(0));
    pods.advance(at(10));
    let pod = pods.take_slot().unwrap();
    pods.scale_to(0, at(20));
    assert!(pods.advance(at(49)).is_empty());
    assert_eq!(pods.advance(at(50)), [pod]);
    assert_eq!(pods.totals(at(50)).killed_pods, 1);
}

#[test]
fn a_pod_that_never_worked_was_a_wasted_start() {
    let mut pods = given_pods();
    pods.scale_to(2, at(0));
    pods.advance(at(10));
    pods.take_slot();
    pods.scale_to(0, at(20));
    assert_eq!(pods.totals(at(20)).wasted_starts, 1);
}
