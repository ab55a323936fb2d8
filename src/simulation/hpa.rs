//! The HorizontalPodAutoscaler's half of scaling: between one replica and many. Pure.
//!
//! An external metric with an `AverageValue` target, with or without `behavior`, as Kubernetes
//! computes it.

use std::{collections::VecDeque, fmt, time::Duration};

use super::behavior::{Behavior, Changes};

/// `--horizontal-pod-autoscaler-sync-period`.
pub const SYNC_INTERVAL: Duration = Duration::from_secs(15);

/// Without `behavior` one sync goes up to this many replicas, or doubles them.
const RAMP_REPLICAS: u32 = 4;

/// What an autoscaler is told once.
#[derive(Debug, Clone, PartialEq)]
pub struct AutoscalerSettings {
    /// The fewest replicas; Kubernetes keeps at least one.
    pub min_replicas: u32,
    /// The most replicas.
    pub max_replicas: u32,
    /// A metric this close to its target changes nothing, as a share of it
    /// (`--horizontal-pod-autoscaler-tolerance`).
    pub tolerance: f64,
    /// How long a recommendation holds back a smaller one while there is no `behavior`
    /// (`--horizontal-pod-autoscaler-downscale-stabilization`).
    pub downscale_window: Duration,
    /// `behavior`, where the object has one.
    pub behavior: Option<Behavior>,
}

impl Default for AutoscalerSettings {
    fn default() -> Self {
        Self {
            min_replicas: 1,
            max_replicas: 100,
            tolerance: 0.1,
            downscale_window: Duration::from_mins(5),
            behavior: None,
        }
    }
}

/// The autoscaler of one workload.
#[derive(Debug)]
pub struct Autoscaler {
    settings: AutoscalerSettings,
    /// What was recommended within the longest window, oldest first.
    recommendations: VecDeque<(Duration, u32)>,
    changes: Changes,
}

/// An external metric as the autoscaler reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    pub value: f64,
    /// What one replica is worth of it.
    pub target: f64,
}

/// What a sync came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sync {
    /// What is set.
    pub replicas: u32,
    /// What the metric alone would have set.
    pub wanted: u32,
    pub bound_by: Bound,
}

/// What determined the outcome of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
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
    pub fn new(settings: AutoscalerSettings) -> Self {
        Self {
            settings,
            recommendations: VecDeque::new(),
            changes: Changes::default(),
        }
    }

    /// The replicas to set at `now`, where `current` are set.
    pub fn sync(&mut self, metric: Metric, current: u32, now: Duration) -> Sync {
        let (wanted, near) = recommended(metric, current, self.settings.tolerance);
        let stable = self.stabilized(wanted, current, now);
        let (fewest, most) = self.reach(current, now);
        let (min, max) = (
            self.settings.min_replicas.max(1),
            self.settings.max_replicas,
        );
        let replicas = stable.clamp(fewest, most).min(max).max(min);
        self.changes.note(now, current, replicas);
        let bound_by = match replicas {
            same if same == wanted => near,
            same if same == max => Bound::MaxReplicas,
            same if same == most || same == fewest => Bound::Ramp,
            same if same == min => Bound::MinReplicas,
            _ => Bound::Stabilization,
        };
        Sync {
            replicas,
            wanted,
            bound_by,
        }
    }

    /// Forgets what was recommended: at zero replicas Kubernetes does not ask for metrics.
    pub fn rest(&mut self) {
        self.recommendations.clear();
        self.changes.clear();
    }

    /// What was recommended within the windows, with what is `wanted` now.
    fn stabilized(&mut self, wanted: u32, current: u32, now: Duration) -> u32 {
        let (up, down) = match &self.settings.behavior {
            None => (Duration::ZERO, self.settings.downscale_window),
            Some(rules) => (
                rules.up.stabilization_window,
                rules.down.stabilization_window,
            ),
        };
        self.recommendations.push_back((now, wanted));
        let oldest = now.saturating_sub(up.max(down));
        self.recommendations.retain(|&(at, _)| at >= oldest);
        let within = |window: Duration| {
            let recent = self.recommendations.iter();
            recent
                .filter(move |(at, _)| now.saturating_sub(*at) <= window)
                .map(|&(_, replicas)| replicas)
        };
        let least = within(up).min().unwrap_or(wanted);
        let most = within(down).max().unwrap_or(wanted);
        if self.settings.behavior.is_none() {
            return most;
        }
        // The same order as in Kubernetes: a rise is held back first, then a fall.
        current.max(least).min(most)
    }

    /// The fewest and the most replicas that one sync may reach from `current`.
    fn reach(&self, current: u32, now: Duration) -> (u32, u32) {
        match &self.settings.behavior {
            None => (0, current.saturating_mul(2).max(RAMP_REPLICAS)),
            Some(rules) => (
                self.changes.fewest(&rules.down, current, now),
                self.changes.most(&rules.up, current, now),
            ),
        }
    }
}

/// `ceil(value / target)`, or the current number when that is near enough.
fn recommended(Metric { value, target }: Metric, current: u32, tolerance: f64) -> (u32, Bound) {
    let usage = value / (target * f64::from(current));
    if (usage - 1.0).abs() <= tolerance {
        (current, Bound::Tolerance)
    } else {
        (whole_replicas(value / target), Bound::Metric)
    }
}

/// The whole replicas that a number of them takes: not a number is none, too many the most there are.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and not a number becomes 0"
)]
pub(super) fn whole_replicas(replicas: f64) -> u32 {
    replicas.ceil() as u32
}

#[cfg(test)]
#[path = "hpa_tests.rs"]
mod tests;
