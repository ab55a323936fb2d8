//! What the law is told of a scenario, and what of the world its scaler may see: wrong hints, a silent
//! CloudWatch and a term left out are policies like others, so that their price can be measured.

use std::{fmt, ops::Range, str::FromStr, time::Duration};

use super::{scenario::Scenario, work::Work};
use crate::scaling::{Estimate, Law, MessageTime, Minute};

/// An outage of CloudWatch lasts so long, in the middle of a run.
const OUTAGE: Duration = Duration::from_mins(15);

/// A hint that is further off than this, in percent of the truth, says nothing about the law.
const PERCENT_MAX: u32 = 10_000;

/// What the law has to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub knows: Knows,
    pub message: Message,
    /// `concurrency` likewise; where nothing is said, what [`Knows`] says.
    pub concurrency_percent: Option<u32>,
    pub cloudwatch: Readable,
    /// Whether the law looks at how long messages have waited.
    pub age: Age,
    pub stall: Stall,
    pub copy: Copies,
    pub noisy: Noisy,
}

/// What is known of the time that a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// What is learned.
    Learned,
    /// `messageSeconds` is given, in percent of the truth.
    Hinted(u32),
    /// The truth, always, as nobody does: what learning it costs.
    Known,
}

/// Whether one copy of the scaler is asked throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    One,
    /// In the middle of a run a fresh one takes its place, which has learned nothing.
    Replaced,
}

/// What is known for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knows {
    /// `concurrency` is in the metadata.
    Concurrency,
    /// Nothing.
    Nothing,
    /// Nothing, but Kubernetes may be read.
    ReadyReplicas,
}

/// When CloudWatch can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readable {
    Always,
    /// Not for a quarter of an hour.
    ButForAnOutage,
    Never,
}

/// Whether the age of messages is part of the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    Counts,
    /// It is left out, to see what it is worth.
    IsIgnored,
}

/// Whether work that fails buys no more replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    BuysNothing,
    /// It is not looked for, to see what the guard costs.
    IsIgnored,
}

/// Whether messages of noisy groups may wait longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noisy {
    /// All messages are alike.
    Untold,
    /// As long as the scenario says.
    MayWait,
}

impl Told {
    /// Everything works, and `knows` is all that is known.
    pub const fn of(knows: Knows) -> Self {
        Self {
            knows,
            message: Message::Learned,
            concurrency_percent: None,
            cloudwatch: Readable::Always,
            age: Age::Counts,
            stall: Stall::BuysNothing,
            copy: Copies::One,
            noisy: Noisy::Untold,
        }
    }

    /// The law at the target of `scenario`, with these hints.
    pub(super) fn law(self, scenario: &Scenario) -> Law {
        let known = (self.knows == Knows::Concurrency).then_some(100);
        let concurrency = self.concurrency_percent.or(known);
        let message = scenario.work.service_time.mean();
        let hint = match self.message {
            Message::Learned => None,
            Message::Hinted(percent) => Some(percent),
            Message::Known => Some(100),
        };
        Law {
            target_wait: scenario.target_wait,
            startup: Law::STARTUP,
            concurrency: concurrency
                .map(|percent| (scenario.work.concurrency.saturating_mul(percent) / 100).max(1)),
            message: hint.map(|percent| message.mul_f64(f64::from(percent) / 100.0)),
            fifo_groups: None,
            noisy_wait: (self.noisy == Noisy::MayWait).then(|| scenario.noisy_wait()),
        }
    }

    /// What is done to the scaler in a run of `scenario`.
    pub(super) fn tampering(self, scenario: &Scenario) -> Tampering {
        let outage_from = scenario.horizon / 2;
        Tampering {
            replaced_at: (self.copy == Copies::Replaced).then_some(scenario.horizon / 2),
            minutes: match self.cloudwatch {
                Readable::Always => Duration::ZERO..Duration::ZERO,
                Readable::ButForAnOutage => outage_from..outage_from + OUTAGE,
                Readable::Never => Duration::ZERO..Duration::MAX,
            },
            age: self.age,
            stall: self.stall,
            known: (self.message == Message::Known).then(|| scenario.work.clone()),
        }
    }
}

/// What is done to the sight and the beliefs of a scaler: something is hidden, or known that nobody can know.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tampering {
    /// While CloudWatch cannot be read.
    minutes: Range<Duration>,
    age: Age,
    stall: Stall,
    /// When a fresh copy takes the scaler's place.
    replaced_at: Option<Duration>,
    /// The work of which it is known how long a message takes.
    known: Option<Work>,
}

impl Tampering {
    /// Nothing is.
    pub(super) const NOTHING: Self = Self {
        minutes: Duration::ZERO..Duration::ZERO,
        age: Age::Counts,
        stall: Stall::BuysNothing,
        replaced_at: None,
        known: None,
    };

    /// Whether a fresh copy takes the scaler's place at `now`; it does so once.
    pub(super) fn takes_memory(&mut self, now: Duration) -> bool {
        self.replaced_at.take_if(|at| *at <= now).is_some()
    }

    /// What is left of `minutes` at `now`.
    pub(super) fn seen(&self, now: Duration, mut minutes: Vec<Minute>) -> Vec<Minute> {
        if self.minutes.contains(&now) {
            minutes.clear();
        }
        if self.age == Age::IsIgnored {
            for minute in &mut minutes {
                minute.oldest_age = None;
            }
        }
        minutes
    }

