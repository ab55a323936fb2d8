//! The same question in the digital twin: requests and dollars of a scaler beside how long messages
//! waited and what the pods cost, so that nobody saves a cent on requests and pays it in minutes.

use std::{ops::ControlFlow, time::Duration};

use sluice::simulation::{compare::watch, outcome::Outcome, policy::Policy, workloads};

const WORKLOADS: [&str; 3] = ["steady", "burst", "trickle"];
const SEED: u64 = 1;
const DAYS_A_MONTH: f64 = 30.0;
const SECONDS_A_DAY: f64 = 86_400.0;

/// How a trigger is set: how long an observation serves, and how often a push looks, if it does.
type Arm = (&'static str, Policy, Option<(u64, Option<u64>)>);

pub(crate) fn twin() {
    let plain = Policy::QueueLength {
        messages: 5,
        in_flight: true,
    };
    let ours = Policy::Sluice { messages: 5 };
    let arms: [Arm; 5] = [
        ("aws-sqs-queue", plain, None),
        ("external", ours, Some((5, None))),
        ("external, cache 10 s", ours, Some((10, None))),
        ("external, cache 16 s", ours, Some((16, None))),
        ("external-push", ours, Some((5, Some(1)))),
    ];
    println!(
        "{:<10} {:<22} {:>12} {:>12} {:>12} {:>10} {:>10}",
        "workload", "scaler", "requests/min", "$ a month", "first wait", "p99 wait", "pod-hours"
    );
    for workload in WORKLOADS {
        for arm in arms {
            show((workload, arm.0), &play(workload, arm));
        }
    }
}

fn play(workload: &str, (_, policy, scaler): Arm) -> Outcome {
    let mut scenario = workloads::canonical(workload).expect("a workload");
    if let Some((ttl, push)) = scaler {
        scenario.scaler.cache_ttl = Duration::from_secs(ttl);
        scenario.scaler.push_interval = push.map(Duration::from_secs);
    }
    watch(&scenario, policy, SEED, |_| ControlFlow::Continue(())).expect("a run to the end")
}

fn show((workload, scaler): (&str, &str), outcome: &Outcome) {
    let months = outcome.simulated_seconds / SECONDS_A_DAY / DAYS_A_MONTH;
    println!(
        "{workload:<10} {scaler:<22} {:>12.2} {:>12.3} {:>10.1} s {:>8.1} s {:>10.1}",
        outcome.sqs_requests as f64 / outcome.simulated_seconds * 60.0,
        outcome.api_dollars() / months,
        outcome.first_message_seconds.unwrap_or(f64::NAN),
        outcome.wait_seconds_p99,
        outcome.pod_hours
    );
}
