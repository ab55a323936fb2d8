//! A step scaler, as kube-sqs-autoscaler: a few pods more above one threshold, a few fewer below
//! another, with a pause after each step. One pod always runs.

use std::time::Duration;

use crate::simulation::control::Sight;

/// `--poll-period`.
const INTERVAL: Duration = Duration::from_secs(5);

/// Its settings for one queue; the defaults are its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `--scale-up-messages`.
    pub up_messages: f64,
    /// `--scale-down-messages`.
    pub down_messages: f64,
    /// `--scale-up-pods` and `--scale-down-pods`.
    pub pods: u32,
    /// `--scale-up-cool-down`.
    pub up_pause: Duration,
    /// `--scale-down-cool-down`.
    pub down_pause: Duration,
    /// `--max-pods`.
    pub max_replicas: u32,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            up_messages: 100.0,
            down_messages: 10.0,
            pods: 1,
            up_pause: Duration::from_secs(10),
            down_pause: Duration::from_secs(30),
            max_replicas: 100,
        }
    }
}

/// The loop that takes the steps.
#[derive(Debug)]
pub(in crate::simulation) struct StepLoop {
    settings: Step,
    pub(in crate::simulation) next_at: Duration,
    may_rise_at: Duration,
    may_fall_at: Duration,
}

impl StepLoop {
    pub(in crate::simulation) fn new(settings: Step) -> Self {
        Self {
            settings,
            next_at: Duration::ZERO,
            may_rise_at: Duration::ZERO,
            may_fall_at: Duration::ZERO,
        }
    }

    pub(in crate::simulation) fn act(
        &mut self,
        now: Duration,
        sight: &mut Sight<'_>,
    ) -> Option<u32> {
        self.next_at = now + INTERVAL;
        let seen = sight.counts_seen(now)?;
        Some(self.step(seen.visible, sight.replicas, now))
    }

    fn step(&mut self, visible: f64, replicas: u32, now: Duration) -> u32 {
        let settings = &self.settings;
        let wanted = if visible >= settings.up_messages && now >= self.may_rise_at {
            self.may_rise_at = now + settings.up_pause;
            replicas.saturating_add(settings.pods)
        } else if visible <= settings.down_messages && now >= self.may_fall_at {
            self.may_fall_at = now + settings.down_pause;
            replicas.saturating_sub(settings.pods)
        } else {
            replicas
        };
        wanted.min(settings.max_replicas).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_followed_by_a_pause() {
        let mut steps = StepLoop::new(Step::default());
        let (mut replicas, mut seen) = (1, Vec::new());
        for (seconds, visible) in [
            (0, 500.0),
            (5, 500.0),
            (10, 500.0),
            (15, 50.0),
            (20, 5.0),
            (45, 5.0),
            (50, 5.0),
        ] {
            replicas = steps.step(visible, replicas, Duration::from_secs(seconds));
            seen.push(replicas);
        }
        assert_eq!(seen, [2, 2, 3, 3, 2, 2, 1]);
    }
}
