//! KEDA's half of scaling, as its executor does it: from zero, and back to zero. Pure.

use std::time::Duration;

/// The part of a ScaledObject that the executor reads. `minReplicaCount` is 0.
#[derive(Debug)]
pub(super) struct Executor {
    cooldown: Duration,
    last_active: Option<Duration>,
}

impl Executor {
    /// `cooldown` is `cooldownPeriod`.
    pub(super) fn new(cooldown: Duration) -> Self {
        Self {
            cooldown,
            last_active: None,
        }
    }

    /// The replicas to set at `now`, where the executor sets any. `is_active` is None when the scaler
    /// could not be asked: then nothing happens.
    pub(super) fn act(
        &mut self,
        is_active: Option<bool>,
        replicas: u32,
        now: Duration,
    ) -> Option<u32> {
        if is_active? {
            self.last_active = Some(now);
            // Never more than one, however much work there is: the rest is the autoscaler's.
            return (replicas == 0).then_some(1);
        }
        let idle_since = self.last_active.unwrap_or_default();
        let has_cooled_down = now.saturating_sub(idle_since) >= self.cooldown;
        (replicas > 0 && has_cooled_down).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn work_wakes_one_replica() {
        let mut executor = Executor::new(COOLDOWN);
        assert_eq!(executor.act(Some(true), 0, at(1)), Some(1));
        assert_eq!(executor.act(Some(true), 1, at(2)), None);
    }

    #[test]
    fn the_cooldown_runs_from_the_last_active_poll() {
        let mut executor = Executor::new(COOLDOWN);
        executor.act(Some(true), 3, at(100));
        assert_eq!(executor.act(Some(false), 3, at(109)), None);
        assert_eq!(executor.act(Some(false), 3, at(110)), Some(0));
    }

    #[test]
    fn not_knowing_does_nothing() {
        let mut executor = Executor::new(COOLDOWN);
        executor.act(Some(true), 3, at(0));
        assert_eq!(executor.act(None, 3, at(1_000)), None);
    }
}
