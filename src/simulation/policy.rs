//! The policies that can be compared, by name, and what each needs to know of a scenario.

use std::{fmt, str::FromStr};

use super::{
    control::{Control, KedaLoop, ScalerSettings},
    rivals::{Rival, oracle::Oracle},
    scenario::Scenario,
    told::{Knows, Told},
    tuning::Family,
};
use crate::scaling::ScalingPolicy;

/// A policy to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// KEDA's own scaler: `queue-length=5`, or `visible=5` without messages in flight.
    QueueLength { messages: u32, in_flight: bool },
    /// This scaler without further keys, as `external-push`: `sluice=5`.
    Sluice { messages: u32 },
    /// The law at the scenario's target wait, as `external-push`: `target-wait` knows the concurrency,
    /// `target-wait=unaided` nothing, `target-wait=kubernetes` the ready replicas. Words beside these, with
    /// commas, make it harder: `message:25` and `concurrency:400` are hints in percent of the truth,
    /// `cloudwatch:off`, `cloudwatch:outage` and `age:off` hide something; `replaced` begins anew in the middle;
    /// `stall:off` goes on buying replicas while work fails. `message:known` makes it easier than it can be:
    /// what a message takes is known from the beginning. With `noisy` messages of noisy groups may wait longer.
    TargetWait(Told),
    /// The cheapest `queueLength` that would have kept the target, found afterwards: `hindsight`.
    Hindsight,
    /// `worker-pod`, `backlog-per-instance`, `lambda`, `flink` or `step`, with settings or without.
    Rival(Rival),
    /// The best of a few settings of a policy, chosen on other seeds: `tuned:flink`.
    Tuned(Family),
    /// The setting of a policy with which the fewest message-seconds are late, of those that cost no more
    /// than the law: `equal:flink`.
    Equal(Family),
    /// So many pods, always: `fixed=10`.
    Fixed { replicas: u32 },
    /// `oracle`.
    Oracle,
    /// The user's own ScaledObject, by its place in the scenario. It has no name to be parsed from.
    Own(usize),
}

/// What a policy may be called.
const NAMES: &str = "queue-length=N, visible=N, sluice=N, target-wait, target-wait=unaided, \
                     target-wait=kubernetes, hindsight, worker-pod, backlog-per-instance, \
                     lambda, flink, step, tuned:POLICY, equal:POLICY, fixed=N or oracle";

impl Policy {
    /// The policies compared when none are named.
    pub fn leaderboard() -> Vec<Self> {
        let built_in = |messages, in_flight| Self::QueueLength {
            messages,
            in_flight,
        };
        let mut policies = vec![
            Self::Oracle,
            Self::Hindsight,
            built_in(5, true),
            built_in(5, false),
            built_in(100, true),
            Self::Sluice { messages: 5 },
            Self::TargetWait(Told::of(Knows::Concurrency)),
        ];
        policies.extend(Rival::UNTUNED.map(Self::Rival));
        policies
    }

    /// Who sets the replicas of `scenario` under this policy; none for one that is searched for.
    pub(super) fn control(self, scenario: &Scenario) -> Option<Control> {
        Some(match self {
            Self::Hindsight | Self::Tuned(_) | Self::Equal(_) => return None,
            Self::QueueLength {
                messages,
                in_flight,
            } => keda(scenario, ScalerSettings::built_in(), (messages, in_flight)),
            Self::Sluice { messages } => keda(scenario, scenario.scaler, (messages, true)),
            Self::TargetWait(told) => target_wait(scenario, told),
            Self::Rival(rival) => Control::Rival(rival.start(scenario)),
            Self::Fixed { replicas } => Control::Fixed(replicas.min(scenario.object.max_replicas)),
            Self::Oracle => Control::Oracle(Oracle::new(scenario)),
            Self::Own(index) => {
                let own = scenario.own.get(index)?.clone();
                let keda = KedaLoop::new(own.policy, own.scaler, own.object, own.autoscaler);
                Control::Keda(Box::new(keda))
            }
        })
    }

    /// What it is called in a comparison of `scenario`.
    pub(super) fn name(self, scenario: &Scenario) -> String {
        let own = match self {
            Self::Own(index) => scenario.own.get(index),
            _ => None,
        };
        own.map_or_else(|| self.to_string(), |own| own.name.clone())
    }
}

