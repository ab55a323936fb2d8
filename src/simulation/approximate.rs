//! What SQS says of a queue: the true counts, but late, noisy, with messages that are not there, and
//! now and then nothing. It answers nobody else than the scaler does.

use std::{collections::VecDeque, ops::Range, time::Duration};

use super::{
    numbers::{count, real},
    random::{Random, Stream},
};
use crate::{
    local::queue::Counts,
    scaling::{Observation, QueueSettings},
};

/// How far the counts are from the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Fidelity {
    /// A count is up to this old.
    pub staleness: Duration,
    /// The relative deviation of a count that is not small.
    pub noise: f64,
    /// How often one or two messages too many, or too few, are counted.
    pub phantom_share: f64,
    /// How often the answer is zero although there are messages.
    pub zero_share: f64,
    /// SQS cannot be asked while this lasts.
    pub outage: Option<Range<Duration>>,
}

impl Fidelity {
    /// The truth.
    pub fn exact() -> Self {
        Self {
            staleness: Duration::ZERO,
            noise: 0.0,
            phantom_share: 0.0,
            zero_share: 0.0,
            outage: None,
        }
    }

    /// A standard queue on an ordinary day.
    pub fn ordinary() -> Self {
        Self {
            staleness: Duration::from_secs(5),
            noise: 0.02,
            phantom_share: 0.02,
            zero_share: 0.002,
            outage: None,
        }
    }

    /// A queue spread over many servers that disagree.
    pub fn poor() -> Self {
        Self {
            staleness: Duration::from_secs(30),
            noise: 0.2,
            phantom_share: 0.2,
            zero_share: 0.05,
            outage: None,
        }
    }
}

/// Below this the counts are exact but for phantoms: noise would not change a whole number.
const NOISY_FROM: u64 = 20;

/// The counts of the last moments, and chance.
#[derive(Debug)]
pub(super) struct ApproximateCounts {
    fidelity: Fidelity,
    random: Random,
    /// What was true, second by second, for as long as a count may be old.
    past: VecDeque<(Duration, Counts)>,
    requests: u64,
}

impl ApproximateCounts {
    pub(super) fn new(fidelity: Fidelity, seed: u64) -> Self {
        Self {
            fidelity,
            random: Random::new(seed, Stream::Counts),
            past: VecDeque::new(),
            requests: 0,
        }
    }

    /// How often SQS was asked.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// Notes what is true now.
    pub(super) fn note(&mut self, now: Duration, counts: Counts) {
        let oldest = now.saturating_sub(self.fidelity.staleness);
        self.past.push_back((now, counts));
        while self.past.len() > 1 && self.past.front().is_some_and(|(at, _)| *at < oldest) {
            self.past.pop_front();
        }
    }

    /// `GetQueueAttributes`, while `counts` are true. None when SQS does not answer.
    pub(super) fn observe(&mut self, now: Duration, counts: Counts) -> Option<Observation> {
        self.requests += 1;
        let outage = self.fidelity.outage.as_ref();
        if outage.is_some_and(|outage| outage.contains(&now)) {
            return None;
        }
        let since =
            now.saturating_sub(self.random.between(Duration::ZERO, self.fidelity.staleness));
        let seen = self.past.iter().rev().find(|(at, _)| *at <= since);
        let seen = match seen {
            Some((_, past)) if !self.fidelity.staleness.is_zero() => *past,
            _ => counts,
        };
        if self.random.chance(self.fidelity.zero_share) {
            return Some(observation([0; 3]));
        }
        let stages = [seen.visible, seen.in_flight, seen.delayed];
        Some(observation(stages.map(|stage| self.blur(stage))))
    }

    fn blur(&mut self, messages: u64) -> u64 {
        let mut seen = messages;
        if messages >= NOISY_FROM && self.fidelity.noise > 0.0 {
            seen = count(real(messages) * (1.0 + self.fidelity.noise * self.random.normal()));
        }
        if self.random.chance(self.fidelity.phantom_share) {
            let phantoms = self.random.whole(1, 2);
            let adds = self.random.chance(0.5);
            seen = if adds {
                seen.saturating_add(phantoms)
            } else {
                seen.saturating_sub(phantoms)
            };
        }
        seen
    }
}

fn observation([visible, in_flight, delayed]: [u64; 3]) -> Observation {
    let counted = |messages: u64| Ok(i64::try_from(messages).unwrap_or(i64::MAX));
    Observation {
        visible: counted(visible),
        in_flight: counted(in_flight),
        delayed: counted(delayed),
        settings: QueueSettings::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn visible(visible: u64) -> Counts {
        Counts {
            visible,
            ..Counts::default()
        }
    }

    #[test]
    fn exact_counts_are_the_truth() {
        let mut sqs = ApproximateCounts::new(Fidelity::exact(), 1);
        sqs.note(at(0), visible(1));
        let seen = sqs.observe(at(1), visible(7)).unwrap();
        assert_eq!(seen.visible, Ok(7));
        assert_eq!(sqs.requests(), 1);
    }

    #[test]
    fn stale_counts_are_from_the_last_seconds() {
        let stale = Fidelity {
            staleness: at(10),
            ..Fidelity::exact()
        };
        let mut sqs = ApproximateCounts::new(stale, 1);
        for second in 0..=100 {
            sqs.note(at(second), visible(second));
        }
        let seen: Vec<i64> = (0..50)
            .map(|_| sqs.observe(at(100), visible(100)).unwrap().visible.unwrap())
            .collect();
        assert!(
            seen.iter().all(|seen| (90..=100).contains(seen)),
            "{seen:?}"
        );
        assert!(seen.iter().any(|seen| *seen < 95));
    }

    #[test]
    fn poor_counts_are_noisy_around_the_truth_and_sometimes_zero() {
        let mut sqs = ApproximateCounts::new(Fidelity::poor(), 1);
        let seen: Vec<i64> = (0..2_000)
            .map(|_| {
                sqs.observe(at(100), visible(1_000))
                    .unwrap()
                    .visible
                    .unwrap()
            })
            .collect();
        let zeros = seen.iter().filter(|seen| **seen == 0).count();
        assert!((60..140).contains(&zeros), "{zeros}");
        let mean = seen.iter().sum::<i64>() / i64::try_from(2_000 - zeros).unwrap();
        assert!((980..1_020).contains(&mean), "{mean}");
    }

    #[test]
    fn an_outage_is_no_answer() {
        let broken = Fidelity {
            outage: Some(at(10)..at(20)),
            ..Fidelity::exact()
        };
        let mut sqs = ApproximateCounts::new(broken, 1);
        assert!(sqs.observe(at(10), visible(1)).is_none());
        assert!(sqs.observe(at(20), visible(1)).is_some());
    }
}