    /// What becomes of an `estimate` of `now`.
    pub(super) fn believed(&self, now: Duration, mut estimate: Estimate) -> Estimate {
        if self.age == Age::IsIgnored {
            estimate.pressing = None;
            estimate.oldest = None;
        }
        if self.stall == Stall::IsIgnored {
            estimate.stalled_at = None;
        }
        if let Some(work) = &self.known {
            estimate.message = Some(MessageTime {
                seconds: work.mean_at(now).as_secs_f64(),
                deletions: estimate.message.map_or(0.0, |learned| learned.deletions),
                is_at_most: false,
            });
        }
        estimate
    }
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent =
            |hint: &str, percent: Option<u32>| percent.map(|percent| format!("{hint}:{percent}"));
        let words = [
            match self.knows {
                Knows::Concurrency => None,
                Knows::Nothing => Some("unaided".to_owned()),
                Knows::ReadyReplicas => Some("kubernetes".to_owned()),
            },
            match self.message {
                Message::Learned => None,
                Message::Hinted(hint) => percent("message", Some(hint)),
                Message::Known => Some("message:known".to_owned()),
            },
            percent("concurrency", self.concurrency_percent),
            match self.cloudwatch {
                Readable::Always => None,
                Readable::ButForAnOutage => Some("cloudwatch:outage".to_owned()),
                Readable::Never => Some("cloudwatch:off".to_owned()),
            },
            (self.age == Age::IsIgnored).then(|| "age:off".to_owned()),
            (self.stall == Stall::IsIgnored).then(|| "stall:off".to_owned()),
            (self.copy == Copies::Replaced).then(|| "replaced".to_owned()),
            (self.noisy == Noisy::MayWait).then(|| "noisy".to_owned()),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        formatter.write_str(&words.join(","))
    }
}

impl FromStr for Told {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = |text: &str| {
            let percent = text.parse().ok();
            percent
                .filter(|percent| (1..=PERCENT_MAX).contains(percent))
                .ok_or(())
        };
        let mut told = Self::of(Knows::Concurrency);
        for word in text.split(',') {
            match word.split_once(':').unwrap_or((word, "")) {
                ("unaided", "") => told.knows = Knows::Nothing,
                ("kubernetes", "") => told.knows = Knows::ReadyReplicas,
                ("message", "known") => told.message = Message::Known,
                ("message", hint) => told.message = Message::Hinted(percent(hint)?),
                ("concurrency", hint) => told.concurrency_percent = Some(percent(hint)?),
                ("cloudwatch", "off") => told.cloudwatch = Readable::Never,
                ("cloudwatch", "outage") => told.cloudwatch = Readable::ButForAnOutage,
                ("age", "off") => told.age = Age::IsIgnored,
                ("stall", "off") => told.stall = Stall::IsIgnored,
                ("replaced", "") => told.copy = Copies::Replaced,
                ("noisy", "") => told.noisy = Noisy::MayWait,
                _ => return Err(()),
            }
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::workloads;

    #[test]
    fn a_hint_is_a_share_of_the_truth() {
        let scenario = workloads::canonical("heavy-tail").unwrap();
        let told: Told = "message:25,concurrency:400".parse().unwrap();
        let law = told.law(&scenario);
        assert_eq!(law.message, Some(Duration::from_millis(500)));
        assert_eq!(law.concurrency, Some(20));
        let unaided: Told = "unaided".parse().unwrap();
        assert_eq!(unaided.law(&scenario).concurrency, None);
    }

    #[test]
    fn the_law_knows_how_long_noisy_groups_may_wait_where_it_is_told() {
        let scenario = workloads::canonical("tenants").unwrap();
        let law = |text: &str| text.parse::<Told>().unwrap().law(&scenario);
        assert_eq!(law("noisy").noisy_wait, Some(Duration::from_hours(1)));
        assert_eq!(law("noisy").concurrency, Some(5));
        assert_eq!(law("unaided").noisy_wait, None);
    }

    #[test]
    fn what_is_hidden_is_not_seen() {
        let scenario = workloads::canonical("steady").unwrap();
        let minute = Minute {
            oldest_age: Some(Duration::from_secs(9)),
            ..Minute::default()
        };
        let seen = |told: &str, at: Duration| {
            let tampering = told.parse::<Told>().unwrap().tampering(&scenario);
            tampering.seen(at, vec![minute])
        };
        let middle = scenario.horizon / 2;
        assert_eq!(seen("unaided", middle), [minute]);
        assert_eq!(seen("cloudwatch:off", middle), []);
        assert_eq!(seen("cloudwatch:outage", middle), []);
        assert_eq!(seen("cloudwatch:outage", middle + OUTAGE), [minute]);
        assert_eq!(seen("age:off", middle), [Minute::default()]);
        let estimate = Estimate {
            pressing: Some(crate::scaling::Cohort {
                messages: 1.0,
                age: OUTAGE,
            }),
            ..Estimate::default()
        };
        let ignoring = "age:off".parse::<Told>().unwrap().tampering(&scenario);
        assert_eq!(ignoring.believed(middle, estimate), Estimate::default());
        assert_eq!(Tampering::NOTHING.believed(middle, estimate), estimate);
        let stalled = Estimate {
            stalled_at: Some(2.0),
            ..Estimate::default()
        };
        let ignoring = "stall:off".parse::<Told>().unwrap().tampering(&scenario);
        assert_eq!(ignoring.believed(middle, stalled), Estimate::default());
        assert_eq!(Tampering::NOTHING.believed(middle, stalled), stalled);
    }

    #[test]
    fn what_is_known_is_the_truth_of_the_moment() {
        let scenario = workloads::canonical("slower").unwrap();
        let known = "message:known"
            .parse::<Told>()
            .unwrap()
            .tampering(&scenario);
        let takes = |minutes| {
            let estimate = known.believed(Duration::from_mins(minutes), Estimate::default());
            Duration::from_secs_f64(estimate.message.unwrap().seconds)
        };
        assert_eq!([takes(1), takes(121)], [1, 2].map(Duration::from_secs));
    }
}
