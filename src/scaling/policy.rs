//! A trigger's metadata, checked and typed: the keys, defaults, value rules and error texts of
//! KEDA's `aws-sqs-queue`, so that its metadata can be moved here as it is.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use super::{
    Identity, JobStrategy, Law, Mode, QueueRef, RoleRef, Secret, Wakefulness, Workload,
    WorkloadKind, go, law_keys,
    metadata::{Metadata, Warning},
    observation::count_as_f64,
    queue_ref::is_account,
    queue_url, wakefulness_keys,
};

/// How a backlog becomes a number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalingPolicy {
    /// Messages per replica: the target of the metric.
    pub queue_length: i64,
    /// Active above this many messages, not at it.
    pub activation_queue_length: i64,
    /// Whether messages in flight are counted.
    pub scale_on_in_flight: bool,
    /// Whether delayed messages are counted.
    pub scale_on_delayed: bool,
    /// The law, where a target wait turns it on.
    pub law: Option<Law>,
    /// Whether the law is obeyed or only shown.
    pub mode: Mode,
    /// No more replicas are asked for.
    pub max_replicas: Option<u32>,
    /// How long the workload stays awake; None as long as `aws-sqs-queue` says.
    pub wakefulness: Option<Wakefulness>,
}

impl Default for ScalingPolicy {
    fn default() -> Self {
        Self {
            queue_length: 5,
            activation_queue_length: 0,
            scale_on_in_flight: true,
            scale_on_delayed: false,
            law: None,
            mode: Mode::Live,
            max_replicas: None,
            wakefulness: None,
        }
    }
}

impl ScalingPolicy {
    /// The policy where it is known who asks: a law is capped as its replicas are, and the strategy of a
    /// `ScaledJob` says whether messages in flight are counted.
    #[must_use]
    pub fn for_workload(self, workload: &Workload) -> Self {
        let in_flight = match workload.kind {
            WorkloadKind::ScaledJob(Some(strategy)) => ScaledJob::from(strategy).counts_in_flight(),
            WorkloadKind::ScaledObject | WorkloadKind::ScaledJob(None) => None,
        };
        let cap = self.law.map(|_| workload.replicas_max);
        Self {
            max_replicas: self.max_replicas.or(cap),
            scale_on_in_flight: in_flight.unwrap_or(self.scale_on_in_flight),
            ..self
        }
    }

    /// The target of the metric: what one replica is worth. It never changes with the backlog,
    /// because KEDA passes it on to the autoscaler only when it reconciles.
    pub fn target(&self) -> f64 {
        count_as_f64(self.queue_length)
    }
}

/// A trigger whose metadata has been understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The queue it is about.
    pub queue: Arc<QueueRef>,
    /// What to do with its backlog.
    pub policy: ScalingPolicy,
    /// The metric's name, without the `s<index>-` that KEDA puts before it.
    pub metric_name: String,
    /// What the user should know of the metadata.
    pub warnings: Vec<Warning>,
}

/// Metadata that cannot be understood, in the words of KEDA's `aws-sqs-queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// A required key is missing or empty.
    Missing {
        /// The key.
        key: &'static str,
        /// Where KEDA's own scaler would look for it.
        sources: &'static str,
    },
    /// A value is not a whole number.
    NotAnInteger {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// What a JSON parser says of it.
        cause: String,
    },
    /// A value is no flag.
    NotABoolean {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
    },
    /// A value is none of those that are understood.
    NotOneOf {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// The values that are understood.
        expected: Cow<'static, str>,
    },
    /// The path of `queueURL` is not `/<account>/<name>`.
    NoQueueName,
    /// A secret without the access key id that it belongs to.
    NoAccessKeyId,
    /// An access key id without its secret.
    NoSecretAccessKey,
    /// Several values are wrong.
    Several(Vec<Self>),
}

impl PolicyError {
    /// KEDA wraps the errors of single values once more than those of the whole.
    fn is_about_values(&self) -> bool {
        !matches!(
            self,
            Self::NoQueueName | Self::NoAccessKeyId | Self::NoSecretAccessKey
        )
    }

