//! The metadata keys that say with whose credentials a queue is read: a role, keys, or neither.

use super::{
    Identity, PolicyError, RoleRef, Secret,
    metadata::{Metadata, Warning},
    queue_ref::is_account,
};

const ROLE: &str = "awsRoleArn";
const EXTERNAL_ID: &str = "awsExternalId";

/// Whose credentials to use.
///
/// KEDA's scaler fails where neither keys nor an identity are given; here the scaler's own identity
/// is the default, because a `TriggerAuthentication` is not forwarded to external scalers.
pub(super) fn parse(metadata: Metadata<'_>) -> Result<Identity, PolicyError> {
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
pub(super) fn unused(metadata: Metadata<'_>) -> Vec<Warning> {
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
