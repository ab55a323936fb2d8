//! The canonical workloads: shapes of arrivals and of work that queue autoscalers meet, as data.

use std::time::Duration;

use super::{
    approximate::Fidelity,
    arrivals::Segment,
    cluster::Cluster,
    hpa::AutoscalerSettings,
    keda::ScaledObject,
    numbers::{count, real},
    work::{ServiceTime, Work},
    world::Scenario,
};

/// After the last arrivals a run goes on this long, so that scaling down is paid for.
const TAIL: Duration = Duration::from_mins(30);

/// The target wait of a scenario that names none.
const TARGET_WAIT: Duration = Duration::from_mins(5);

/// Every workload by name, with what it is.
pub const NAMES: [(&str, &str); 17] = [
    ("steady", "20 messages a second for 4 hours"),
    ("step", "5 messages a second, 50 after an hour"),
    ("burst", "200 messages, then 200,000 within 3 minutes"),
    ("diurnal", "a day between 5 and 50 messages a second"),
    ("hourly-batches", "20,000 messages at each full hour"),
    ("on-off", "100 messages a second for 2 minutes of 10"),
    (
        "flash-crowd",
        "5 messages a second, 200 all at once, and back within the hour",
    ),
    ("ramp", "from nothing to 100 messages a second in 3 hours"),
    (
        "slower",
        "steady, and after 2 hours a message takes twice as long",
    ),
    (
        "downstream-outage",
        "steady, and for 20 minutes every message fails",
    ),
    (
        "poison",
        "steady, 1 % of the messages fail until the dead-letter queue takes them",
    ),
    ("long-jobs", "a job of about 2 hours every 5 minutes"),
    ("trickle", "one message every 10 minutes"),
    (
        "noisy",
        "steady, with counts that are late, wrong and sometimes zero",
    ),
    ("fifo", "5 messages a second in 16 groups"),
    (
        "redrive",
        "steady, and 100,000 messages come back from a dead-letter queue",
    ),
    (
        "delayed-cliff",
        "50,000 messages that all become receivable after 15 minutes",
    ),
];

/// A scenario with the defaults of KEDA and Kubernetes around arrivals and work.
pub fn scenario(name: &str, arrivals: Vec<Segment>, work: Work) -> Scenario {
    let last = arrivals
        .last()
        .map_or(Duration::ZERO, |segment| segment.until);
    Scenario {
        name: name.to_owned(),
        arrivals,
        delay: Duration::ZERO,
        visibility_timeout: Duration::from_mins(5),
        work,
        target_wait: TARGET_WAIT,
        horizon: last + TAIL,
        fidelity: Fidelity::ordinary(),
        cluster: Cluster::default(),
        object: ScaledObject::default(),
        autoscaler: AutoscalerSettings::default(),
    }
}

/// The workload of that name, if there is one.
pub fn canonical(name: &str) -> Option<Scenario> {
    let (&(name, _), arrivals) = NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .zip(arrivals(name))?;
    let mut scenario = scenario(name, arrivals, work(name));
    match name {
        "noisy" => scenario.fidelity = Fidelity::poor(),
        "delayed-cliff" => scenario.delay = minutes(15),
        _ => {}
    }
    scenario.horizon += scenario.delay;
    Some(scenario)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes.saturating_mul(60))
}

/// Ten messages at once in each pod, a second each on average, where nothing else is said.
fn work(name: &str) -> Work {
    let exponential = |seconds| ServiceTime::Exponential(Duration::from_secs_f64(seconds));
    let usual = Work::undisturbed(exponential(1.0), 10);
    match name {
        "burst" => Work::undisturbed(exponential(0.5), 10),
        "slower" => Work {
            slower_from: Some((minutes(120), 2.0)),
            ..usual
        },
        "downstream-outage" => Work {
            outage: Some(minutes(90)..minutes(110)),
            ..usual
        },
        "poison" => Work {
            poison_share: 0.01,
            receives_max: 5,
            ..usual
        },
        "fifo" => Work {
            groups: Some(16),
            ..usual
        },
        "long-jobs" => {
            let mean = minutes(120);
            Work::undisturbed(ServiceTime::Lognormal { mean, sigma: 0.3 }, 1)
        }
        "trickle" => Work::undisturbed(exponential(30.0), 1),
        _ => usual,
    }
}

fn arrivals(name: &str) -> Option<Vec<Segment>> {
    let segments = match name {
        "steady" | "slower" | "downstream-outage" | "poison" | "noisy" => by_minute(240, |_| 20.0),
        "step" => by_minute(180, |minute| if minute < 60 { 5.0 } else { 50.0 }),
        "burst" => vec![between(0, 10, 200), between(10, 13, 199_800)],
        "diurnal" => by_minute(1_440, |minute| {
            27.5 - 22.5 * (real(minute) / 1_440.0 * std::f64::consts::TAU).cos()
        }),
        "hourly-batches" => (0..6)
            .map(|hour| between(hour * 60, hour * 60, 20_000))
            .collect(),
        "on-off" => by_minute(240, |minute| if minute % 10 < 2 { 100.0 } else { 0.0 }),
        "flash-crowd" => by_minute(180, |minute| match minute.checked_sub(60) {
            None => 5.0,
            Some(since) => 5.0 + 195.0 * (-real(since) / 10.0).exp(),
        }),
        "ramp" => by_minute(180, |minute| real(minute) / 1.8),
        "long-jobs" => (0..72)
            .map(|index| between(index * 5, index * 5 + 5, 1))
            .collect(),
        "trickle" => (0..72)
            .map(|index| between(index * 10, index * 10 + 10, 1))
            .collect(),
        "fifo" => by_minute(240, |_| 5.0),
        "redrive" => {
            let mut segments = by_minute(240, |_| 20.0);
            segments.insert(60, between(60, 60, 100_000));
            segments
        }
        "delayed-cliff" => vec![between(0, 1, 50_000)],
        _ => return None,
    };
    Some(segments)
}

fn between(from: u64, until: u64, messages: u64) -> Segment {
    Segment {
        from: minutes(from),
        until: minutes(until),
        messages,
    }
}

/// Segments of a minute, each with its rate of messages per second.
fn by_minute(last: u64, per_second: impl Fn(u64) -> f64) -> Vec<Segment> {
    (0..last)
        .map(|minute| between(minute, minute + 1, count(60.0 * per_second(minute))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_workload_in_the_order_of_time() {
        for (name, _) in NAMES {
            let scenario = canonical(name).unwrap();
            assert_eq!(scenario.name, name);
            let starts: Vec<Duration> = scenario
                .arrivals
                .iter()
                .map(|segment| segment.from)
                .collect();
            assert!(starts.is_sorted() && !starts.is_empty(), "{name}");
        }
        assert!(canonical("unknown").is_none());
    }

    #[test]
    fn the_burst_is_of_two_hundred_thousand_messages() {
        let messages: u64 = canonical("burst")
            .unwrap()
            .arrivals
            .iter()
            .map(|segment| segment.messages)
            .sum();
        assert_eq!(messages, 200_000);
    }
}