    fn write_cause(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = go::quoted;
        match self {
            Self::Missing { key, sources } => {
                write!(
                    formatter,
                    "missing required parameter {key:?} in [{sources}]"
                )
            }
            Self::NotAnInteger { key, found, cause } => write!(
                formatter,
                "unable to set param {key:?} value {}: unable to unmarshal to field type int64: {cause}",
                quoted(found)
            ),
            Self::NotABoolean { key, found } => write!(
                formatter,
                "unable to set param {key:?} value {found}: unable to parse boolean value {found}: \
                 strconv.ParseBool: parsing {found}: invalid syntax",
                found = quoted(found)
            ),
            Self::NotOneOf {
                key,
                found,
                expected,
            } => write!(
                formatter,
                "unable to set param {key:?} value {}: expected {expected}",
                quoted(found)
            ),
            Self::NoQueueName => formatter.write_str("cannot get queueName from queueURL"),
            Self::NoAccessKeyId => formatter.write_str("awsAccessKeyID not found"),
            Self::NoSecretAccessKey => formatter.write_str("awsSecretAccessKey not found"),
            Self::Several(errors) => errors.iter().enumerate().try_for_each(|(index, error)| {
                let separator = if index == 0 { "" } else { "\n" };
                formatter.write_str(separator)?;
                error.write_cause(formatter)
            }),
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CONTEXT: &str = "error parsing SQS queue metadata: ";
        formatter.write_str(CONTEXT)?;
        if self.is_about_values() {
            formatter.write_str(CONTEXT)?;
        }
        self.write_cause(formatter)
    }
}

impl std::error::Error for PolicyError {}

/// The keys that mean something here.
const KNOWN_KEYS: &[&str] = &[
    "queueURL",
    "queueURLFromEnv",
    "queueLength",
    "activationQueueLength",
    "awsRegion",
    "awsEndpoint",
    "scaleOnInFlight",
    "scaleOnDelayed",
    "identityOwner",
    "awsAccessKeyID",
    "awsAccessKeyIDFromEnv",
    "awsSecretAccessKeyFromEnv",
    "awsRoleArn",
    "awsExternalId",
    "scaledJob",
    "targetWaitSeconds",
    "concurrency",
    "messageSeconds",
    "startupSeconds",
    "fifoGroups",
    "maxReplicas",
    "mode",
    "emptyConfirmSeconds",
    "keepWarmSeconds",
];

/// Those of them that KEDA's own scaler reads too.
const BUILT_IN_KEYS: &[&str] = &[
    "queueURL",
    "queueURLFromEnv",
    "queueLength",
    "activationQueueLength",
    "awsRegion",
    "awsEndpoint",
    "scaleOnInFlight",
    "scaleOnDelayed",
    "identityOwner",
    "awsAccessKeyID",
    "awsAccessKeyIDFromEnv",
    "awsSecretAccessKeyFromEnv",
];

/// Whether Sluice understands a key that KEDA's own scaler does not.
pub fn is_ours_alone(key: &str) -> bool {
    KNOWN_KEYS.contains(&key) && !BUILT_IN_KEYS.contains(&key)
}

/// KEDA's own keys of an external trigger: it forwards them, and they are its business.
const KEDA_KEYS: &[&str] = &[
    "scalerAddress",
    "enableTLS",
    "unsafeSsl",
    "caCert",
    "tlsClientCert",
    "tlsClientKey",
];

/// Keys that people write into `metadata` although they are read from somewhere else.
const MISPLACED_KEYS: &[(&str, &str)] = &[
    ("metricType", "write it beside metadata, not in it"),
    ("awsSecretAccessKey", "use awsSecretAccessKeyFromEnv"),
    (
        "awsSessionToken",
        "KEDA forwards no session token to external scalers",
    ),
];

impl Trigger {
    /// Reads the metadata of an `aws-sqs-queue` trigger, as KEDA forwards it to external scalers.
    ///
    /// # Errors
    /// Every value that is missing or wrong, all of them at once where KEDA says them at once.
    pub fn parse(metadata: &HashMap<String, String>) -> Result<Self, PolicyError> {
        let metadata = Metadata(metadata);
        let (policy, address) = parse_values(metadata)?;
        let name = queue_url::queue_name(address.url).map_err(|_| PolicyError::NoQueueName)?;
        Ok(Self {
            metric_name: metric_name(&name),
            queue: Arc::new(QueueRef {
                url: address.url.to_owned(),
                name,
                region: address.region.to_owned(),
                endpoint: metadata.text("awsEndpoint").map(str::to_owned),
                identity: parse_identity(metadata)?,
            }),
            policy,
            warnings: warnings(metadata, &policy),
        })
    }
}

impl Trigger {
    /// The trigger as that of an object: a role is assumed in its name.
    #[must_use]
    pub fn asked_by(mut self, namespace: &str, name: &str) -> Self {
        let mut queue = Arc::unwrap_or_clone(self.queue);
        if let Identity::Role(role) = &mut queue.identity {
            role.session = RoleRef::session_of(namespace, name);
        }
        self.queue = Arc::new(queue);
        self
    }
}

struct QueueAddress<'a> {
    url: &'a str,
    region: &'a str,
}

