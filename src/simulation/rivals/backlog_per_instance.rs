//! AWS's advice for Auto Scaling groups: target tracking of the backlog per instance. One instance
//! always runs.

use std::time::Duration;

use crate::simulation::{control::Sight, hpa::whole_replicas};

/// The metric is published once a minute.
const INTERVAL: Duration = Duration::from_mins(1);

/// Target tracking scales out after so many minutes above the target.
const MINUTES_ABOVE: u32 = 3;

/// It scales in after so many minutes well below it.
const MINUTES_BELOW: u32 = 15;

/// Well below is below this share of the target.
const WELL_BELOW: f64 = 0.9;

/// Its settings for one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct BacklogPerInstance {
    /// Messages an instance may have waiting: the longest wait divided by the time a message takes.
    pub acceptable_backlog: f64,
    pub max_replicas: u32,
}

/// The alarms and what they do.
#[derive(Debug)]
pub(in crate::simulation) struct TargetTracking {
    settings: BacklogPerInstance,
    pub(in crate::simulation) next_at: Duration,
    minutes_above: u32,
    minutes_below: u32,
}

impl TargetTracking {
    pub(in crate::simulation) fn new(settings: BacklogPerInstance) -> Self {
        Self {
            settings,
            next_at: Duration::ZERO,
            minutes_above: 0,
            minutes_below: 0,
        }
    }

    pub(in crate::simulation) fn act(
        &mut self,
        now: Duration,
        sight: &mut Sight<'_>,
    ) -> Option<u32> {
        self.next_at = now + INTERVAL;
        let seen = sight.counts_seen(now)?;
        Some(self.track(seen.visible, sight.ready, sight.replicas))
    }

    /// The replicas to set after another minute with `visible` messages for the `ready` instances.
    fn track(&mut self, visible: f64, ready: u32, replicas: u32) -> u32 {
        let usage = visible / f64::from(ready.max(1)) / self.settings.acceptable_backlog;
        self.minutes_above = if usage > 1.0 {
            self.minutes_above + 1
        } else {
            0
        };
        self.minutes_below = if usage < WELL_BELOW {
            self.minutes_below + 1
        } else {
            0
        };
        let in_proportion = whole_replicas(f64::from(ready.max(1)) * usage);
        // An alarm acts every minute for as long as it lasts.
        let wanted = if self.minutes_above >= MINUTES_ABOVE {
            in_proportion.max(replicas)
        } else if self.minutes_below >= MINUTES_BELOW {
            in_proportion.min(replicas)
        } else {
            replicas
        };
        wanted.min(self.settings.max_replicas).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_tracking() -> TargetTracking {
        TargetTracking::new(BacklogPerInstance {
            acceptable_backlog: 100.0,
            max_replicas: 20,
        })
    }

    /// The numbers of AWS's example: 1500 messages, ten instances, 100 acceptable: five more.
    #[test]
    fn from_three_minutes_above_on_it_scales_out_in_proportion() {
        let mut tracking = given_tracking();
        let wanted = [(); 3].map(|()| tracking.track(1_500.0, 10, 10));
        assert_eq!(wanted, [10, 10, 15]);
        // Those that start are not counted twice, and a backlog that grows goes on to add.
        assert_eq!(tracking.track(1_500.0, 10, 15), 15);
        assert_eq!(tracking.track(1_900.0, 12, 15), 19);
    }

    #[test]
    fn fifteen_minutes_below_scale_in_but_one_is_kept() {
        let mut tracking = given_tracking();
        let wanted: Vec<u32> = (0..15).map(|_| tracking.track(0.0, 10, 10)).collect();
        assert!(wanted[..14].iter().all(|wanted| *wanted == 10));
        assert_eq!(wanted[14], 1);
    }
}
