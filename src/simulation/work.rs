//! What a message takes to be worked off, and when it cannot be.

use std::{ops::Range, time::Duration};

use super::{
    numbers::real,
    random::{Random, Stream},
};

/// How long a message takes, undisturbed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServiceTime {
    Constant(Duration),
    /// With this mean.
    Exponential(Duration),
    Lognormal {
        mean: Duration,
        /// The deviation of the logarithm: 0.5 is mild, 1.5 heavy.
        sigma: f64,
    },
}

impl ServiceTime {
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Constant(mean) | Self::Exponential(mean) | Self::Lognormal { mean, .. } => mean,
        }
    }

    /// How far single times are from the mean.
    pub(super) fn deviation(&self) -> Duration {
        let factor = match *self {
            Self::Constant(_) => 0.0,
            Self::Exponential(_) => 1.0,
            Self::Lognormal { sigma, .. } => (sigma * sigma).exp_m1().sqrt(),
        };
        self.mean().mul_f64(factor)
    }

    fn draw(&self, random: &mut Random) -> Duration {
        let factor = match *self {
            Self::Constant(_) => 1.0,
            Self::Exponential(_) => random.exponential(),
            Self::Lognormal { sigma, .. } => (sigma * random.normal() - sigma * sigma / 2.0).exp(),
        };
        self.mean().mul_f64(factor)
    }
}

/// What the work meets.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    pub service_time: ServiceTime,
    /// Messages a pod works on at once.
    pub concurrency: u32,
    /// Messages that a pod holds beyond those, waiting in its memory for a slot.
    pub prefetch: u32,
    /// The share of messages that nobody can ever work off.
    pub poison_share: f64,
    /// Messages that are first received before this are none of them.
    pub poison_from: Duration,
    /// A message that failed this often goes to the dead-letter queue (`maxReceiveCount`).
    pub receives_max: u32,
    /// While this lasts, every message that is begun fails.
    pub outage: Option<Range<Duration>>,
    /// Then it takes so long before it fails, not as long as it would have taken.
    pub hangs_for: Option<Duration>,
    /// Whether a consumer makes a message that failed visible again at once.
    pub resets_visibility: bool,
    /// From here on a message takes this many times as long.
    pub slower_from: Option<(Duration, f64)>,
    /// With more messages in work than this, all of them take longer in proportion.
    pub saturates_above: Option<u32>,
    /// At most so many messages are in work, however many pods there are: FIFO groups, each with its
    /// messages in line.
    pub groups: Option<u32>,
}

impl Work {
    /// Work that nothing disturbs.
    pub fn undisturbed(service_time: ServiceTime, concurrency: u32) -> Self {
        Self {
            service_time,
            concurrency,
            prefetch: 0,
            poison_share: 0.0,
            poison_from: Duration::ZERO,
            receives_max: u32::MAX,
            outage: None,
            hangs_for: None,
            resets_visibility: false,
            slower_from: None,
            saturates_above: None,
            groups: None,
        }
    }

    /// How many times as long as at the beginning a message takes at `now`.
    pub(super) fn slowdown(&self, now: Duration) -> f64 {
        self.slower_from
            .filter(|(from, _)| now >= *from)
            .map_or(1.0, |(_, factor)| factor)
    }

    /// What a message takes on average at `now`, undisturbed by others.
    pub(super) fn mean_at(&self, now: Duration) -> Duration {
        self.service_time.mean().mul_f64(self.slowdown(now))
    }
}

/// One message's turn with a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) takes: Duration,
    pub(super) fails: bool,
}

/// Draws what each message takes.
#[derive(Debug)]
pub(super) struct Worker {
    work: Work,
    random: Random,
}

impl Worker {
    pub(super) fn new(work: Work, seed: u64) -> Self {
        Self {
            work,
            random: Random::new(seed, Stream::Work),
        }
    }

    /// Whether one more message may be begun while `in_work` are.
    pub(super) fn may_begin(&self, in_work: u64) -> bool {
        self.work
            .groups
            .is_none_or(|groups| in_work < u64::from(groups))
    }

    pub(super) fn is_poison(&mut self, now: Duration) -> bool {
        now >= self.work.poison_from && self.random.chance(self.work.poison_share)
    }

    pub(super) fn is_dead(&self, receives: u32) -> bool {
        receives >= self.work.receives_max
    }

    /// A turn begun at `now` while `in_work` messages are worked on, this one included.
    pub(super) fn begin(&mut self, now: Duration, in_work: u64) -> Turn {
        let slower = self.work.slowdown(now);
        let crowded = self
            .work
            .saturates_above
            .map_or(1.0, |limit| real(in_work) / f64::from(limit.max(1)));
        let takes = self.work.service_time.draw(&mut self.random);
        let outage = self.work.outage.as_ref();
        let fails = outage.is_some_and(|outage| outage.contains(&now));
        let hangs_for = self.work.hangs_for.filter(|_| fails);
        Turn {
            takes: hangs_for.unwrap_or_else(|| takes.mul_f64(slower * crowded.max(1.0))),
            fails,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_distribution_has_its_mean() {
        let mean = Duration::from_secs(2);
        for service_time in [
            ServiceTime::Constant(mean),
            ServiceTime::Exponential(mean),
            ServiceTime::Lognormal { mean, sigma: 0.8 },
        ] {
            let mut worker = Worker::new(Work::undisturbed(service_time, 1), 3);
            let total: Duration = (0..20_000).map(|_| worker.begin(at(0), 1).takes).sum();
            let found = total.as_secs_f64() / 20_000.0;
            assert!((found - 2.0).abs() < 0.05, "{service_time:?}: {found}");
        }
    }

    #[test]
    fn a_slow_downstream_and_a_crowded_one_stretch_the_work() {
        let mut worker = Worker::new(
            Work {
                slower_from: Some((at(100), 2.0)),
                saturates_above: Some(10),
                outage: Some(at(50)..at(60)),
                hangs_for: Some(at(30)),
                ..Work::undisturbed(ServiceTime::Constant(at(1)), 1)
            },
            1,
        );
        assert_eq!(
            worker.begin(at(0), 10),
            Turn {
                takes: at(1),
                fails: false
            }
        );
        assert_eq!(
            worker.begin(at(0), 30),
            Turn {
                takes: at(3),
                fails: false
            }
        );
        assert_eq!(
            worker.begin(at(100), 1),
            Turn {
                takes: at(2),
                fails: false
            }
        );
        let hanging = Turn {
            takes: at(30),
            fails: true,
        };
        assert_eq!(worker.begin(at(50), 1), hanging);
        assert!(!worker.begin(at(60), 1).fails);
    }
}
