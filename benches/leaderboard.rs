//! Prints how policies stand over every canonical workload and several targets:
//! `cargo run --release --example leaderboard -- --policy sluice=5 --policy tuned:flink`.
//!
//! What `hindsight` finds takes the longest and depends on no other policy: with `--cache FILE` each case is
//! kept there, by everything it depends on but the program itself. Delete the file when the twin changes.

#![allow(clippy::print_stdout, reason = "it prints a table")]

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use clap::Parser;
use sluice::{
    scaling::Wakefulness,
    simulation::{
        compare::{Comparison, Row, compare},
        leaderboard::{Duel, LettingGo, Standing, Suite, cases, duels, standings},
        policy::Policy,
        scenario::Scenario,
    },
};

#[derive(Debug, Parser)]
struct Args {
    /// A policy beside `hindsight`; may be repeated.
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<Policy>,
    /// How long a message may wait, one target after the other.
    #[arg(long, value_delimiter = ',', default_value = "60,300,900")]
    targets_seconds: Vec<u64>,
    /// Only workloads whose names contain this.
    #[arg(long, default_value = "")]
    workload: String,
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// The first of the seeds: with another one than those that settings were chosen by.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// In the place of the canonical workloads so many that are drawn by chance.
    #[arg(long, value_name = "NUMBER")]
    drawn: Option<u64>,
    /// A minute of stabilisation and of cooldown in the place of five.
    #[arg(long)]
    recommended: bool,
    /// `emptyConfirmSeconds` of the law.
    #[arg(long, value_name = "SECONDS")]
    empty_confirm_seconds: Option<u64>,
    /// Keeps what hindsight found.
    #[arg(long)]
    cache: Option<PathBuf>,
    /// Also print each case.
    #[arg(long)]
    cases: bool,
    /// Do without hindsight, and print late message-seconds against those of `target-wait`.
    #[arg(long)]
    duels: bool,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// The policy that duels are against.
const DUELIST: &str = "target-wait";

type Hindsights = BTreeMap<String, Row>;

impl Args {
    /// Whom every duel is against takes part, named or not.
    fn meet_the_law(&mut self) {
        let is_named = |policy: &Policy| policy.to_string() == DUELIST;
        if !self.policies.iter().any(is_named) {
            self.policies.extend(DUELIST.parse::<Policy>());
        }
    }
}

fn main() -> Result<(), io::Error> {
    let mut args = Args::parse();
    if args.duels {
        args.meet_the_law();
    }
    let letting_go = if args.recommended {
        LettingGo::Recommended
    } else {
        LettingGo::Default
    };
    let targets: Vec<Duration> = args
        .targets_seconds
        .iter()
        .map(|seconds| Duration::from_secs(*seconds))
        .collect();
    let suite = args.drawn.map_or(Suite::Canonical, Suite::Drawn);
    let mut scenarios = cases(suite, &targets, letting_go);
    scenarios.retain(|scenario| scenario.name.contains(&args.workload));
    if let Some(seconds) = args.empty_confirm_seconds {
        for scenario in &mut scenarios {
            scenario.wakefulness.empty_confirm = Duration::from_secs(seconds);
        }
    }
    let cached = Mutex::new(read(args.cache.as_deref())?);
    let comparisons = run(&args, &scenarios, &cached)?;
    if args.cases {
        for comparison in &comparisons {
            println!("{comparison}");
        }
    }
    if args.duels {
        print_duels(&duels(&comparisons, DUELIST));
    } else {
        print(&standings(&comparisons));
    }
    Ok(())
}

fn read(path: Option<&Path>) -> Result<Hindsights, io::Error> {
    match path {
        Some(path) if path.exists() => Ok(serde_json::from_slice(&fs::read(path)?)?),
        _ => Ok(Hindsights::new()),
    }
}

/// All cases, in their order however the threads share them.
fn run(
    args: &Args,
    scenarios: &[Scenario],
    cached: &Mutex<Hindsights>,
) -> Result<Vec<Comparison>, io::Error> {
    let waiting = Mutex::new(scenarios.iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                while let Some((index, scenario)) = lock(&waiting).next() {
                    let comparison = judge(args, scenario, cached);
                    lock(&done).insert(index, comparison);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_values().collect()
}

/// Keeps what was found so far, so that a run that is ended early has not been for nothing.
fn keep(path: Option<&Path>, cached: &Hindsights) -> Result<(), io::Error> {
    path.map_or(Ok(()), |path| fs::write(path, serde_json::to_vec(cached)?))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn judge(
    args: &Args,
    scenario: &Scenario,
    cached: &Mutex<Hindsights>,
) -> Result<Comparison, io::Error> {
    let seeds: Vec<u64> = (args.first_seed..)
        .zip(0..args.seeds)
        .map(|(seed, _)| seed)
        .collect();
    if args.duels {
        return Ok(compare(scenario, &args.policies, &seeds, || {}));
    }
    // Not by what the law alone is told.
    let alike = Scenario {
        wakefulness: Wakefulness::default(),
        ..scenario.clone()
    };
    let key = format!("{alike:?} {seeds:?}");
    let known = lock(cached).get(&key).cloned();
    let hindsight = if let Some(known) = known {
        known
    } else {
        let rows = compare(scenario, &[Policy::Hindsight], &seeds, || {}).rows;
        let found = rows.into_iter().next().unwrap_or_default();
        let mut cached = lock(cached);
        cached.insert(key, found.clone());
        keep(args.cache.as_deref(), &cached)?;
        found
    };
    let mut comparison = compare(scenario, &args.policies, &seeds, || {});
    comparison.rows.push(hindsight);
    Ok(comparison)
}

fn print_duels(duels: &[Duel]) {
    println!(
        "{:<28} {:>5} {:>6} {:>5} {:>7} {:>14} {:>16}",
        "against target-wait", "won", "drawn", "lost", "absent", "late seconds", "of target-wait"
    );
    for duel in duels {
        println!(
            "{:<28} {:>5} {:>6} {:>5} {:>7} {:>14.0} {:>16.0}",
            duel.policy,
            duel.won,
            duel.drawn,
            duel.lost,
            duel.absent,
            duel.late_message_seconds,
            duel.others_late_message_seconds,
        );
    }
}

fn print(standings: &[Standing]) {
    println!(
        "{:<28} {:>9} {:>7} {:>12} {:>7} {:>14} {:>8}",
        "policy", "met", "beyond", "/hindsight", "/bound", "late seconds", "killed"
    );
    for standing in standings {
        let ratio =
            |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        println!(
            "{:<28} {:>9} {:>7} {:>12} {:>7} {:>14.0} {:>8}",
            standing.policy,
            format!("{}/{}", standing.met, standing.feasible),
            standing.met_beyond,
            ratio(standing.pod_hours_over_hindsight),
            ratio(standing.pod_hours_over_bound),
            standing.late_message_seconds,
            standing.killed_messages,
        );
    }
}
