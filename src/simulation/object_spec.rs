//! The `spec` of a ScaledObject as it is written, in KEDA's and Kubernetes' names, whichever format it
//! is written in. What the twin does not simulate is accepted where it changes no number, and refused
//! where it would. It reads no file.

use std::time::Duration;

use serde::{Deserialize, de::IgnoredAny};

use super::{
    behavior::{Behavior, Limit, ScalingRules, Select, Step},
    hpa::AutoscalerSettings,
    keda::{Fallback, ScaledObject},
};

/// Whole seconds up to a year; KEDA knows no fractions.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
struct WholeSeconds(Duration);

const WHOLE_SECONDS_MAX: u32 = 31_536_000;

impl TryFrom<u32> for WholeSeconds {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, Self::Error> {
        if seconds > WHOLE_SECONDS_MAX {
            return Err(format!(
                "expected at most {WHOLE_SECONDS_MAX} seconds, found {seconds}"
            ));
        }
        Ok(Self(Duration::from_secs(seconds.into())))
    }
}

/// More replicas are not simulated.
const REPLICAS_MAX: u32 = 10_000;

/// A number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "u32")]
struct Replicas(u32);

impl TryFrom<u32> for Replicas {
    type Error = String;

    fn try_from(replicas: u32) -> Result<Self, Self::Error> {
        if replicas > REPLICAS_MAX {
            return Err(format!(
                "expected at most {REPLICAS_MAX} replicas, found {replicas}"
            ));
        }
        Ok(Self(replicas))
    }
}

