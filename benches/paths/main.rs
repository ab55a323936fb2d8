//! The paths of a poll, each alone and without a network: time and allocations of one call, and with
//! `count PATH ROUNDS` nothing but the calls, for who counts instructions from outside (`benches/gate`).

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark reads the clock and may fail where it stands"
)]

mod deciding;
mod polling;

use std::{
    fs,
    time::{Duration, Instant},
};

use self::{deciding::Deciding, polling::Polling};

/// What runs one path once.
type Path = Box<dyn FnMut()>;

const ROUNDS: u32 = 20_000;
const BLOCKS: usize = 9;
const TICKS: u32 = 25;

/// What was promised of one decision, and of a tick of ten thousand triggers.
const DECIDE_MAX: Duration = Duration::from_micros(1);
const TICK_MAX: Duration = Duration::from_millis(20);
const TICK_TRIGGERS: u32 = 10_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["names"] => paths().iter().for_each(|(name, _)| println!("{name}")),
        ["count", name, rounds] => count(name, rounds.parse().expect("a number of rounds")),
        _ => show(),
    }
}

/// Each path with its name, ready to run.
fn paths() -> Vec<(&'static str, Path)> {
    let (mut plain, mut law) = (Deciding::plain(), Deciding::law());
    vec![
        ("get-metrics", of_poll(Polling::get_metrics)),
        ("is-active", of_poll(Polling::is_active)),
        ("get-metric-spec", of_poll(Polling::get_metric_spec)),
        ("decide", Box::new(move || plain.decide())),
        ("decide-by-law", Box::new(move || law.decide())),
        ("parse-metadata", Box::new(deciding::parse)),
    ]
}

fn of_poll(call: fn(&Polling)) -> Path {
    let polling = Polling::given();
    Box::new(move || call(&polling))
}

fn count(wanted: &str, rounds: u32) {
    let (_, mut path) = paths()
        .into_iter()
        .find(|(name, _)| *name == wanted)
        .expect("one of the names");
    for _ in 0..rounds {
        path();
    }
}

fn show() {
    for (name, mut path) in paths() {
        let (time, allocations) = measure(&mut path);
        let promised = if name.starts_with("decide") {
            "below 1 us, none"
        } else {
            ""
        };
        println!(
            "| {name}: a call, allocations | {:.2} us, {allocations} | {promised} |",
            time.as_secs_f64() * 1e6
        );
        if name.starts_with("decide") {
            assert!(time < DECIDE_MAX, "{name} takes {time:?}");
            assert_eq!(allocations, 0, "{name} allocates");
        }
    }
    let tick = tick();
    println!(
        "| 10,000 triggers of the law, learning included | {:.1} ms | below 20 ms |",
        tick.as_secs_f64() * 1e3
    );
    assert!(tick < TICK_MAX, "a tick takes {tick:?}");
}

/// The time of a call in the fastest block, as neighbours only add to it, and the allocations of one
/// when the path is warm.
fn measure(path: &mut Path) -> (Duration, u64) {
    let block = |path: &mut Path| {
        let began = Instant::now();
        (0..ROUNDS).for_each(|_| path());
        began.elapsed() / ROUNDS
    };
    let fastest = (0..BLOCKS).map(|_| block(path)).min();
    let allocations = allocation_counter::measure(&mut *path).count_total;
    (fastest.expect("a block"), allocations)
}

/// Processor time for ten thousand triggers under the law, each with a new observation: learn, estimate,
/// decide.
fn tick() -> Duration {
    let mut triggers: Vec<Deciding> = (0..TICK_TRIGGERS).map(|_| Deciding::law()).collect();
    let before = processor_time();
    for _ in 0..TICKS {
        triggers.iter_mut().for_each(Deciding::learn_and_decide);
    }
    processor_time().saturating_sub(before) / TICKS
}

/// Of this process so far, in steps of 10 ms.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks.map(|ticks| ticks.parse::<u32>().unwrap_or(0)).sum();
    Duration::from_millis(10) * ticks
}
