//! Every key of a scenario, and each kind of value that is refused.

use std::time::Duration;

use super::*;
use crate::simulation::{work::ServiceTime, workloads};

const FILE: &str = r#"name = "orders, last week"
workload = "steady"
target_wait_seconds = 120
policies = ["sluice=20", "queue-length=5"]
seed = 3
seeds = 2
delay_seconds = 10
visibility_timeout_seconds = 60

[work]
message_seconds = 0.5
spread = "lognormal:0.8"
concurrency = 4
poison_share = 0.01
max_receive_count = 5
outage_seconds = [600, 900]
slower_from_seconds = 1200
slower_factor = 1.5
saturates_above = 200
prefetch = 8
hangs_for_seconds = 30
resets_visibility = true
groups = 16

[cluster]
startup_seconds = 20
nodes = 3
node_startup_seconds = [30, 60]

[object]
pollingInterval = 10
minReplicaCount = 1
maxReplicaCount = 50
fallback = { failureThreshold = 3, replicas = 5 }
advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds = 60

[scaler]
push_interval_seconds = 0

[counts]
fidelity = "poor"
zero_share = 0.1
outage_seconds = [100, 200]
"#;

fn given_error(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    parse("s.toml", &FILE.replace(from, to))
        .unwrap_err()
        .to_string()
}

#[test]
fn all_of_a_scenario_is_read() {
    let file = parse("s.toml", FILE).unwrap();
    let names: Vec<String> = file.policies.iter().map(Policy::to_string).collect();
    assert_eq!(names, ["sluice=20", "queue-length=5"]);
    assert_eq!((file.seed, file.seeds), (Some(3), Some(2)));
    let mut scenario = workloads::canonical("steady").unwrap();
    file.apply(&mut scenario);
    let at = Duration::from_secs;
    assert_eq!(scenario.name, "orders, last week");
    assert_eq!((scenario.target_wait, scenario.delay), (at(120), at(10)));
    let work = &scenario.work;
    let expected = ServiceTime::Lognormal {
        mean: Duration::from_millis(500),
        sigma: 0.8,
    };
    assert_eq!((work.service_time, work.concurrency), (expected, 4));
    assert_eq!(
        (work.outage.clone(), work.groups),
        (Some(at(600)..at(900)), Some(16))
    );
    assert_eq!(work.slower_from, Some((at(1_200), 1.5)));
    assert_eq!((work.prefetch, work.hangs_for), (8, Some(at(30))));
    let cluster = &scenario.cluster;
    assert_eq!(
        (cluster.startup, cluster.node_startup_max),
        (at(20), at(60))
    );
    assert_eq!(
        (
            scenario.object.polling_interval,
            scenario.object.max_replicas
        ),
        (at(10), 50)
    );
    let behavior = scenario.autoscaler.behavior.unwrap();
    assert_eq!(behavior.down.stabilization_window, at(60));
    assert_eq!(scenario.scaler.push_interval, None);
    assert_eq!(
        (scenario.fidelity.staleness, scenario.fidelity.outage),
        (at(30), Some(at(100)..at(200)))
    );
}

#[test]
fn an_empty_file_changes_nothing() {
    let mut scenario = workloads::canonical("burst").unwrap();
    let before = format!("{scenario:?}");
    parse("s.toml", "").unwrap().apply(&mut scenario);
    assert_eq!(format!("{scenario:?}"), before);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let table = [
        ("seed = 3", "sed = 3", "s.toml:5:1: ", "sed"),
        ("seed = 3", "seed = -3", "s.toml:5:8: ", "-3"),
        (
            "\"queue-length=5\"",
            "\"magic\"",
            "s.toml:4:12: ",
            "found \"magic\"",
        ),
        (
            "message_seconds = 0.5",
            "message_seconds = 0",
            "s.toml:11:19: ",
            "0.001",
        ),
        (
            "lognormal:0.8",
            "normal",
            "s.toml:12:10: ",
            "found \"normal\"",
        ),
        (
            "[600, 900]",
            "[900, 600]",
            "s.toml:16:18: ",
            "in their order",
        ),
        ("slower_factor = 1.5\n", "", "s.toml:17:1: ", "together"),
        (
            "pollingInterval",
            "polling_interval",
            "s.toml:31:1: ",
            "polling_interval",
        ),
        (
            "minReplicaCount = 1",
            "minReplicaCount = 60",
            "s.toml:30:1: ",
            "below minReplicaCount 60",
        ),
        ("\"poor\"", "\"bad\"", "s.toml:41:12: ", "found \"bad\""),
        ("nodes = 3", "nodes = ", "s.toml:27:", ""),
    ];
    for (from, to, start, part) in table {
        let error = given_error(from, to);
        assert!(
            error.starts_with(start) && error.contains(part),
            "{to}: {error}"
        );
    }
}

#[test]
fn the_scenario_of_the_readme_is_one() {
    let readme = include_str!("../../README.md");
    let (_, after) = readme.split_once("```toml\n").unwrap();
    let (text, _) = after.split_once("```").unwrap();
    let file = parse("README.md", text).unwrap();
    assert_eq!(file.policies.len(), 3);
}
