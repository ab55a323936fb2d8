//! A trigger's metadata, checked and typed: the keys, defaults and value rules of KEDA's `aws-sqs-queue`,
//! so that its metadata can be moved here as it is, and then our own keys.

use std::{collections::HashMap, sync::Arc};

use super::{
    Identity, Mode, PolicyError, QueueRef, RoleRef, ScalingPolicy, identity_keys, known_keys,
    law_keys,
    metadata::{Metadata, Warning},
    queue_url,
    scaled_job_key::ScaledJob,
    wakefulness_keys,
};

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

impl Trigger {
    /// Reads the metadata of an `aws-sqs-queue` trigger, as KEDA forwards it to external scalers.
    ///
    /// # Errors
    /// Every value that is missing or wrong, all of them at once where KEDA says them at once.
    pub fn parse(metadata: &HashMap<String, String>) -> Result<Self, PolicyError> {
        let metadata = Metadata(metadata);
        let (policy, address) = parse_values(metadata)?;
        let name = queue_url::queue_name(address.url).map_err(|_| PolicyError::NoQueueName)?;
        let metric_name = metric_name(&name);
        let queue = QueueRef {
            url: address.url.to_owned(),
            name,
            region: address.region.to_owned(),
            endpoint: metadata.text("awsEndpoint").map(str::to_owned),
            identity: identity_keys::parse(metadata)?,
        };
        let unfit = law_keys::not_for_fifo(&policy).filter(|_| queue.is_fifo());
        let warnings = known_keys::warnings(metadata, &policy);
        Ok(Self {
            queue: Arc::new(queue),
            policy,
            metric_name,
            warnings: warnings.into_iter().chain(unfit).collect(),
        })
    }

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

/// `aws-sqs-<name>` with the characters replaced that KEDA replaces in the names of metrics.
fn metric_name(queue_name: &str) -> String {
    format!("aws-sqs-{queue_name}").replace(['/', '.', ':', '%', '(', ')'], "-")
}

#[cfg(test)]
#[path = "trigger_tests.rs"]
mod tests;
