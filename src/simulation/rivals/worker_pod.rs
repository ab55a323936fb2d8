//! practo's worker-pod-autoscaler: a backlog for each worker, and never fewer workers than the rate of
//! arrivals needs.

use std::time::Duration;

use crate::simulation::{
    control::Sight,
    hpa::whole_replicas,
    numbers::{real, share},
};

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(20);

/// It reads the rate of arrivals from so many minutes of CloudWatch.
const MINUTES: usize = 5;

/// A number of workers this close to what is there changes nothing.
const TOLERANCE: f64 = 0.1;

/// Its settings for one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerPod {
    /// `targetMessagesPerWorker`.
    pub messages_per_worker: f64,
    /// `secondsToProcessOneJob`, of a worker with all its slots busy.
    pub seconds_per_message: f64,
    /// `maxReplicas`.
    pub max_replicas: u32,
}

/// What it looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Load {
    visible: f64,
    in_flight: f64,
    sent_per_minute: f64,
    workers: u32,
}

impl WorkerPod {
    fn wanted(&self, load: Load) -> u32 {
        let per_second = load.sent_per_minute / 60.0;
        let least = whole_replicas(self.seconds_per_message * per_second);
        let needed = load.visible / self.messages_per_worker;
        let usage = share(needed, f64::from(load.workers));
        let wanted = if load.workers == 0 {
            whole_replicas(needed)
        } else if load.visible > 0.0 {
            let is_near = (usage - 1.0).abs() <= TOLERANCE || needed < 1.0;
            if is_near {
                load.workers
            } else {
                whole_replicas(needed)
            }
        } else if load.sent_per_minute > 0.0 || load.in_flight <= 0.0 {
            0
        } else {
            // Somebody is at work, and it cannot know who.
            load.workers
        };
        wanted.max(least).min(self.max_replicas)
    }
}

/// The loop that applies the formula.
#[derive(Debug)]
pub(in crate::simulation) struct WorkerPodLoop {
    pub(in crate::simulation) settings: WorkerPod,
    pub(in crate::simulation) next_at: Duration,
}

impl WorkerPodLoop {
    pub(in crate::simulation) fn act(
        &mut self,
        now: Duration,
        sight: &mut Sight<'_>,
    ) -> Option<u32> {
        self.next_at = now + INTERVAL;
        let seen = sight.counts_seen(now)?;
        let minutes: Vec<_> = sight.cloudwatch.published(now).take(MINUTES).collect();
        let sent: u64 = minutes.iter().map(|minute| minute.sent).sum();
        let published = u64::try_from(minutes.len()).unwrap_or_default();
        Some(self.settings.wanted(Load {
            visible: seen.visible,
            in_flight: seen.in_flight,
            sent_per_minute: share(real(sent), real(published)),
            workers: sight.replicas,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_follow_backlog_rate_and_tolerance() {
        let settings = WorkerPod {
            messages_per_worker: 10.0,
            seconds_per_message: 2.0,
            max_replicas: 50,
        };
        for (visible, in_flight, sent_per_minute, workers, wanted) in [
            (95.0, 0.0, 0.0, 0, 10),
            (95.0, 0.0, 0.0, 10, 10),
            (200.0, 0.0, 0.0, 10, 20),
            (5.0, 0.0, 0.0, 10, 10),
            (0.0, 4.0, 0.0, 10, 10),
            (0.0, 0.0, 0.0, 10, 0),
            (0.0, 4.0, 90.0, 10, 3),
            (9_999.0, 0.0, 0.0, 10, 50),
        ] {
            let load = Load {
                visible,
                in_flight,
                sent_per_minute,
                workers,
            };
            assert_eq!(settings.wanted(load), wanted, "{load:?}");
        }
    }
}