/// The values that KEDA checks one by one and reports together, in its order, and then our own.
fn parse_values(metadata: Metadata<'_>) -> Result<(ScalingPolicy, QueueAddress<'_>), PolicyError> {
    let (defaults, mut faults) = (ScalingPolicy::default(), Faults::default());
    let queue_length = faults.note(metadata.integer("queueLength", defaults.queue_length));
    let activation_queue_length =
        faults.note(metadata.integer("activationQueueLength", defaults.activation_queue_length));
    let url = metadata
        .text("queueURL")
        .or_else(|| metadata.text("queueURLFromEnv"));
    let url = faults.note(url.ok_or(PolicyError::Missing {
        key: "queueURL",
        sources: "triggerMetadata resolvedEnv",
    }));
    let region = faults.note(metadata.text("awsRegion").ok_or(PolicyError::Missing {
        key: "awsRegion",
        sources: "triggerMetadata authParams",
    }));
    let in_flight = faults.note(metadata.flag("scaleOnInFlight", defaults.scale_on_in_flight));
    let scale_on_delayed = faults.note(metadata.flag("scaleOnDelayed", defaults.scale_on_delayed));
    let scaled_job = faults.note(ScaledJob::parse(metadata.text("scaledJob")));
    let law = law_keys::parse_law(metadata).unwrap_or_else(|found| {
        faults.0.extend(found);
        None
    });
    let mode = faults.note(law_keys::parse_mode(metadata));
    let max_replicas = faults.note(law_keys::parse_max_replicas(metadata));
    let is_obeyed = law.is_some() && mode == Mode::Live;
    let wakefulness = faults.note(wakefulness_keys::parse(metadata, is_obeyed));
    faults.none()?;
    let policy = ScalingPolicy {
        queue_length,
        activation_queue_length,
        scale_on_in_flight: scaled_job.counts_in_flight().unwrap_or(in_flight),
        scale_on_delayed,
        law,
        mode,
        max_replicas,
        wakefulness,
    };
    Ok((policy, QueueAddress { url, region }))
}

/// Collects what is wrong, so that everything can be said at once.
#[derive(Default)]
struct Faults(Vec<PolicyError>);

impl Faults {
    /// The value, or any value: it is not used once a fault has been noted.
    fn note<T: Default>(&mut self, value: Result<T, PolicyError>) -> T {
        value.unwrap_or_else(|error| {
            self.0.push(error);
            T::default()
        })
    }

    fn none(self) -> Result<(), PolicyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(PolicyError::Several(self.0))
        }
    }
}

/// Which strategy of a ScaledJob asks, if one does: KEDA does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ScaledJob {
    #[default]
    None,
    /// `default` and `custom` subtract the running jobs, so their messages must be counted.
    SubtractsRunning,
    /// `accurate` and `eager` subtract the pending jobs only, so that a message in flight, which has
    /// its job already, must not be counted: it would get a second one.
    SubtractsPending,
}

impl From<JobStrategy> for ScaledJob {
    fn from(strategy: JobStrategy) -> Self {
        match strategy {
            JobStrategy::Default | JobStrategy::Custom => Self::SubtractsRunning,
            JobStrategy::Accurate | JobStrategy::Eager => Self::SubtractsPending,
        }
    }
}

impl ScaledJob {
    const EXPECTED: &str = "none, default, custom, accurate or eager";

    fn parse(text: Option<&str>) -> Result<Self, PolicyError> {
        match text {
            None | Some("none") => Ok(Self::None),
            Some("default" | "custom") => Ok(Self::SubtractsRunning),
            Some("accurate" | "eager") => Ok(Self::SubtractsPending),
            Some(found) => Err(PolicyError::NotOneOf {
                key: "scaledJob",
                found: found.to_owned(),
                expected: Self::EXPECTED.into(),
            }),
        }
    }

    /// Whether messages in flight are counted, where the strategy leaves no choice.
    fn counts_in_flight(self) -> Option<bool> {
        match self {
            Self::None => None,
            Self::SubtractsRunning => Some(true),
            Self::SubtractsPending => Some(false),
        }
    }
}

