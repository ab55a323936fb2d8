//! Workloads that are drawn by chance, each from its number alone: what arrives, what it takes and what the
//! cluster is like. No setting was chosen by them.

use std::time::Duration;

use super::{
    scenario,
    shapes::{HOUR, between, by_minute, minutes},
};
use crate::simulation::{
    approximate::Fidelity,
    arrivals::Segment,
    numbers::{count, real},
    random::{Random, Stream},
    scenario::Scenario,
    work::{ServiceTime, Work},
};

/// The workloads are the same in every run.
const SEED: u64 = 1_998;

/// More messages take too long to simulate.
const MESSAGES_MAX: f64 = 100_000.0;

/// So many shapes are drawn from.
const SHAPES: u64 = 8;

/// The workload of that number.
pub fn drawn(number: u64) -> Scenario {
    let mut chance = Random::new(SEED.wrapping_add(number), Stream::Arrivals);
    let work = work(&mut chance);
    let length = chance.whole(90, 240);
    let slots = log_between(&mut chance, 2.0, 200.0);
    let most = MESSAGES_MAX / minutes(length).as_secs_f64();
    let per_second = (slots / work.service_time.mean().as_secs_f64()).min(most);
    let arrivals = arrivals(&mut chance, (length, per_second));
    let mut scenario = scenario(&format!("drawn-{number}"), arrivals, work);
    scenario.cluster.startup = chance.between(Duration::from_secs(5), Duration::from_secs(90));
    scenario.cluster.grace = 12 * HOUR;
    if chance.chance(0.15) {
        scenario.fidelity = Fidelity::poor();
    }
    scenario
}

fn work(chance: &mut Random) -> Work {
    let mean = Duration::from_secs_f64(log_between(chance, 0.1, 120.0));
    let service_time = match chance.whole(0, 2) {
        0 => ServiceTime::Constant(mean),
        1 => ServiceTime::Exponential(mean),
        _ => ServiceTime::Lognormal { mean, sigma: 0.8 },
    };
    let concurrency = match chance.whole(0, 3) {
        0 => 1,
        1 => 4,
        2 => 10,
        _ => 25,
    };
    let work = Work::undisturbed(service_time, concurrency);
    match chance.whole(0, 9) {
        0 => Work {
            poison_share: 0.005,
            receives_max: 4,
            ..work
        },
        1 => Work {
            prefetch: concurrency,
            ..work
        },
        2 => Work {
            slower_from: Some((HOUR, 1.5)),
            ..work
        },
        _ => work,
    }
}

/// So many minutes of messages, and so many per second in the mean.
fn arrivals(chance: &mut Random, (length, per_second): (u64, f64)) -> Vec<Segment> {
    let middle = chance.whole(length / 4, length * 3 / 4);
    let period = chance.whole(10, 60);
    let share = 0.2 + 0.3 * chance.unit();
    let is_on = |minute: u64| real(minute % period) < share * real(period);
    let since = |minute: u64| minute.checked_sub(middle).map(real);
    let (mut is_busy, mut walk) = (false, 1.0_f64);
    match chance.whole(0, SHAPES - 1) {
        0 => by_minute(length, |_| per_second),
        1 => by_minute(length, |minute| {
            let factor = since(minute).map_or(0.3, |_| 1.7);
            factor * per_second
        }),
        2 => by_minute(length, |minute| {
            let turns = real(minute) / real(period);
            (1.0 + 0.8 * (turns * std::f64::consts::TAU).sin()) * per_second
        }),
        3 => by_minute(length, |minute| {
            if is_on(minute) {
                per_second / share
            } else {
                0.0
            }
        }),
        4 => by_minute(length, |_| {
            is_busy ^= chance.chance(if is_busy { 0.15 } else { 0.05 });
            per_second * if is_busy { 3.0 } else { 0.3 }
        }),
        5 => batches((length, period), per_second),
        6 => by_minute(length, |minute| {
            let flash = since(minute).map_or(0.0, |since| 8.0 * (-since / 8.0).exp());
            (0.5 + flash) * per_second
        }),
        _ => by_minute(length, |_| {
            walk = (walk * (0.2 * chance.normal()).exp()).clamp(0.1, 4.0);
            walk * per_second
        }),
    }
}

/// All messages of each period at its beginning.
fn batches((length, period): (u64, u64), per_second: f64) -> Vec<Segment> {
    let messages = count(per_second * minutes(period).as_secs_f64());
    let starts = (0..length / period).map(|index| index * period);
    starts
        .map(|start| between(start, start, messages))
        .collect()
}

/// As likely in each order of magnitude.
fn log_between(chance: &mut Random, low: f64, high: f64) -> f64 {
    low * (high / low).powf(chance.unit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_always_the_same_workload_and_another_one_another() {
        let text = |number| format!("{:?}", drawn(number));
        assert_eq!(text(3), text(3));
        assert_ne!(text(3), text(4));
    }

    #[test]
    fn there_is_something_to_do_in_order_and_not_too_much() {
        for number in 0..60 {
            let scenario = drawn(number);
            let starts: Vec<Duration> = scenario.arrivals.iter().map(|one| one.from).collect();
            assert!(starts.is_sorted() && !starts.is_empty(), "{number}");
            let messages = scenario.messages();
            assert!((20..400_000).contains(&messages), "{number}: {messages}");
        }
    }
}
