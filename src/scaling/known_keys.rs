//! Which keys of a trigger's metadata mean something, and to whom; what a user should know of the others.

use super::{
    identity_keys, law_keys,
    metadata::{Metadata, Warning},
    policy::ScalingPolicy,
};

/// The keys that KEDA's own scaler reads too.
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

/// The keys that only Sluice understands.
const OUR_KEYS: &[&str] = &[
    "awsRoleArn",
    "awsExternalId",
    "scaledJob",
    "targetWaitSeconds",
    "concurrency",
    "messageSeconds",
    "startupSeconds",
    "fifoGroups",
    "noisyWaitSeconds",
    "maxReplicas",
    "mode",
    "emptyConfirmSeconds",
    "keepWarmSeconds",
];

/// Whether Sluice understands a key that KEDA's own scaler does not.
pub fn is_ours_alone(key: &str) -> bool {
    OUR_KEYS.contains(&key)
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

/// What a user should know of metadata that was understood as `policy`.
pub(super) fn warnings(metadata: Metadata<'_>, policy: &ScalingPolicy) -> Vec<Warning> {
    let known = [BUILT_IN_KEYS, OUR_KEYS].concat();
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
        .unknown_keys(&known, &ignored)
        .into_iter()
        .chain(misplaced)
        .chain(target)
        .chain(overridden)
        .chain(law_keys::unused_hints(metadata))
        .chain(identity_keys::unused(metadata))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_explains_every_key() {
        let readme = include_str!("../../README.md");
        for key in BUILT_IN_KEYS.iter().chain(OUR_KEYS) {
            assert!(
                readme.contains(&format!("`{key}`")),
                "{key} is not in the README"
            );
        }
    }
}
