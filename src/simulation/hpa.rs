//! The HorizontalPodAutoscaler's half of scaling: between one replica and many. Pure.
//!
//! An external metric with an `AverageValue` target, with or without `behavior`, as Kubernetes
//! computes it.

use std::{collections::VecDeque, fmt, time::Duration};

use super::behavior::{Behavior, Changes};

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
mod tests {
    use super::{super::behavior::Limit, *};

    fn given_autoscaler(max_replicas: u32, behavior: Option<Behavior>) -> Autoscaler {
        Autoscaler::new(AutoscalerSettings {
            max_replicas,
            behavior,
            ..AutoscalerSettings::default()
        })
    }

    fn given_ramp(autoscaler: &mut Autoscaler, value: f64, syncs: u64) -> Vec<u32> {
        let mut current = 1;
        (0..syncs)
            .map(|sync| {
                current = autoscaler
                    .sync(messages(value), current, at(15 * sync))
                    .replicas;
                current
            })
            .collect()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// So many messages, five for each replica.
    fn messages(value: f64) -> Metric {
        Metric { value, target: 5.0 }
    }

    #[test]
    fn without_behavior_a_hundred_replicas_take_six_syncs() {
        let ramp = given_ramp(&mut given_autoscaler(100, None), 1_000.0, 6);
        assert_eq!(ramp, [4, 8, 16, 32, 64, 100]);
    }

    #[test]
    fn a_metric_near_its_target_changes_nothing() {
        let sync = given_autoscaler(100, None).sync(messages(105.0), 20, at(0));
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
        let mut autoscaler = given_autoscaler(100, None);
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
        let sync = given_autoscaler(10, None).sync(messages(1e12), 8, at(0));
        assert_eq!(
            sync,
            Sync {
                replicas: 10,
                wanted: u32::MAX,
                bound_by: Bound::MaxReplicas
            }
        );
    }

    #[test]
    fn eight_replicas_are_reached_by_way_of_four() {
        let ramp = given_ramp(&mut given_autoscaler(100, None), 40.0, 3);
        assert_eq!(ramp, [4, 8, 8]);
    }

    #[test]
    fn the_default_behavior_adds_four_or_doubles() {
        let mut autoscaler = given_autoscaler(100, Some(Behavior::default()));
        let ramp = given_ramp(&mut autoscaler, 1_000.0, 6);
        assert_eq!(ramp, [5, 10, 20, 40, 80, 100]);
    }

    #[test]
    fn a_behavior_of_many_pods_goes_up_in_one_step() {
        let mut behavior = Behavior::default();
        behavior.up.limits = vec![Limit::pods(200, 15)];
        let mut autoscaler = given_autoscaler(100, Some(behavior));
        assert_eq!(given_ramp(&mut autoscaler, 400.0, 1), [80]);
    }

    #[test]
    fn a_window_for_scaling_up_waits_until_more_is_wanted_throughout() {
        let mut behavior = Behavior::default();
        behavior.up.stabilization_window = Duration::from_secs(30);
        let mut autoscaler = given_autoscaler(100, Some(behavior));
        assert_eq!(autoscaler.sync(messages(10.0), 2, at(0)).replicas, 2);
        assert_eq!(autoscaler.sync(messages(50.0), 2, at(15)).replicas, 2);
        assert_eq!(autoscaler.sync(messages(50.0), 2, at(45)).replicas, 6);
    }

    #[test]
    fn scaling_down_goes_in_the_steps_that_behavior_allows() {
        let mut behavior = Behavior::default();
        behavior.down.stabilization_window = Duration::ZERO;
        behavior.down.limits = vec![Limit::pods(2, 60)];
        let mut autoscaler = given_autoscaler(100, Some(behavior));
        let mut down = Vec::new();
        let mut current = 10;
        for seconds in [0, 15, 45, 60] {
            current = autoscaler
                .sync(messages(5.0), current, at(seconds))
                .replicas;
            down.push(current);
        }
        assert_eq!(down, [8, 8, 8, 6]);
    }

    #[test]
    fn a_tolerance_of_nothing_follows_every_change() {
        let mut autoscaler = Autoscaler::new(AutoscalerSettings {
            tolerance: 0.0,
            ..AutoscalerSettings::default()
        });
        assert_eq!(autoscaler.sync(messages(105.0), 20, at(0)).replicas, 21);
    }
}
