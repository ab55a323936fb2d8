//! How the messages of the canonical workloads arrive.

use std::time::Duration;

use crate::simulation::{
    arrivals::Segment,
    numbers::{count, real},
    random::{Random, Stream},
    trace,
};

pub(super) const HOUR: Duration = Duration::from_hours(1);

const WORLD_CUP: &str = include_str!("../../../tests/traces/worldcup98.csv");
const LOAD_BALANCER: &str = include_str!("../../../tests/traces/aws-elb.csv");

/// A shape that is drawn by chance is the same in every run: the seed of a run is for the rest.
const SHAPE_SEED: u64 = 98;

/// How likely a burst begins in a quiet minute, and ends in a busy one.
const BEGINS: f64 = 0.06;
const ENDS: f64 = 0.2;

pub(super) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes.saturating_mul(60))
}

pub(super) fn arrivals(name: &str) -> Option<Vec<Segment>> {
    let segments = match name {
        "steady" | "slower" | "downstream-outage" | "downstream-hang" | "poison"
        | "poison-reset" | "noisy" | "prefetch" | "heavy-tail" => by_minute(240, |_| 20.0),
        "long-outage" | "long-hang" => by_minute(300, |_| 20.0),
        "step" | "noisy-step" | "contention" => {
            by_minute(180, |minute| if minute < 60 { 5.0 } else { 50.0 })
        }
        "burst" | "burst-slow-start" => vec![between(0, 10, 200), between(10, 13, 199_800)],
        "diurnal" => by_minute(1_440, |minute| {
            27.5 - 22.5 * (real(minute) / 1_440.0 * std::f64::consts::TAU).cos()
        }),
        "hourly-batches" => (0..6)
            .map(|hour| between(hour * 60, hour * 60, 20_000))
            .collect(),
        "half-hour-batch" => vec![between(10, 10, 300)],
        "on-off" => by_minute(240, |minute| if minute % 10 < 2 { 100.0 } else { 0.0 }),
        "markov-bursts" => markov_bursts(),
        "flash-crowd" => by_minute(180, |minute| match minute.checked_sub(60) {
            None => 5.0,
            Some(since) => 5.0 + 195.0 * (-real(since) / 10.0).exp(),
        }),
        "ramp" => by_minute(180, |minute| real(minute) / 1.8),
        "poison-only" => by_minute(240, |minute| if minute < 60 { 20.0 } else { 1.0 }),
        "long-jobs" | "long-jobs-grace" => one_in_each(72, 5),
        "five-minute-jobs" => by_minute(180, |_| 1.0 / 6.0),
        "trickle" => one_in_each(72, 10),
        "tenants" => by_minute(180, |_| 5.0),
        "fifo" => by_minute(240, |_| 5.0),
        "redrive" => {
            let mut segments = by_minute(240, |_| 20.0);
            segments.insert(60, between(60, 60, 100_000));
            segments
        }
        "delayed-cliff" => vec![between(0, 1, 50_000)],
        "tiny" => by_minute(120, |_| 40.0),
        "world-cup" => trace::parse("worldcup98.csv", WORLD_CUP, 1.0 / 60.0).ok()?,
        "load-balancer" => trace::parse("aws-elb.csv", LOAD_BALANCER, 1.0).ok()?,
        _ => return None,
    };
    Some(segments)
}

pub(super) fn between(from: u64, until: u64, messages: u64) -> Segment {
    Segment {
        from: minutes(from),
        until: minutes(until),
        messages,
    }
}

/// Segments of a minute, each with its rate of messages per second.
pub(super) fn by_minute(last: u64, mut per_second: impl FnMut(u64) -> f64) -> Vec<Segment> {
    (0..last)
        .map(|minute| between(minute, minute + 1, count(60.0 * per_second(minute))))
        .collect()
}

/// One message somewhere in each of so many stretches of so many minutes.
fn one_in_each(stretches: u64, length: u64) -> Vec<Segment> {
    (0..stretches)
        .map(|index| between(index * length, (index + 1) * length, 1))
        .collect()
}

/// A process with two states, quiet and busy.
fn markov_bursts() -> Vec<Segment> {
    let mut random = Random::new(SHAPE_SEED, Stream::Arrivals);
    let mut is_busy = false;
    by_minute(360, |_| {
        let changes = random.chance(if is_busy { ENDS } else { BEGINS });
        is_busy ^= changes;
        if is_busy { 100.0 } else { 4.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_markov_process_is_busy_for_minutes_and_quiet_for_longer() {
        let segments = markov_bursts();
        let busy = segments.iter().filter(|segment| segment.messages > 1_000);
        assert!((40..140).contains(&busy.count()));
        let is_busy = |segment: &Segment| segment.messages > 1_000;
        let changes = segments
            .windows(2)
            .filter(|pair| is_busy(&pair[0]) != is_busy(&pair[1]));
        assert!((10..60).contains(&changes.count()));
    }
}
