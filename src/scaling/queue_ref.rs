//! Which queue a trigger is about and as whom to ask for it. Knows nothing of how it is asked.

use super::Secret;

/// A queue and the identity to read it with; equal references share one observation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueueRef {
    /// `queueURL` as the user wrote it, a URL or a bare name: SQS takes both as `QueueUrl`.
    pub url: String,
    /// The name KEDA reads from the URL.
    pub name: String,
    /// The AWS region whose endpoint is asked.
    pub region: String,
    /// Another endpoint than the region's, such as a local SQS.
    pub endpoint: Option<String>,
    /// As whom to ask.
    pub identity: Identity,
}

impl QueueRef {
    /// Whether the queue is a FIFO queue. SQS wants `.fifo` at the end of their names and allows no
    /// other queue a full stop.
    pub fn is_fifo(&self) -> bool {
        matches!(self.name.rsplit_once('.'), Some((_, "fifo")))
    }
}

/// As whom SQS is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The scaler's own: IRSA, EKS Pod Identity, instance role or environment.
    Own,
    /// Keys that the trigger's metadata brings along.
    StaticKeys {
        /// The access key id, which is no secret.
        access_key_id: String,
        /// The secret that belongs to it.
        secret_access_key: Secret,
    },
    /// A role that the scaler assumes.
    Role(RoleRef),
}

/// A role, and as what it is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleRef {
    /// Its name.
    pub arn: String,
    /// What the role's own account asks for, so that nobody else makes the scaler assume it.
    pub external_id: Option<Secret>,
    /// The name of the session: who asks, for `CloudTrail`.
    pub session: String,
}

/// Whether `text` is the number of an account of AWS.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A session's name has as many characters at most (`RoleSessionName` of STS).
const SESSION_CHARACTERS: usize = 64;

impl RoleRef {
    /// The account of the role.
    pub fn account(&self) -> Option<&str> {
        self.arn.split(':').nth(4)
    }

    /// A name for a session on behalf of this object.
    pub(super) fn session_of(namespace: &str, name: &str) -> String {
        let is_allowed =
            |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
        format!("sluice@{namespace}.{name}")
            .chars()
            .map(|character| {
                if is_allowed(character) {
                    character
                } else {
                    '-'
                }
            })
            .take(SESSION_CHARACTERS)
            .collect()
    }
}
