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

    /// Its queue of dead letters, which SQS wants to be in the same account and region; None for what
    /// is no ARN of a queue.
    pub fn dead_letter_queue(&self, arn: &str) -> Option<Self> {
        let name = arn.rsplit(':').next().filter(|name| !name.is_empty())?;
        let url = match self.url.rsplit_once('/') {
            Some((place, _)) => format!("{place}/{name}"),
            None => name.to_owned(),
        };
        Some(Self {
            url,
            name: name.to_owned(),
            ..self.clone()
        })
    }
}

#[cfg(test)]
impl QueueRef {
    /// A queue at AWS that the scaler reads as itself, for tests.
    pub(crate) fn given(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            name: url.rsplit('/').next().unwrap_or(url).to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: None,
            identity: Identity::Own,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_of_dead_letters_is_beside_the_one_that_names_it() {
        let arn = "arn:aws:sqs:eu-west-1:1:orders-dead";
        let cases = [
            (
                "https://sqs.eu-west-1.amazonaws.com/1/orders",
                "https://sqs.eu-west-1.amazonaws.com/1/orders-dead",
            ),
            ("orders", "orders-dead"),
        ];
        for (url, expected) in cases {
            let dead = QueueRef::given(url).dead_letter_queue(arn).unwrap();
            assert_eq!(
                (dead.url.as_str(), dead.name.as_str()),
                (expected, "orders-dead")
            );
        }
        assert_eq!(QueueRef::given("orders").dead_letter_queue("arn:"), None);
    }
}
