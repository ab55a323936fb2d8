//! practo's worker-pod-autoscaler: messages for each worker, never fewer workers than the rate of
//! arrivals needs, and a long pause before fewer. From its `GetDesiredWorkers` of July 2023.

use std::time::Duration;

use crate::simulation::{
    control::Sight,
    hpa::whole_replicas,
    numbers::{real, share},
};

/// `--resync-period` and `--sqs-short-poll-interval`.
const INTERVAL: Duration = Duration::from_secs(20);

/// It reads the rate of arrivals from so many minutes of CloudWatch.
const MINUTES: usize = 5;

/// It leaves out the last five minutes. Minutes are published one to three minutes late, so that those
/// that could be read so long ago are on average the right ones.
const MINUTES_LEFT_OUT: Duration = Duration::from_mins(3);

/// A number of workers this close to what is there changes nothing.
const TOLERANCE: f64 = 0.1;

/// Its settings for one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerPod {
    /// `targetMessagesPerWorker`, those in work included.
    pub messages_per_worker: f64,
    /// `secondsToProcessOneJob`, of a worker with all its slots busy.
    pub seconds_per_message: f64,
    /// `--scale-down-delay-after-last-scale-activity`.
    pub scale_down_delay: Duration,
    /// `maxReplicas`.
    pub max_replicas: u32,
}

/// What it looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Load {
    /// Waiting and in work.
    messages: f64,
    sent_per_minute: f64,
    workers: u32,
}

impl WorkerPod {
    /// `maxDisruption` is left at its default of 100 %: one step may take all workers.
    fn wanted(&self, load: Load) -> u32 {
        let per_second = load.sent_per_minute / 60.0;
        let least = whole_replicas(self.seconds_per_message * per_second);
        let needed = whole_replicas(load.messages / self.messages_per_worker);
        let change = f64::from(needed.abs_diff(load.workers));
        let is_near = load.workers > 0 && change <= TOLERANCE * f64::from(load.workers);
        let wanted = match load.messages > 0.0 {
            true if is_near => load.workers,
            true => needed,
            false => 0,
        };
        wanted.max(least).min(self.max_replicas)
    }
}

/// The loop that applies the formula.
#[derive(Debug)]
pub(in crate::simulation) struct WorkerPodLoop {
    settings: WorkerPod,
    pub(in crate::simulation) next_at: Duration,
    /// When it last changed the number of workers.
    changed_at: Option<Duration>,
}

impl WorkerPodLoop {
    pub(in crate::simulation) fn new(settings: WorkerPod) -> Self {
        Self {
            settings,
            next_at: Duration::ZERO,
            changed_at: None,
        }
    }

    pub(in crate::simulation) fn act(
        &mut self,
        now: Duration,
        sight: &mut Sight<'_>,
    ) -> Option<u32> {
        self.next_at = now + INTERVAL;
        let seen = sight.counts_seen(now)?;
        let readable_since = now.checked_sub(MINUTES_LEFT_OUT).unwrap_or_default();
        let minutes = sight.cloudwatch.published(readable_since).take(MINUTES);
        let (sent, minutes) = minutes.fold((0, 0), |(sent, minutes), minute| {
            (sent + minute.sent, minutes + 1)
        });
        let wanted = self.settings.wanted(Load {
            messages: seen.visible + seen.in_flight,
            sent_per_minute: share(real(sent), real(minutes)),
            workers: sight.replicas,
        });
        self.paced(wanted, sight.replicas, now)
    }

    /// Up at once, down only a while after the last change.
    fn paced(&mut self, wanted: u32, workers: u32, now: Duration) -> Option<u32> {
        let delay = self.settings.scale_down_delay;
        let may_fall = self.changed_at.is_none_or(|at| now > at + delay);
        let changes = wanted > workers || (wanted < workers && may_fall);
        changes.then(|| {
            self.changed_at = Some(now);
            wanted
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_settings() -> WorkerPod {
        WorkerPod {
            messages_per_worker: 10.0,
            seconds_per_message: 2.0,
            scale_down_delay: Duration::from_mins(10),
            max_replicas: 50,
        }
    }

    #[test]
    fn workers_follow_messages_rate_and_tolerance() {
        for (messages, sent_per_minute, workers, wanted) in [
            (95.0, 0.0, 0, 10),
            (95.0, 0.0, 10, 10),
            (91.0, 0.0, 11, 11),
            (200.0, 0.0, 10, 20),
            (5.0, 0.0, 10, 1),
            (4.0, 0.0, 0, 1),
            (0.0, 0.0, 10, 0),
            (4.0, 90.0, 10, 3),
            (0.0, 90.0, 10, 3),
            (9_999.0, 0.0, 10, 50),
        ] {
            let load = Load {
                messages,
                sent_per_minute,
                workers,
            };
            assert_eq!(given_settings().wanted(load), wanted, "{load:?}");
        }
    }

    #[test]
    fn fewer_workers_wait_for_ten_minutes_without_a_change() {
        let mut pace = WorkerPodLoop::new(given_settings());
        let at = Duration::from_secs;
        assert_eq!(pace.paced(8, 2, at(100)), Some(8));
        assert_eq!(pace.paced(3, 8, at(700)), None);
        assert_eq!(pace.paced(9, 8, at(700)), Some(9));
        assert_eq!(pace.paced(3, 9, at(1_300)), None);
        assert_eq!(pace.paced(3, 9, at(1_301)), Some(3));
    }
}
