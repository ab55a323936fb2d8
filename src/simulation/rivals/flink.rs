//! The Flink operator's catch-up law, with a queue's backlog for its lag: the rate to be processed is
//! that of the arrivals over the target utilisation, and what the backlog adds to it to be gone in time.
//! Its own defaults are made for jobs that restart; here each time is a tenth of them, or set.

use std::{collections::VecDeque, time::Duration};

use crate::simulation::{
    control::Sight,
    hpa::whole_replicas,
    numbers::{real, share},
};

/// How often it evaluates: a tenth of a minute.
const INTERVAL: Duration = Duration::from_secs(6);

/// What it measures over: a tenth of `metrics.window`.
const WINDOW: Duration = Duration::from_secs(90);

/// After a change it makes none for a tenth of `stabilization.interval`.
const PAUSE: Duration = Duration::from_secs(30);

/// A backlog of more than so many seconds of arrivals forbids scaling down: a tenth of
/// `backlog-processing.lag-threshold`.
const BACKLOG_SECONDS: f64 = 30.0;

/// `utilization.min` and `utilization.max` are so far from the target.
const UTILISATION_BAND: f64 = 0.3;

/// `scale-down.max-factor`: one step takes at most this share.
const DOWN_MAX: f64 = 0.6;

/// Its settings for one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Flink {
    /// `catch-up.duration`.
    pub catch_up: Duration,
    /// `utilization.target`.
    pub utilisation: f64,
    /// `scale-down.interval`.
    pub scale_down_interval: Duration,
    /// `restart.time`, which it tracks: here how long a pod takes to start.
    pub restart: Duration,
    /// Messages that a pod works on at once.
    pub concurrency: u32,
    /// What it takes a message to last until it has measured it.
    pub message: Duration,
    pub max_replicas: u32,
}

/// What was measured at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measure {
    at: Duration,
    backlog: f64,
    /// Since the beginning, like what follows.
    received: f64,
    finished: f64,
    /// Seconds that slots were busy.
    busy_seconds: f64,
}

/// What it sees of the pods and their queue.
#[derive(Debug, Clone, Copy)]
struct Seen {
    backlog: f64,
    in_work: u64,
    received: u64,
    finished: u64,
}

/// The measures of the last window and what was recommended since.
#[derive(Debug)]
pub(in crate::simulation) struct FlinkLoop {
    settings: Flink,
    pub(in crate::simulation) next_at: Duration,
    measures: VecDeque<Measure>,
    changed_at: Option<Duration>,
    /// Recommendations to scale down, within the interval.
    lower: VecDeque<(Duration, u32)>,
}

/// Rates in messages per second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rates {
    backlog: f64,
    arrivals: f64,
    /// What one replica processes while it is busy.
    true_rate: f64,
}

impl Flink {
    /// The rate to be processed at a utilisation.
    fn capacity(&self, rates: Rates, utilisation: f64) -> f64 {
        let catch_up = self.catch_up.as_secs_f64().max(1.0);
        let waiting = rates.backlog + rates.arrivals * self.restart.as_secs_f64();
        waiting / catch_up + share(rates.arrivals, utilisation)
    }

    /// The replicas wanted where `replicas` run.
    fn wanted(&self, rates: Rates, replicas: u32) -> u32 {
        let running = rates.true_rate * f64::from(replicas);
        let most = (self.utilisation + UTILISATION_BAND).min(1.0);
        let least = (self.utilisation - UTILISATION_BAND).max(0.05);
        let is_behind = rates.backlog > rates.arrivals * BACKLOG_SECONDS;
        let is_short = running < self.capacity(rates, most);
        let is_ample = !is_behind && running > self.capacity(rates, least);
        if replicas > 0 && !is_short && !is_ample {
            return replicas;
        }
        let wanted = share(self.capacity(rates, self.utilisation), rates.true_rate);
        let fewest = f64::from(replicas) * (1.0 - DOWN_MAX);
        let wanted = whole_replicas(wanted).max(whole_replicas(fewest));
        // A job is never without a task: it does not scale to zero.
        wanted.min(self.max_replicas).max(1)
    }
}

impl FlinkLoop {
    pub(in crate::simulation) fn new(settings: Flink) -> Self {
        Self {
            settings,
            next_at: Duration::ZERO,
            measures: VecDeque::new(),
            changed_at: None,
            lower: VecDeque::new(),
        }
    }

    pub(in crate::simulation) fn act(
        &mut self,
        now: Duration,
        sight: &mut Sight<'_>,
    ) -> Option<u32> {
        self.next_at = now + INTERVAL;
        // All but the backlog it measures in the pods themselves.
        let seen = Seen {
            backlog: sight.counts_seen(now)?.visible,
            in_work: sight.counts.in_flight,
            received: sight.totals.received,
            finished: sight.totals.deleted,
        };
        let rates = self.measure(now, seen);
        let wanted = self.settings.wanted(rates, sight.replicas);
        self.paced(wanted, sight.replicas, now)
    }

