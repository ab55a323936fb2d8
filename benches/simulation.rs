//! How long the digital twin takes for a day of 600,000 messages under each policy, and how much memory:
//! `cargo bench --bench simulation`. README.md has the figures.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock that everything else is given"
)]

use std::{fs, ops::ControlFlow, time::Duration, time::Instant};

use sluice::simulation::{
    arrivals::Segment,
    compare::watch,
    policy::Policy,
    scenario::Scenario,
    work::{ServiceTime, Work},
    workloads,
};

/// What was promised of one policy on one core.
const LIMIT: Duration = Duration::from_secs(10);
const MEMORY_LIMIT_KIB: u64 = 500 * 1024;

/// A day that rises until noon and falls after it; a second for each message, ten at once in each pod.
fn given_day() -> Scenario {
    let minutes = (0..1_440_u64).map(|minute| Segment {
        from: Duration::from_mins(minute),
        until: Duration::from_mins(minute + 1),
        messages: 56 + 720 - minute.abs_diff(720) + u64::from(minute < 960),
    });
    let second = ServiceTime::Exponential(Duration::from_secs(1));
    workloads::scenario("a day", minutes.collect(), Work::undisturbed(second, 10))
}

fn main() {
    let day = given_day();
    let searched = |policy: &Policy| matches!(policy, Policy::Hindsight);
    let (policies, mut longest) = (Policy::leaderboard(), Duration::ZERO);
    assert_eq!(day.messages(), 600_000);
    for policy in policies.into_iter().filter(|policy| !searched(policy)) {
        let began = Instant::now();
        let outcome = watch(&day, policy, 1, |_| ControlFlow::Continue(()));
        let took = began.elapsed();
        let done = outcome.map_or(0, |outcome| outcome.done_messages);
        assert_eq!(done, day.messages(), "{policy} does all the work");
        assert!(took < LIMIT, "{policy} takes {took:?}");
        longest = longest.max(took);
        println!("{:<28} {:>7.2} s", policy.to_string(), took.as_secs_f64());
    }
    let Some(kib) = peak_memory_kib() else { return };
    assert!(kib < MEMORY_LIMIT_KIB, "{kib} KiB of memory");
    println!(
        "| the twin, a day of 600,000 messages: the slowest policy, memory | {:.2} s, {:.1} MB | below 10 s, 500 MB |",
        longest.as_secs_f64(),
        f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1_000.0
    );
}

/// Where the system tells: the most memory that this process ever had.
fn peak_memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
