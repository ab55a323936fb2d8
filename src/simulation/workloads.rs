//! The canonical workloads: shapes of arrivals and of work that queue autoscalers meet, as data. How the
//! arrivals come is in `shapes`, here is what they meet.

mod drawn;
mod shapes;

use std::time::Duration;

pub use self::drawn::drawn;
use self::shapes::{HOUR, minutes};
use super::{
    approximate::Fidelity,
    arrivals::Segment,
    cluster::Cluster,
    control::ScalerSettings,
    hpa::AutoscalerSettings,
    keda::ScaledObject,
    scenario::{Flood, Scenario},
    work::{ServiceTime, Work},
};
use crate::scaling::Wakefulness;

/// After the last arrivals a run goes on this long, so that scaling down is paid for.
const TAIL: Duration = Duration::from_mins(30);

/// The target wait of a scenario that names none.
const TARGET_WAIT: Duration = Duration::from_mins(5);

/// Every workload by name, with what it is.
pub const NAMES: [(&str, &str); 34] = [
    ("steady", "20 messages a second for 4 hours"),
    ("step", "5 messages a second, 50 after an hour"),
    ("burst", "200 messages, then 200,000 within 3 minutes"),
    (
        "burst-slow-start",
        "the burst, with pods that take 2 minutes to start",
    ),
    ("diurnal", "a day between 5 and 50 messages a second"),
    ("hourly-batches", "20,000 messages at each full hour"),
    ("half-hour-batch", "300 jobs of half an hour at once"),
    ("on-off", "100 messages a second for 2 minutes of 10"),
    (
        "markov-bursts",
        "4 or 100 messages a second, changing by chance after some minutes",
    ),
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
        "downstream-hang",
        "steady, and for 20 minutes every message hangs for a minute and fails",
    ),
    ("long-outage", "steady, and for 2 hours every message fails"),
    (
        "long-hang",
        "steady, and for 2 hours every message hangs for a minute and fails",
    ),
    (
        "contention",
        "the step, with a downstream that slows above 60 messages at once",
    ),
    (
        "poison",
        "steady, 1 % of the messages fail until the dead-letter queue takes them",
    ),
    (
        "poison-reset",
        "the same, with a handler that makes them visible again at once",
    ),
    (
        "poison-only",
        "an hour of steady work, then 3 hours in which every message fails",
    ),
    ("long-jobs", "a job of about 2 hours every 5 minutes"),
    (
        "long-jobs-grace",
        "the same, with a grace period longer than any job",
    ),
    ("five-minute-jobs", "a job of 5 minutes every 6 seconds"),
    ("trickle", "one message every 10 minutes"),
    (
        "noisy",
        "steady, with counts that are late, wrong and sometimes zero",
    ),
    ("noisy-step", "the step, with such counts"),
    ("fifo", "5 messages a second in 16 groups"),
    (
        "redrive",
        "steady, and 100,000 messages come back from a dead-letter queue",
    ),
    (
        "delayed-cliff",
        "50,000 messages that all become receivable after 15 minutes",
    ),
    (
        "prefetch",
        "steady, with workers that hold four times as many as they work on",
    ),
    (
        "heavy-tail",
        "steady, with few messages that take a hundred times as long as most",
    ),
    ("tiny", "40 messages a second of 50 ms each, one at a time"),
    ("world-cup", "4 hours of a web site's requests, scaled down"),
    ("load-balancer", "2 days of a load balancer's requests"),
];

/// Workloads that can be named as well, but are in no leaderboard: they ask for what only some policies know of.
pub const APART: [(&str, &str); 1] = [(
    "tenants",
    "5 messages a second of many tenants, and 60,000 of one within 20 minutes, which may wait an hour",
)];

/// A scenario with the defaults of KEDA and Kubernetes around arrivals and work.
pub fn scenario(name: &str, arrivals: Vec<Segment>, work: Work) -> Scenario {
    let last = arrivals
        .last()
        .map_or(Duration::ZERO, |segment| segment.until);
    Scenario {
        name: name.to_owned(),
        arrivals,
        flood: None,
        delay: Duration::ZERO,
        visibility_timeout: Duration::from_mins(5),
        work,
        target_wait: TARGET_WAIT,
        horizon: last + TAIL,
        fidelity: Fidelity::ordinary(),
        cluster: Cluster::default(),
        object: ScaledObject::default(),
        autoscaler: AutoscalerSettings::default(),
        scaler: ScalerSettings::sluice(),
        wakefulness: Wakefulness::default(),
        own: Vec::new(),
    }
}

