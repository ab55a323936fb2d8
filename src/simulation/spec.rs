//! SPEC's figures of elasticity: how far the pods that ran were from those that were needed. It knows
//! neither messages nor money.
//!
//! The formulas are those of the SPEC Research Group ("Ready for Rain?", SPEC-RG-2016-01): demand is
//! what `demand.rs` plans, supply the pods that receive messages, and all of it
//! is taken until the scenario's horizon, so that every policy is measured over the same time.

use serde::{Deserialize, Serialize};

use super::numbers::{real, share};

/// Movements of supply and demand are compared over this many seconds.
const MOVEMENT_SECONDS: u64 = 60;

/// How elastic a run was; 0 is ideal everywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Elasticity {
    /// `theta_U`: what was missing, as percent of what was needed, in the mean over time.
    pub theta_under_percent: f64,
    /// `theta_O`: what was too much, likewise. Where nothing is needed, against one replica.
    pub theta_over_percent: f64,
    /// `tau_U`: the share of time with too few.
    pub tau_under_percent: f64,
    /// `tau_O`: the share of time with too many.
    pub tau_over_percent: f64,
    /// The share of minutes in which supply did not move in the direction that demand did.
    pub instability_percent: f64,
    /// Changes of the replicas wanted beyond those of the demand, per hour. Below 0: fewer.
    pub jitter_per_hour: f64,
}

impl Elasticity {
    /// The mean of each figure.
    pub(super) fn mean(runs: &[Self]) -> Self {
        let number = |figure: fn(&Self) -> f64| {
            let there_are = real(u64::try_from(runs.len()).unwrap_or_default());
            share(runs.iter().map(figure).sum(), there_are)
        };
        Self {
            theta_under_percent: number(|run| run.theta_under_percent),
            theta_over_percent: number(|run| run.theta_over_percent),
            tau_under_percent: number(|run| run.tau_under_percent),
            tau_over_percent: number(|run| run.tau_over_percent),
            instability_percent: number(|run| run.instability_percent),
            jitter_per_hour: number(|run| run.jitter_per_hour),
        }
    }
}

/// The replicas of one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Supply {
    /// What the scenario's demand says.
    pub(super) needed: u32,
    /// Pods that receive messages.
    pub(super) running: u32,
    /// `spec.replicas`.
    pub(super) wanted: u32,
}

impl Supply {
    pub(super) fn most(self, other: Self) -> Self {
        Self {
            needed: self.needed.max(other.needed),
            running: self.running.max(other.running),
            wanted: self.wanted.max(other.wanted),
        }
    }
}

/// What is added up, second by second.
#[derive(Debug, Default)]
pub(super) struct ElasticityTally {
    seconds: u64,
    missing: f64,
    surplus: f64,
    seconds_under: u64,
    seconds_over: u64,
    movements: u64,
    contrary_movements: u64,
    minute_before: Option<Supply>,
    second_before: Option<Supply>,
    changes_wanted: u64,
    changes_needed: u64,
}

impl ElasticityTally {
    /// Takes in one more second.
    pub(super) fn note(&mut self, now: Supply) {
        let Supply {
            needed, running, ..
        } = now;
        let demand = f64::from(needed.max(1));
        self.missing += f64::from(needed.saturating_sub(running)) / demand;
        self.surplus += f64::from(running.saturating_sub(needed)) / demand;
        self.seconds_under += u64::from(running < needed);
        self.seconds_over += u64::from(running > needed);
        if let Some(before) = self.second_before.replace(now) {
            self.changes_wanted += u64::from(before.wanted != now.wanted);
            self.changes_needed += u64::from(before.needed != now.needed);
        }
        if self.seconds.is_multiple_of(MOVEMENT_SECONDS)
            && let Some(before) = self.minute_before.replace(now)
        {
            let is_contrary = before.needed.cmp(&needed) != before.running.cmp(&running);
            self.movements += 1;
            self.contrary_movements += u64::from(is_contrary);
        }
        self.seconds += 1;
    }

    pub(super) fn figures(&self) -> Elasticity {
        let percent_of_time = |seconds: f64| 100.0 * share(seconds, real(self.seconds));
        let excess = real(self.changes_wanted) - real(self.changes_needed);
        Elasticity {
            theta_under_percent: percent_of_time(self.missing),
            theta_over_percent: percent_of_time(self.surplus),
            tau_under_percent: percent_of_time(real(self.seconds_under)),
            tau_over_percent: percent_of_time(real(self.seconds_over)),
            instability_percent: 100.0 * share(real(self.contrary_movements), real(self.movements)),
            jitter_per_hour: share(excess * 3600.0, real(self.seconds)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the figures of these seconds are exact")]
mod tests {
    use super::*;

    fn given_figures(seconds: impl Iterator<Item = (u32, u32, u32)>) -> Elasticity {
        let mut tally = ElasticityTally::default();
        for (needed, running, wanted) in seconds {
            tally.note(Supply {
                needed,
                running,
                wanted,
            });
        }
        tally.figures()
    }

    #[test]
    fn as_many_as_are_needed_is_ideal() {
        let figures = given_figures((0..600).map(|second| (second / 60, second / 60, second / 60)));
        assert_eq!(figures, Elasticity::default());
    }

    /// Half the time 1 of 4 is missing, half the time there are 6 where 4 are needed.
    #[test]
    fn what_is_missing_and_what_is_too_much_are_shares_of_the_need() {
        let figures = given_figures((0..200).map(|second| {
            let running = if second < 100 { 3 } else { 6 };
            (4, running, running)
        }));
        assert_eq!(figures.theta_under_percent, 12.5);
        assert_eq!(figures.theta_over_percent, 25.0);
        assert_eq!(
            (figures.tau_under_percent, figures.tau_over_percent),
            (50.0, 50.0)
        );
        // One change of the supply alone, within one of three minutes.
        assert_eq!(figures.jitter_per_hour, 18.0);
        assert!((figures.instability_percent - 100.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_pod_that_nobody_needs_counts_against_one() {
        assert_eq!(
            given_figures([(0, 2, 2)].into_iter()).theta_over_percent,
            200.0
        );
        assert_eq!(given_figures(std::iter::empty()), Elasticity::default());
    }
}
