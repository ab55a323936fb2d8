//! KEDA's half of scaling, as its executor does it: from zero, back to zero, and what it shows the
//! autoscaler while a scaler fails. Pure: it knows no scaler and no clock.

use std::time::Duration;

use super::hpa::Metric;

/// The part of a ScaledObject that the executor reads; the defaults are KEDA's.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaledObject {
    /// `minReplicaCount`.
    pub min_replicas: u32,
    /// `maxReplicaCount`.
    pub max_replicas: u32,
    /// `idleReplicaCount`: what is kept while there is nothing to do, below `minReplicaCount`.
    pub idle_replicas: Option<u32>,
    /// `pollingInterval`.
    pub polling_interval: Duration,
    /// `cooldownPeriod`.
    pub cooldown: Duration,
    /// `fallback`.
    pub fallback: Option<Fallback>,
}

impl Default for ScaledObject {
    fn default() -> Self {
        Self {
            min_replicas: 0,
            max_replicas: 100,
            idle_replicas: None,
            polling_interval: Duration::from_secs(30),
            cooldown: Duration::from_mins(5),
            fallback: None,
        }
    }
}

impl ScaledObject {
    /// The replicas kept while there is nothing to do.
    fn resting_replicas(&self) -> u32 {
        self.idle_replicas.unwrap_or(self.min_replicas)
    }
}

/// What KEDA reports in the place of a scaler that keeps failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// `failureThreshold`: it begins with one failure more than this.
    pub failure_threshold: u32,
    /// `replicas`.
    pub replicas: u32,
}

/// KEDA's scale loop for one ScaledObject.
#[derive(Debug)]
pub struct Executor {
    object: ScaledObject,
    last_active: Option<Duration>,
    failures: u32,
}

impl Executor {
    pub fn new(object: ScaledObject) -> Self {
        Self {
            object,
            last_active: None,
            failures: 0,
        }
    }

    /// The replicas to set at `now`, where the executor sets any. `is_active` is None when the scaler
    /// could not be asked: then nothing happens.
    pub fn act(&mut self, is_active: Option<bool>, replicas: u32, now: Duration) -> Option<u32> {
        if is_active? {
            self.last_active = Some(now);
            return self.wake(replicas);
        }
        let resting = self.object.resting_replicas();
        if replicas < resting {
            return Some(resting);
        }
        // Straight down, past the autoscaler and its policies.
        let sleeps = self.object.idle_replicas.is_some() || self.object.min_replicas == 0;
        let idle_since = self.last_active.unwrap_or_default();
        let has_cooled_down = now.saturating_sub(idle_since) >= self.object.cooldown;
        (sleeps && replicas > resting && has_cooled_down).then_some(resting)
    }

    /// Never more than the minimum, however much work there is: the rest is the autoscaler's.
    fn wake(&self, replicas: u32) -> Option<u32> {
        let awake = self.object.min_replicas.max(1);
        let is_idle = self.object.idle_replicas.is_some() && replicas < self.object.min_replicas;
        (replicas == 0 || is_idle).then_some(awake)
    }

    /// What the autoscaler is shown for an answer of the scaler: the answer, or the fallback once
    /// enough calls have failed in a row. `target` is what one replica is worth.
    pub fn metric(&mut self, answer: Option<Metric>, target: f64) -> Option<Metric> {
        if answer.is_some() {
            self.failures = 0;
            return answer;
        }
        self.failures = self.failures.saturating_add(1);
        let fallback = self.object.fallback?;
        (self.failures > fallback.failure_threshold).then(|| Metric {
            value: target * f64::from(fallback.replicas),
            target,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn given_executor(min_replicas: u32, idle_replicas: Option<u32>) -> Executor {
        Executor::new(ScaledObject {
            min_replicas,
            idle_replicas,
            cooldown: COOLDOWN,
            ..ScaledObject::default()
        })
    }

    #[test]
    fn work_wakes_one_replica() {
        let mut executor = given_executor(0, None);
        assert_eq!(executor.act(Some(true), 0, at(1)), Some(1));
        assert_eq!(executor.act(Some(true), 1, at(2)), None);
    }

    #[test]
    fn the_cooldown_runs_from_the_last_active_poll_and_ends_at_zero_at_once() {
        let mut executor = given_executor(0, None);
        executor.act(Some(true), 30, at(100));
        assert_eq!(executor.act(Some(false), 30, at(109)), None);
        assert_eq!(executor.act(Some(false), 30, at(110)), Some(0));
    }

    #[test]
    fn not_knowing_does_nothing() {
        let mut executor = given_executor(0, None);
        executor.act(Some(true), 3, at(0));
        assert_eq!(executor.act(None, 3, at(1_000)), None);
    }

    #[test]
    fn a_minimum_is_kept_whatever_the_scaler_says() {
        let mut executor = given_executor(2, None);
        assert_eq!(executor.act(Some(false), 0, at(0)), Some(2));
        assert_eq!(executor.act(Some(false), 5, at(1_000)), None);
        assert_eq!(executor.act(Some(true), 0, at(1_000)), Some(2));
    }

    #[test]
    fn idle_replicas_are_left_for_the_minimum_and_come_back_after_the_cooldown() {
        let mut executor = given_executor(3, Some(1));
        assert_eq!(executor.act(Some(true), 1, at(0)), Some(3));
        assert_eq!(executor.act(Some(false), 8, at(9)), None);
        assert_eq!(executor.act(Some(false), 8, at(10)), Some(1));
    }

    #[test]
    fn the_fallback_begins_after_the_threshold_and_ends_with_the_first_answer() {
        let mut executor = Executor::new(ScaledObject {
            fallback: Some(Fallback {
                failure_threshold: 2,
                replicas: 6,
            }),
            ..ScaledObject::default()
        });
        let stand_in = Metric {
            value: 30.0,
            target: 5.0,
        };
        let shown = [(); 4].map(|()| executor.metric(None, 5.0));
        assert_eq!(shown, [None, None, Some(stand_in), Some(stand_in)]);
        let answer = Metric {
            value: 7.0,
            target: 5.0,
        };
        assert_eq!(executor.metric(Some(answer), 5.0), Some(answer));
        assert_eq!(executor.metric(None, 5.0), None);
    }
}