/// Whose credentials to use.
///
/// KEDA's scaler fails where neither keys nor an identity are given; here the scaler's own identity
/// is the default, because a `TriggerAuthentication` is not forwarded to external scalers.
fn parse_identity(metadata: Metadata<'_>) -> Result<Identity, PolicyError> {
    if let Some(arn) = metadata.text(ROLE) {
        return parse_role(arn, metadata.raw(EXTERNAL_ID)).map(Identity::Role);
    }
    if !matches!(
        metadata.0.get("identityOwner").map(String::as_str),
        None | Some("" | "pod")
    ) {
        return Ok(Identity::Own);
    }
    let access_key_id = metadata
        .raw("awsAccessKeyID")
        .or_else(|| metadata.raw("awsAccessKeyIDFromEnv"));
    match (access_key_id, metadata.raw("awsSecretAccessKeyFromEnv")) {
        (None, None) => Ok(Identity::Own),
        (None, Some(_)) => Err(PolicyError::NoAccessKeyId),
        (Some(_), None) => Err(PolicyError::NoSecretAccessKey),
        (Some(access_key_id), Some(secret_access_key)) => Ok(Identity::StaticKeys {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Secret::new(secret_access_key),
        }),
    }
}

const ROLE: &str = "awsRoleArn";
const EXTERNAL_ID: &str = "awsExternalId";

fn parse_role(arn: &str, external_id: Option<&str>) -> Result<RoleRef, PolicyError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource]
            if partition.starts_with("aws")
                && is_account(account)
                && resource
                    .strip_prefix("role/")
                    .is_some_and(|name| !name.is_empty()) =>
        {
            Ok(RoleRef {
                arn: arn.to_owned(),
                external_id: external_id.map(Secret::new),
                session: RoleRef::session_of("", ""),
            })
        }
        _ => Err(PolicyError::NotOneOf {
            key: ROLE,
            found: arn.to_owned(),
            expected: "arn:aws:iam::<account of 12 digits>:role/<name>".into(),
        }),
    }
}

/// An external id means nothing without a role, and keys nothing beside one.
fn unused_credentials(metadata: Metadata<'_>) -> Vec<Warning> {
    let has_role = metadata.text(ROLE).is_some();
    let keys = [
        "awsAccessKeyID",
        "awsAccessKeyIDFromEnv",
        "awsSecretAccessKeyFromEnv",
    ];
    let overridden = keys
        .into_iter()
        .filter(|key| has_role && metadata.raw(key).is_some())
        .map(|key| Warning::Overridden { key, by: ROLE });
    let alone = (!has_role && metadata.raw(EXTERNAL_ID).is_some()).then_some(Warning::Needs {
        key: EXTERNAL_ID,
        other: ROLE,
    });
    overridden.chain(alone).collect()
}

/// `aws-sqs-<name>` with the characters replaced that KEDA replaces in the names of metrics.
fn metric_name(queue_name: &str) -> String {
    format!("aws-sqs-{queue_name}").replace(['/', '.', ':', '%', '(', ')'], "-")
}

fn warnings(metadata: Metadata<'_>, policy: &ScalingPolicy) -> Vec<Warning> {
    let misplaced_keys: Vec<&str> = MISPLACED_KEYS.iter().map(|(key, _)| *key).collect();
    let ignored: Vec<&str> = KEDA_KEYS.iter().copied().chain(misplaced_keys).collect();
    let misplaced = MISPLACED_KEYS
        .iter()
        .filter(|(key, _)| metadata.0.contains_key(*key))
        .map(|&(key, remedy)| Warning::Misplaced {
            key: key.to_owned(),
            remedy,
        });
    let target = (policy.queue_length <= 0).then_some(Warning::TargetNotPositive {
        queue_length: policy.queue_length,
    });
    let flag = metadata.flag("scaleOnInFlight", policy.scale_on_in_flight);
    let overridden = (flag != Ok(policy.scale_on_in_flight)).then_some(Warning::Overridden {
        key: "scaleOnInFlight",
        by: "scaledJob",
    });
    metadata
        .unknown_keys(KNOWN_KEYS, &ignored)
        .into_iter()
        .chain(misplaced)
        .chain(target)
        .chain(overridden)
        .chain(law_keys::unused_hints(metadata))
        .chain(unused_credentials(metadata))
        .collect()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