/// The workload of that name, if there is one.
pub fn canonical(name: &str) -> Option<Scenario> {
    let (&(name, _), arrivals) = NAMES
        .iter()
        .chain(&APART)
        .find(|(known, _)| *known == name)
        .zip(shapes::arrivals(name))?;
    let mut scenario = scenario(name, arrivals, work(name));
    match name {
        "noisy" | "noisy-step" => scenario.fidelity = Fidelity::poor(),
        "delayed-cliff" => scenario.delay = minutes(15),
        "burst-slow-start" => scenario.cluster.startup = minutes(2),
        "tenants" => {
            scenario.target_wait = minutes(1);
            scenario.flood = Some(Flood {
                arrivals: vec![shapes::between(60, 80, 60_000)],
                noisy_wait: HOUR,
            });
        }
        "long-jobs-grace" => scenario.cluster.grace = 12 * HOUR,
        _ => {}
    }
    scenario.horizon += scenario.delay;
    Some(scenario)
}

/// Ten messages at once in each pod, a second each on average, where nothing else is said.
fn work(name: &str) -> Work {
    let exponential = |seconds| ServiceTime::Exponential(Duration::from_secs_f64(seconds));
    let lognormal = |mean, sigma| ServiceTime::Lognormal { mean, sigma };
    let usual = Work::undisturbed(exponential(1.0), 10);
    match name {
        "burst" | "burst-slow-start" => Work::undisturbed(exponential(0.5), 10),
        "half-hour-batch" => Work::undisturbed(lognormal(minutes(30), 0.3), 4),
        "long-jobs" | "long-jobs-grace" => Work::undisturbed(lognormal(minutes(120), 0.3), 1),
        "five-minute-jobs" => Work::undisturbed(lognormal(minutes(5), 0.3), 1),
        "trickle" => Work::undisturbed(exponential(30.0), 1),
        "tenants" => Work::undisturbed(exponential(2.0), 5),
        "tiny" => Work::undisturbed(exponential(0.05), 1),
        "heavy-tail" => {
            let mean = Duration::from_secs(2);
            Work::undisturbed(lognormal(mean, 1.8), 5)
        }
        "slower" => Work {
            slower_from: Some((minutes(120), 2.0)),
            ..usual
        },
        "fifo" => Work {
            groups: Some(16),
            ..usual
        },
        "contention" => Work {
            saturates_above: Some(60),
            ..usual
        },
        "prefetch" => Work {
            concurrency: 5,
            prefetch: 15,
            ..usual
        },
        _ => failing(name, usual),
    }
}

/// Work that fails, or `usual` work.
fn failing(name: &str, usual: Work) -> Work {
    let hangs_for = Some(minutes(1));
    let poison = Work {
        poison_share: 0.01,
        receives_max: 5,
        ..usual.clone()
    };
    match name {
        "downstream-outage" => Work {
            outage: Some(minutes(90)..minutes(110)),
            ..usual
        },
        "downstream-hang" => Work {
            outage: Some(minutes(90)..minutes(110)),
            hangs_for,
            ..usual
        },
        "long-outage" => Work {
            outage: Some(minutes(60)..minutes(180)),
            ..usual
        },
        "long-hang" => Work {
            outage: Some(minutes(60)..minutes(180)),
            hangs_for,
            ..usual
        },
        "poison" => poison,
        "poison-reset" => Work {
            resets_visibility: true,
            ..poison
        },
        "poison-only" => Work {
            poison_share: 1.0,
            poison_from: minutes(61),
            ..poison
        },
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_workload_in_the_order_of_time() {
        for (name, _) in NAMES.iter().chain(&APART) {
            let scenario = canonical(name).unwrap();
            assert_eq!(scenario.name, *name);
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
        assert_eq!(canonical("burst").unwrap().messages(), 200_000);
    }

    #[test]
    fn a_trace_brings_its_own_arrivals() {
        // A sixtieth of 19,318,260 requests, and 40,256.
        let messages = |name| canonical(name).unwrap().messages();
        assert_eq!(messages("world-cup"), 321_971);
        assert_eq!(messages("load-balancer"), 40_256);
    }
}
