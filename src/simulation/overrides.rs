//! What flags change in a scenario, wherever it came from: what they leave out stays as it is.

use std::{str::FromStr, time::Duration};

use super::{approximate::Fidelity, scenario::Scenario, work::ServiceTime};

/// Changes to a scenario.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// How long a message may wait.
    pub target_wait: Option<Duration>,
    /// Mean time that a message takes.
    pub message: Option<Duration>,
    /// How those times are spread.
    pub spread: Option<Spread>,
    /// Messages that a pod works on at once.
    pub concurrency: Option<u32>,
    /// `maxReplicaCount`.
    pub max_replicas: Option<u32>,
    /// `cooldownPeriod`.
    pub cooldown: Option<Duration>,
    /// `pollingInterval`.
    pub polling_interval: Option<Duration>,
    /// `stabilizationWindowSeconds` for scaling down.
    pub stabilization: Option<Duration>,
    /// From a pod's place on a node to its first message.
    pub startup: Option<Duration>,
    /// How far SQS's counts are from the truth.
    pub fidelity: Option<Fidelity>,
    /// Nodes that are always there.
    pub nodes: Option<u32>,
    /// Pods that a node has room for.
    pub pods_per_node: Option<u32>,
}

impl Overrides {
    /// Writes what is given over what was there.
    pub fn apply(&self, scenario: &mut Scenario) {
        let work = &mut scenario.work;
        if self.message.is_some() || self.spread.is_some() {
            let mean = self.message.unwrap_or(work.service_time.mean());
            let spread = self.spread.unwrap_or(Spread::of(work.service_time));
            work.service_time = spread.around(mean);
        }
        replace(&mut work.concurrency, self.concurrency);
        replace(&mut scenario.target_wait, self.target_wait);
        let object = &mut scenario.object;
        replace(&mut object.max_replicas, self.max_replicas);
        object.min_replicas = object.min_replicas.min(object.max_replicas);
        replace(&mut object.cooldown, self.cooldown);
        replace(&mut object.polling_interval, self.polling_interval);
        if let Some(window) = self.stabilization {
            scenario.autoscaler.downscale_window = window;
            if let Some(behavior) = &mut scenario.autoscaler.behavior {
                behavior.down.stabilization_window = window;
            }
        }
        let cluster = &mut scenario.cluster;
        replace(&mut cluster.startup, self.startup);
        replace(&mut cluster.nodes, self.nodes);
        replace(&mut cluster.pods_per_node, self.pods_per_node);
        // An outage of SQS belongs to the scenario, not to how well it counts.
        let outage = scenario.fidelity.outage.take();
        replace(&mut scenario.fidelity, self.fidelity.clone());
        scenario.fidelity.outage = outage;
    }
}

pub(super) fn replace<T>(old: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *old = new;
    }
}

/// How the times of messages are spread around their mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    Constant,
    Exponential,
    /// With this deviation of the logarithm.
    Lognormal(f64),
}

/// A heavier tail is not drawn: its mean would be one message in millions.
const SIGMA_MAX: f64 = 3.0;

impl Spread {
    fn of(times: ServiceTime) -> Self {
        match times {
            ServiceTime::Constant(_) => Self::Constant,
            ServiceTime::Exponential(_) => Self::Exponential,
            ServiceTime::Lognormal { sigma, .. } => Self::Lognormal(sigma),
        }
    }

    pub(super) fn around(self, mean: Duration) -> ServiceTime {
        match self {
            Self::Constant => ServiceTime::Constant(mean),
            Self::Exponential => ServiceTime::Exponential(mean),
            Self::Lognormal(sigma) => ServiceTime::Lognormal { mean, sigma },
        }
    }
}

impl FromStr for Spread {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sigma = |text: &str| {
            let sigma = text.parse::<f64>().ok();
            sigma.filter(|sigma| (0.0..=SIGMA_MAX).contains(sigma))
        };
        match text.split_once(':') {
            None if text == "constant" => Some(Self::Constant),
            None if text == "exponential" => Some(Self::Exponential),
            Some(("lognormal", text)) => sigma(text).map(Self::Lognormal),
            _ => None,
        }
        .ok_or_else(|| {
            format!("expected constant, exponential or lognormal:SIGMA with 0 to {SIGMA_MAX}, found {text:?}")
        })
    }
}

/// The fidelity of that name.
///
/// # Errors
/// When there is none.
pub fn fidelity(name: &str) -> Result<Fidelity, String> {
    match name {
        "exact" => Ok(Fidelity::exact()),
        "ordinary" => Ok(Fidelity::ordinary()),
        "poor" => Ok(Fidelity::poor()),
        _ => Err(format!("expected exact, ordinary or poor, found {name:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::workloads;

    #[test]
    fn what_is_left_out_stays() {
        let mut scenario = workloads::canonical("burst-slow-start").unwrap();
        let before = format!("{scenario:?}");
        Overrides::default().apply(&mut scenario);
        assert_eq!(format!("{scenario:?}"), before);
    }

    #[test]
    fn times_keep_their_spread_when_only_the_mean_changes() {
        let mut scenario = workloads::canonical("long-jobs").unwrap();
        let minute = Duration::from_mins(1);
        let overrides = Overrides {
            message: Some(minute),
            ..Overrides::default()
        };
        overrides.apply(&mut scenario);
        let expected = ServiceTime::Lognormal {
            mean: minute,
            sigma: 0.3,
        };
        assert_eq!(scenario.work.service_time, expected);
    }

    #[test]
    fn a_spread_is_read_and_a_wrong_one_refused() {
        assert_eq!("lognormal:0.5".parse(), Ok(Spread::Lognormal(0.5)));
        assert_eq!("constant".parse(), Ok(Spread::Constant));
        for wrong in [
            "lognormal",
            "lognormal:-1",
            "lognormal:NaN",
            "normal",
            "constant:1",
        ] {
            assert!(wrong.parse::<Spread>().is_err(), "{wrong}");
        }
    }
}
