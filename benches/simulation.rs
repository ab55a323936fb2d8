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
    work::{ServiceTime, Work},
    workloads,
    world::Scenario,
};

const MESSAGES: f64 = 600_000.0;

/// What was promised of one policy on one core.
const LIMIT: Duration = Duration::from_secs(10);
const MEMORY_LIMIT_KIB: u64 = 500 * 1024;

/// A day with a quiet night, a second for each message, ten at once in each pod.
fn given_day() -> Scenario {
    let share = |minute: u32| {
        let turn = f64::from(minute) / 1_440.0 * std::f64::consts::TAU;
        (1.0 - 0.8 * turn.cos()) / 1_440.0
    };
    let (mut due, mut sent) = (0.0, 0_u64);
    let minutes = (0..1_440).map(|minute| {
        due += share(minute) * MESSAGES;
        let messages = (0_u64..)
            .take_while(|more| whole(sent + more) < due)
            .count();
        let messages = u64::try_from(messages).unwrap_or_default();
        sent += messages;
        Segment {
            from: Duration::from_mins(minute.into()),
            until: Duration::from_mins(u64::from(minute) + 1),
            messages,
        }
    });
    let second = ServiceTime::Exponential(Duration::from_secs(1));
    workloads::scenario("a day", minutes.collect(), Work::undisturbed(second, 10))
}

fn whole(messages: u64) -> f64 {
    u32::try_from(messages).map_or(f64::INFINITY, f64::from)
}

fn main() {
    let day = given_day();
    let searched = |policy: &Policy| matches!(policy, Policy::Hindsight);
    let policies = Policy::leaderboard();
    println!("{} messages in a day", day.messages());
    for policy in policies.into_iter().filter(|policy| !searched(policy)) {
        let began = Instant::now();
        let outcome = watch(&day, policy, 1, |_| ControlFlow::Continue(()));
        let took = began.elapsed();
        let done = outcome.map_or(0, |outcome| outcome.done_messages);
        assert_eq!(done, day.messages(), "{policy} does all the work");
        assert!(took < LIMIT, "{policy} takes {took:?}");
        println!("{:<28} {:>7.2} s", policy.to_string(), took.as_secs_f64());
    }
    let Some(kib) = peak_memory_kib() else { return };
    assert!(kib < MEMORY_LIMIT_KIB, "{kib} KiB of memory");
    println!("{kib} KiB of memory at most");
}

/// Where the system tells: the most memory that this process ever had.
fn peak_memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