fn target_wait(scenario: &Scenario, told: Told) -> Control {
    let policy = ScalingPolicy {
        law: Some(told.law(scenario)),
        wakefulness: Some(scenario.wakefulness),
        ..ScalingPolicy::default()
    };
    let settings = ScalerSettings {
        reads_replicas: told.knows == Knows::ReadyReplicas,
        ..scenario.scaler
    };
    let (object, autoscaler) = (scenario.object.clone(), scenario.autoscaler.clone());
    let keda = KedaLoop::new(policy, settings, object, autoscaler);
    Control::Keda(Box::new(keda.with(told.tampering(scenario))))
}

fn keda(
    scenario: &Scenario,
    settings: ScalerSettings,
    (messages, in_flight): (u32, bool),
) -> Control {
    let policy = ScalingPolicy {
        queue_length: messages.into(),
        scale_on_in_flight: in_flight,
        ..ScalingPolicy::default()
    };
    let (object, autoscaler) = (scenario.object.clone(), scenario.autoscaler.clone());
    Control::Keda(Box::new(KedaLoop::new(
        policy, settings, object, autoscaler,
    )))
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QueueLength {
                messages,
                in_flight: true,
            } => {
                write!(formatter, "queue-length={messages}")
            }
            Self::QueueLength {
                messages,
                in_flight: false,
            } => {
                write!(formatter, "visible={messages}")
            }
            Self::Sluice { messages } => write!(formatter, "sluice={messages}"),
            Self::TargetWait(told) if *told == Told::of(Knows::Concurrency) => {
                formatter.write_str("target-wait")
            }
            Self::TargetWait(told) => write!(formatter, "target-wait={told}"),
            Self::Hindsight => formatter.write_str("hindsight"),
            Self::Rival(rival) => rival.fmt(formatter),
            Self::Tuned(family) => write!(formatter, "tuned:{family}"),
            Self::Equal(family) => write!(formatter, "equal:{family}"),
            Self::Fixed { replicas } => write!(formatter, "fixed={replicas}"),
            Self::Oracle => formatter.write_str("oracle"),
            Self::Own(index) => write!(formatter, "your ScaledObject {}", index + 1),
        }
    }
}

/// A policy that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {NAMES}, found {0:?}")]
pub struct UnknownPolicy(String);

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownPolicy(text.to_owned());
        if text == "target-wait" {
            return Ok(Self::TargetWait(Told::of(Knows::Concurrency)));
        }
        if let Some(told) = text.strip_prefix("target-wait=") {
            return told.parse().map(Self::TargetWait).map_err(|()| unknown());
        }
        if let Some(family) = text.strip_prefix("equal:") {
            return family.parse().map(Self::Equal).map_err(|()| unknown());
        }
        if let Some(family) = text.strip_prefix("tuned:") {
            return family.parse().map(Self::Tuned).map_err(|()| unknown());
        }
        if let Ok(rival) = text.parse() {
            return Ok(Self::Rival(rival));
        }
        let (name, messages) = text.split_once('=').unwrap_or((text, "5"));
        let messages: u32 = messages.parse().map_err(|_| unknown())?;
        if messages == 0 {
            return Err(unknown());
        }
        let simple = match name {
            "queue-length" => {
                return Ok(Self::QueueLength {
                    messages,
                    in_flight: true,
                });
            }
            "visible" => {
                return Ok(Self::QueueLength {
                    messages,
                    in_flight: false,
                });
            }
            "sluice" => return Ok(Self::Sluice { messages }),
            "fixed" => return Ok(Self::Fixed { replicas: messages }),
            "hindsight" => Self::Hindsight,
            "oracle" => Self::Oracle,
            _ => return Err(unknown()),
        };
        if text == name {
            Ok(simple)
        } else {
            Err(unknown())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_called_what_it_is_parsed_from() {
        for policy in Policy::leaderboard() {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for text in [
            "target-wait=unaided",
            "target-wait=kubernetes,message:25,concurrency:400,cloudwatch:outage,age:off,stall:off",
            "target-wait=cloudwatch:off",
            "target-wait=unaided,replaced",
            "target-wait=message:known",
            "target-wait=noisy",
            "equal:step",
        ] {
            let policy: Policy = text.parse().unwrap();
            assert_eq!(policy.to_string(), text);
        }
        for wrong in [
            "queue-length=0",
            "visible=-1",
            "step=3",
            "flink=1,2,0",
            "tuned:oracle",
            "equal:oracle",
            "target-wait=",
            "target-wait=message:0",
            "target-wait=cloudwatch:late",
            "magic",
            "",
        ] {
            assert!(wrong.parse::<Policy>().is_err(), "{wrong}");
        }
    }
}
