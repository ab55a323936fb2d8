//! The autoscaler's `behavior`: how fast one direction may go, and how long it waits. Pure.

use std::time::Duration;

/// `spec.behavior` of a HorizontalPodAutoscaler. A direction that is left out has the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    /// `scaleUp`.
    pub up: ScalingRules,
    /// `scaleDown`.
    pub down: ScalingRules,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            up: ScalingRules {
                stabilization_window: Duration::ZERO,
                select: Select::Max,
                limits: vec![Limit::percent(100, 15), Limit::pods(4, 15)],
            },
            down: ScalingRules {
                stabilization_window: Duration::from_mins(5),
                select: Select::Max,
                limits: vec![Limit::percent(100, 15)],
            },
        }
    }
}

/// The rules of one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingRules {
    /// `stabilizationWindowSeconds`.
    pub stabilization_window: Duration,
    /// `selectPolicy`.
    pub select: Select,
    /// `policies`.
    pub limits: Vec<Limit>,
}

/// Which of several limits holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The one that allows the greatest change.
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: this direction is off.
    Disabled,
}

/// How much may change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How much.
    pub step: Step,
    /// `periodSeconds`.
    pub period: Duration,
}

/// A change of the number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many pods.
    Pods(u32),
    /// So many percent of what there was when the period began.
    Percent(u32),
}

impl Limit {
    /// At most `pods` within `period_seconds`.
    pub fn pods(pods: u32, period_seconds: u64) -> Self {
        Self {
            step: Step::Pods(pods),
            period: Duration::from_secs(period_seconds),
        }
    }

    /// At most `percent` within `period_seconds`.
    pub fn percent(percent: u32, period_seconds: u64) -> Self {
        Self {
            step: Step::Percent(percent),
            period: Duration::from_secs(period_seconds),
        }
    }

    /// The most replicas, from `start` at the period's beginning. Percents are rounded up.
    fn up_from(self, start: u32) -> u32 {
        match self.step {
            Step::Pods(pods) => start.saturating_add(pods),
            Step::Percent(percent) => {
                let added = (u64::from(start) * u64::from(percent)).div_ceil(100);
                start.saturating_add(u32::try_from(added).unwrap_or(u32::MAX))
            }
        }
    }

    /// The fewest replicas, from `start` at the period's beginning. What is left is rounded down.
    fn down_from(self, start: u32) -> u32 {
        match self.step {
            Step::Pods(pods) => start.saturating_sub(pods),
            Step::Percent(percent) => {
                let left = u64::from(start) * u64::from(100_u32.saturating_sub(percent)) / 100;
                u32::try_from(left).unwrap_or(u32::MAX)
            }
        }
    }
}

/// The changes an autoscaler made, as far as a limit may look back.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// When, and by how many replicas.
    made: Vec<(Duration, i64)>,
}

/// Kubernetes allows periods up to half an hour.
const PERIOD_MAX: Duration = Duration::from_mins(30);

impl Changes {
    pub(super) fn note(&mut self, now: Duration, from: u32, to: u32) {
        self.made
            .retain(|&(at, _)| now.saturating_sub(at) < PERIOD_MAX);
        if from != to {
            self.made.push((now, i64::from(to) - i64::from(from)));
        }
    }

    pub(super) fn clear(&mut self) {
        self.made.clear();
    }

    /// The replicas there were when the period of `limit` began.
    fn start(&self, limit: Limit, current: u32, now: Duration) -> u32 {
        let within = self
            .made
            .iter()
            .filter(|(at, _)| now.saturating_sub(*at) < limit.period);
        let changed: i64 = within.map(|&(_, change)| change).sum();
        u32::try_from(i64::from(current) - changed).unwrap_or(0)
    }

    /// The most replicas that `rules` let a scale-up from `current` reach.
    pub(super) fn most(&self, rules: &ScalingRules, current: u32, now: Duration) -> u32 {
        let reached = rules
            .limits
            .iter()
            .map(|&limit| limit.up_from(self.start(limit, current, now)));
        let most = match rules.select {
            Select::Max => reached.max(),
            Select::Min => reached.min(),
            Select::Disabled => None,
        };
        most.unwrap_or(current).max(current)
    }

    /// The fewest replicas that `rules` let a scale-down from `current` reach.
    pub(super) fn fewest(&self, rules: &ScalingRules, current: u32, now: Duration) -> u32 {
        let reached = rules
            .limits
            .iter()
            .map(|&limit| limit.down_from(self.start(limit, current, now)));
        let fewest = match rules.select {
            Select::Max => reached.min(),
            Select::Min => reached.max(),
            Select::Disabled => None,
        };
        fewest.unwrap_or(current).min(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn given_rules(select: Select, limits: &[Limit]) -> ScalingRules {
        ScalingRules {
            stabilization_window: Duration::ZERO,
            select,
            limits: limits.to_vec(),
        }
    }

    #[test]
    fn the_greater_or_the_smaller_change_is_selected() {
        let limits = [Limit::percent(10, 60), Limit::pods(4, 60)];
        let changes = Changes::default();
        for (select, most, fewest) in [
            (Select::Max, 88, 72),
            (Select::Min, 84, 76),
            (Select::Disabled, 80, 80),
        ] {
            let rules = given_rules(select, &limits);
            assert_eq!(changes.most(&rules, 80, at(0)), most, "{select:?}");
            assert_eq!(changes.fewest(&rules, 80, at(0)), fewest, "{select:?}");
        }
    }

    #[test]
    fn a_percentage_is_rounded_in_favour_of_the_change() {
        let rules = given_rules(Select::Max, &[Limit::percent(10, 60)]);
        assert_eq!(Changes::default().most(&rules, 1, at(0)), 2);
        assert_eq!(Changes::default().fewest(&rules, 1, at(0)), 0);
    }

    #[test]
    fn what_has_changed_within_the_period_is_counted_against_the_limit() {
        let rules = given_rules(Select::Max, &[Limit::pods(4, 60)]);
        let mut changes = Changes::default();
        changes.note(at(0), 10, 13);
        assert_eq!(changes.most(&rules, 13, at(59)), 14);
        assert_eq!(changes.most(&rules, 13, at(60)), 17);
    }
}