/// What a ScaledObject says of scaling. `Triggers` is what its triggers are read as.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ObjectSpec<Triggers = ()>
where
    Triggers: Default,
{
    polling_interval: Option<WholeSeconds>,
    cooldown_period: Option<WholeSeconds>,
    /// A run begins with nothing running, so that there is nothing to cool down from at first.
    #[serde(rename = "initialCooldownPeriod")]
    _initial_cooldown_period: Option<WholeSeconds>,
    idle_replica_count: Option<Replicas>,
    min_replica_count: Option<Replicas>,
    max_replica_count: Option<Replicas>,
    fallback: Option<FallbackSpec>,
    advanced: Option<AdvancedSpec>,
    /// The workload that is scaled: its name means nothing here.
    #[serde(rename = "scaleTargetRef")]
    _scale_target_ref: Option<IgnoredAny>,
    #[serde(default)]
    pub(super) triggers: Triggers,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FallbackSpec {
    failure_threshold: u32,
    replicas: Replicas,
    #[serde(rename = "behavior")]
    _behavior: Option<FallbackBehavior>,
}

/// The only one that is simulated, and KEDA's default.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum FallbackBehavior {
    Static,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AdvancedSpec {
    /// What happens when the object is deleted.
    #[serde(rename = "restoreToOriginalReplicaCount")]
    _restore: Option<bool>,
    horizontal_pod_autoscaler_config: Option<AutoscalerSpec>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AutoscalerSpec {
    #[serde(rename = "name")]
    _name: Option<String>,
    behavior: Option<BehaviorSpec>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BehaviorSpec {
    scale_up: Option<RulesSpec>,
    scale_down: Option<RulesSpec>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RulesSpec {
    stabilization_window_seconds: Option<Window>,
    select_policy: Option<SelectSpec>,
    policies: Option<Vec<LimitSpec>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum SelectSpec {
    Max,
    Min,
    Disabled,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LimitSpec {
    #[serde(rename = "type")]
    kind: LimitKind,
    value: Positive,
    period_seconds: Period,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum LimitKind {
    Pods,
    Percent,
}

/// A window as Kubernetes allows it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Window(Duration);

impl TryFrom<u64> for Window {
    type Error = String;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        within(seconds, 0, 3_600, "seconds")
            .map(Duration::from_secs)
            .map(Self)
    }
}

/// A period as Kubernetes allows it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Period(Duration);

impl TryFrom<u64> for Period {
    type Error = String;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        within(seconds, 1, 1_800, "seconds")
            .map(Duration::from_secs)
            .map(Self)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Positive(u32);

impl TryFrom<u64> for Positive {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        let number = within(number, 1, 1_000_000, "pods or percent")?;
        Ok(Self(u32::try_from(number).unwrap_or(u32::MAX)))
    }
}

fn within(number: u64, least: u64, most: u64, unit: &str) -> Result<u64, String> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("expected {least} to {most} {unit}, found {number}"))
    }
}

impl<Triggers: Default> ObjectSpec<Triggers> {
    /// What is wrong between the values, in KEDA's sense.
    pub(super) fn fault(&self) -> Option<String> {
        let min = self.min_replica_count.unwrap_or(Replicas(0));
        let max = self.max_replica_count.unwrap_or(Replicas(100));
        if max < min {
            return Some(format!(
                "maxReplicaCount {} is below minReplicaCount {}",
                max.0, min.0
            ));
        }
        if max.0 == 0 {
            return Some("maxReplicaCount is 0: nothing would ever run".to_owned());
        }
        let idle = self.idle_replica_count.filter(|idle| *idle >= min)?;
        Some(format!(
            "idleReplicaCount {} is not below minReplicaCount {}",
            idle.0, min.0
        ))
    }

    /// Writes what is said here over what was there.
    pub(super) fn apply(&self, object: &mut ScaledObject, autoscaler: &mut AutoscalerSettings) {
        let replicas = |count: Option<Replicas>| count.map(|Replicas(count)| count);
        let seconds = |time: Option<WholeSeconds>| time.map(|WholeSeconds(time)| time);
        object.min_replicas = replicas(self.min_replica_count).unwrap_or(object.min_replicas);
        object.max_replicas = replicas(self.max_replica_count).unwrap_or(object.max_replicas);
        object.idle_replicas = replicas(self.idle_replica_count).or(object.idle_replicas);
        object.polling_interval = seconds(self.polling_interval).unwrap_or(object.polling_interval);
        object.cooldown = seconds(self.cooldown_period).unwrap_or(object.cooldown);
        let fallback = self.fallback.map(|fallback| Fallback {
            failure_threshold: fallback.failure_threshold,
            replicas: fallback.replicas.0,
        });
        object.fallback = fallback.or(object.fallback);
        autoscaler.behavior = self.behavior().or_else(|| autoscaler.behavior.clone());
    }

    fn behavior(&self) -> Option<Behavior> {
        let advanced = self
            .advanced
            .as_ref()?
            .horizontal_pod_autoscaler_config
            .as_ref()?;
        let behavior = advanced.behavior.as_ref()?;
        let default = Behavior::default();
        Some(Behavior {
            up: RulesSpec::rules(behavior.scale_up.as_ref(), default.up),
            down: RulesSpec::rules(behavior.scale_down.as_ref(), default.down),
        })
    }
}

impl RulesSpec {
    /// What is left out is as Kubernetes has it.
    fn rules(spec: Option<&Self>, default: ScalingRules) -> ScalingRules {
        let Some(spec) = spec else {
            return default;
        };
        let limits = spec
            .policies
            .as_ref()
            .map(|limits| limits.iter().map(LimitSpec::limit).collect());
        ScalingRules {
            stabilization_window: spec
                .stabilization_window_seconds
                .map_or(default.stabilization_window, |Window(window)| window),
            select: match spec.select_policy {
                None => default.select,
                Some(SelectSpec::Max) => Select::Max,
                Some(SelectSpec::Min) => Select::Min,
                Some(SelectSpec::Disabled) => Select::Disabled,
            },
            limits: limits.unwrap_or(default.limits),
        }
    }
}

impl LimitSpec {
    fn limit(&self) -> Limit {
        let (Positive(value), Period(period)) = (self.value, self.period_seconds);
        let step = match self.kind {
            LimitKind::Pods => Step::Pods(value),
            LimitKind::Percent => Step::Percent(value),
        };
        Limit { step, period }
    }
}