    fn measure(&mut self, at: Duration, seen: Seen) -> Rates {
        let busy_seconds = self.measures.back().map_or(0.0, |last| {
            let passed = at.saturating_sub(last.at).as_secs_f64();
            last.busy_seconds + real(seen.in_work) * passed
        });
        let measure = Measure {
            at,
            backlog: seen.backlog,
            received: real(seen.received),
            finished: real(seen.finished),
            busy_seconds,
        };
        let is_old = |first: &mut Measure| at.saturating_sub(first.at) > WINDOW;
        while self.measures.pop_front_if(is_old).is_some() {}
        self.measures.push_back(measure);
        let first = self.measures.front().copied().unwrap_or(measure);
        self.rates(first, measure)
    }

    fn rates(&self, first: Measure, last: Measure) -> Rates {
        let seconds = last.at.saturating_sub(first.at).as_secs_f64();
        let arrived = last.received - first.received + last.backlog - first.backlog;
        let finished = last.finished - first.finished;
        let busy_seconds = last.busy_seconds - first.busy_seconds;
        let message_seconds = if finished > 0.0 && busy_seconds > 0.0 {
            busy_seconds / finished
        } else {
            self.settings.message.as_secs_f64()
        };
        Rates {
            backlog: last.backlog,
            arrivals: share(arrived.max(0.0), seconds),
            true_rate: share(f64::from(self.settings.concurrency.max(1)), message_seconds),
        }
    }

    /// Up after the pause, down to the most that was recommended within the interval.
    fn paced(&mut self, wanted: u32, replicas: u32, now: Duration) -> Option<u32> {
        if wanted >= replicas {
            self.lower.clear();
        } else {
            self.lower.push_back((now, wanted));
        }
        let interval = self.settings.scale_down_interval;
        let has_waited = self
            .lower
            .front()
            .is_some_and(|(since, _)| now.saturating_sub(*since) >= interval);
        let lower = self.lower.iter().map(|(_, wanted)| *wanted).max();
        let target = if has_waited {
            lower.unwrap_or(wanted)
        } else {
            wanted.max(replicas)
        };
        let pauses = self.changed_at.is_some_and(|at| now < at + PAUSE);
        let changes = target != replicas && (!pauses || replicas == 0);
        changes.then(|| {
            self.lower.clear();
            self.changed_at = Some(now);
            target
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_flink() -> Flink {
        Flink {
            catch_up: Duration::from_mins(3),
            utilisation: 0.7,
            scale_down_interval: Duration::from_mins(6),
            restart: Duration::from_secs(15),
            concurrency: 10,
            message: Duration::from_secs(1),
            max_replicas: 100,
        }
    }

    fn rates(backlog: f64, arrivals: f64) -> Rates {
        Rates {
            backlog,
            arrivals,
            true_rate: 10.0,
        }
    }

    /// 20 a second over 0.7 are 28.6; the backlog adds 1,800 in 180 s and 20 x 15 in 180 s.
    #[test]
    fn a_backlog_is_caught_up_with_beside_the_arrivals() {
        let flink = given_flink();
        assert_eq!(flink.wanted(rates(0.0, 20.0), 1), 4);
        assert_eq!(flink.wanted(rates(1_800.0, 20.0), 1), 5);
    }

    #[test]
    fn nothing_changes_within_the_band_nor_down_while_it_is_behind() {
        let flink = given_flink();
        assert_eq!(flink.wanted(rates(0.0, 20.0), 3), 3);
        assert_eq!(flink.wanted(rates(900.0, 20.0), 40), 40);
        assert_eq!(flink.wanted(rates(0.0, 20.0), 40), 16);
    }

    #[test]
    fn scaling_down_waits_for_the_interval_and_takes_the_most_of_it() {
        let mut pace = FlinkLoop::new(given_flink());
        let at = Duration::from_secs;
        assert_eq!(pace.paced(9, 4, at(0)), Some(9));
        assert_eq!(pace.paced(12, 9, at(20)), None);
        assert_eq!(pace.paced(3, 9, at(60)), None);
        assert_eq!(pace.paced(5, 9, at(200)), None);
        assert_eq!(pace.paced(2, 9, at(420)), Some(5));
    }

    #[test]
    fn a_replica_is_worth_what_its_slots_were_seen_to_do() {
        let mut flink = FlinkLoop::new(given_flink());
        let seen = |backlog, received, finished| Seen {
            backlog,
            in_work: 20,
            received,
            finished,
        };
        flink.measure(Duration::ZERO, seen(0.0, 20, 0));
        let found = flink.measure(Duration::from_secs(10), seen(50.0, 120, 100));
        let expected = Rates {
            backlog: 50.0,
            arrivals: 15.0,
            true_rate: 5.0,
        };
        assert_eq!(found, expected);
    }
}
