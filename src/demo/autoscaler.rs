//! The HorizontalPodAutoscaler's half of scaling: between one replica and many. Pure.
//!
//! An external metric with an `AverageValue` target and no `behavior`, as Kubernetes computes it.

use std::{collections::VecDeque, fmt, time::Duration};

/// A metric this close to its target changes nothing (`--horizontal-pod-autoscaler-tolerance`).
const TOLERANCE: f64 = 0.1;

/// Without `behavior` one sync goes up to this many replicas, or doubles them.
const RAMP_REPLICAS: u32 = 4;

/// The autoscaler of one workload.
#[derive(Debug)]
pub(super) struct Autoscaler {
    max_replicas: u32,
    stabilization_window: Duration,
    /// What was recommended within the stabilisation window, oldest first.
    recommendations: VecDeque<(Duration, u32)>,
}

/// An external metric as the autoscaler reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Metric {
    pub(super) value: f64,
    /// What one replica is worth of it.
    pub(super) target: f64,
}

/// What a sync came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sync {
    /// What is set.
    pub(super) replicas: u32,
    /// What the metric alone would have set.
    pub(super) wanted: u32,
    pub(super) bound_by: Bound,
}

/// What determined the outcome of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Metric,
    Tolerance,
    Stabilization,
    Ramp,
    MinReplicas,
    MaxReplicas,
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Metric => "as wanted",
            Self::Tolerance => "near enough to the target to stay",
            Self::Stabilization => "more was wanted a moment ago",
            Self::Ramp => "one step at most doubles, or goes to 4",
            Self::MinReplicas => "an autoscaler keeps one",
            Self::MaxReplicas => "maxReplicaCount",
        })
    }
}

impl Autoscaler {
    pub(super) fn new(max_replicas: u32, stabilization_window: Duration) -> Self {
        Self {
            max_replicas,
            stabilization_window,
            recommendations: VecDeque::new(),
        }
    }

    /// The replicas to set at `now`, where `current` are set.
    pub(super) fn sync(&mut self, metric: Metric, current: u32, now: Duration) -> Sync {
        let (wanted, bound_by) = recommended(metric, current);
        self.recommendations.push_back((now, wanted));
        let oldest = now.saturating_sub(self.stabilization_window);
        self.recommendations.retain(|&(at, _)| at >= oldest);
        let most = self
            .recommendations
            .iter()
            .map(|&(_, replicas)| replicas)
            .max();
        let stable = most.unwrap_or(wanted);
        let ramp = current.saturating_mul(2).max(RAMP_REPLICAS);
        let replicas = stable.min(ramp).min(self.max_replicas).max(1);
        let bound_by = match replicas {
            same if same == wanted => bound_by,
            same if same == self.max_replicas => Bound::MaxReplicas,
            same if same == ramp => Bound::Ramp,
            1 => Bound::MinReplicas,
            _ => Bound::Stabilization,
        };
        Sync {
            replicas,
            wanted,
            bound_by,
        }
    }

    /// Forgets what was recommended: at zero replicas Kubernetes does not ask for metrics.
    pub(super) fn rest(&mut self) {
        self.recommendations.clear();
    }
}

/// `ceil(value / target)`, or the current number when that is near enough.
fn recommended(Metric { value, target }: Metric, current: u32) -> (u32, Bound) {
    let usage = value / (target * f64::from(current));
    if (usage - 1.0).abs() <= TOLERANCE {
        (current, Bound::Tolerance)
    } else {
        (whole_replicas(value / target), Bound::Metric)
    }
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and not a number becomes 0"
)]
fn whole_replicas(replicas: f64) -> u32 {
    replicas.ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_mins(5);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// So many messages, five for each replica.
    fn messages(value: f64) -> Metric {
        Metric { value, target: 5.0 }
    }

    #[test]
    fn without_behavior_a_hundred_replicas_take_six_syncs() {
        let mut autoscaler = Autoscaler::new(100, WINDOW);
        let mut current = 1;
        let mut ramp = Vec::new();
        for sync in 0..6 {
            current = autoscaler
                .sync(messages(1_000.0), current, at(15 * sync))
                .replicas;
            ramp.push(current);
        }
        assert_eq!(ramp, [4, 8, 16, 32, 64, 100]);
    }

    #[test]
    fn a_metric_near_its_target_changes_nothing() {
        let sync = Autoscaler::new(100, WINDOW).sync(messages(105.0), 20, at(0));
        assert_eq!(
            sync,
            Sync {
                replicas: 20,
                wanted: 20,
                bound_by: Bound::Tolerance
            }
        );
    }

    #[test]
    fn scaling_down_waits_for_the_stabilisation_window() {
        let mut autoscaler = Autoscaler::new(100, WINDOW);
        assert_eq!(autoscaler.sync(messages(50.0), 10, at(0)).replicas, 10);
        let held = autoscaler.sync(messages(0.0), 10, at(299));
        assert_eq!(
            held,
            Sync {
                replicas: 10,
                wanted: 0,
                bound_by: Bound::Stabilization
            }
        );
        assert_eq!(autoscaler.sync(messages(0.0), 10, at(301)).replicas, 1);
    }

    #[test]
    fn the_maximum_holds() {
        let sync = Autoscaler::new(10, WINDOW).sync(messages(1e12), 8, at(0));
        assert_eq!(
            sync,
            Sync {
                replicas: 10,
                wanted: u32::MAX,
                bound_by: Bound::MaxReplicas
            }
        );
    }
}
