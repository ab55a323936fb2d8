//! A fresh copy takes the place of the one that has learned, in the middle of a run: what the autoscaler makes of its answers
//! is held against a run in which nothing was replaced.

use std::time::Duration;

use super::support::run;
use sluice::simulation::{workloads, world::StepView};

/// The autoscaler's: it goes by the most that was recommended for so long.
const WINDOW: Duration = Duration::from_mins(5);

/// In the first window answers of the old copy still count, in the second those of the fresh one alone.
const WINDOWS: u32 = 2;

/// The autoscaler leaves what is within a tenth of what is wanted.
const NEAR_ENOUGH: f64 = 0.9;

const WORKLOADS: [&str; 6] = [
    "steady",
    "step",
    "ramp",
    "markov-bursts",
    "slower",
    "downstream-outage",
];

/// The most replicas of a window after the middle of a run.
fn most(seen: &[StepView], from: Duration) -> u32 {
    let within = seen
        .iter()
        .filter(|view| (from..from + WINDOW).contains(&view.now));
    within.map(|view| view.replicas).max().unwrap_or(0)
}

/// `told` is what the law is told, and what it cannot see.
fn assert_no_window_is_lower(told: &str) {
    for name in WORKLOADS {
        let scenario = workloads::canonical(name).expect("a workload");
        let (_, of_one) = run(&scenario, &format!("target-wait={told}"), 1);
        let (_, replaced) = run(&scenario, &format!("target-wait={told},replaced"), 1);
        for window in 0..WINDOWS {
            let from = scenario.horizon / 2 + WINDOW * window;
            let (old, fresh) = (most(&of_one, from), most(&replaced, from));
            assert!(
                f64::from(fresh) >= NEAR_ENOUGH * f64::from(old),
                "{name}, {told}, window {window}: {fresh} replicas instead of {old}"
            );
        }
    }
}

#[test]
fn with_the_history_of_cloudwatch_no_window_is_lower() {
    assert_no_window_is_lower("concurrency:100");
}

#[test]
fn without_cloudwatch_no_window_is_lower() {
    assert_no_window_is_lower("cloudwatch:off");
}

#[test]
fn without_any_hint_no_window_is_lower() {
    assert_no_window_is_lower("unaided");
}
