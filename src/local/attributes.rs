//! The settings of a queue as SQS names them: text in, checked, typed, and text out again.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Deserializer};

use super::{
    queue::{QueueKind, QueueSettings},
    sqs::SqsError,
};

/// SQS takes messages of up to 1 MiB since August 2025.
pub(crate) const MESSAGE_BYTES_MAX: u64 = 1_048_576;

/// Attributes that are stored and given back as they are; they change nothing locally.
const KEPT: [&str; 6] = [
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

/// Attributes that mean something here.
const TYPED: [&str; 9] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "VisibilityTimeout",
];

/// What `CreateQueue` and `SetQueueAttributes` can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueAttributes {
    pub(crate) is_fifo: bool,
    pub(crate) delay_seconds: u64,
    pub(crate) visibility_timeout_seconds: u64,
    pub(crate) retention_seconds: u64,
    pub(crate) message_bytes_max: u64,
    pub(crate) wait_seconds: u64,
    pub(crate) deduplicates_content: bool,
    pub(crate) deduplicates_per_group: bool,
    pub(crate) redrive: Option<RedrivePolicy>,
    kept: BTreeMap<String, String>,
}

/// Where a message goes that was received `max_receives` times without being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    pub(crate) target_arn: String,
    pub(crate) max_receives: u32,
}

impl Default for QueueAttributes {
    fn default() -> Self {
        Self {
            is_fifo: false,
            delay_seconds: 0,
            visibility_timeout_seconds: 30,
            retention_seconds: 345_600,
            message_bytes_max: MESSAGE_BYTES_MAX,
            wait_seconds: 0,
            deduplicates_content: false,
            deduplicates_per_group: false,
            redrive: None,
            kept: BTreeMap::new(),
        }
    }
}

impl QueueAttributes {
    /// Takes over one attribute, or says which value it wanted.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        match name {
            "DelaySeconds" => self.delay_seconds = number(name, value, 0..=900)?,
            "VisibilityTimeout" => {
                self.visibility_timeout_seconds = number(name, value, 0..=43_200)?;
            }
            "MessageRetentionPeriod" => {
                self.retention_seconds = number(name, value, 60..=1_209_600)?;
            }
            "MaximumMessageSize" => {
                self.message_bytes_max = number(name, value, 1_024..=MESSAGE_BYTES_MAX)?;
            }
            "ReceiveMessageWaitTimeSeconds" => self.wait_seconds = number(name, value, 0..=20)?,
            "FifoQueue" => self.is_fifo = truth(name, value)?,
            "ContentBasedDeduplication" => self.deduplicates_content = truth(name, value)?,
            "DeduplicationScope" => self.deduplicates_per_group = value == "messageGroup",
            "RedrivePolicy" => self.redrive = RedrivePolicy::parse(value)?,
            kept if KEPT.contains(&kept) => {
                self.kept.insert(name.to_owned(), value.to_owned());
            }
            unknown => return Err(SqsError::InvalidAttributeName(unknown.to_owned())),
        }
        Ok(())
    }

    /// A queue's attributes as given when it was created.
    pub(crate) fn parse<'a>(
        given: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Result<Self, SqsError> {
        let mut attributes = Self::default();
        for (name, value) in given {
            attributes.set(name, value)?;
        }
        Ok(attributes)
    }

    /// The names of all attributes that can be set.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        KEPT.into_iter().chain(TYPED)
    }

    /// One attribute in the words of SQS, or `None` when this queue has it not.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let scope = if self.deduplicates_per_group {
            "messageGroup"
        } else {
            "queue"
        };
        match name {
            "DelaySeconds" => Some(self.delay_seconds.to_string()),
            "VisibilityTimeout" => Some(self.visibility_timeout_seconds.to_string()),
            "MessageRetentionPeriod" => Some(self.retention_seconds.to_string()),
            "MaximumMessageSize" => Some(self.message_bytes_max.to_string()),
            "ReceiveMessageWaitTimeSeconds" => Some(self.wait_seconds.to_string()),
            "RedrivePolicy" => self.redrive.as_ref().map(RedrivePolicy::to_json),
            "FifoQueue" => self.is_fifo.then(|| "true".to_owned()),
            "ContentBasedDeduplication" => {
                self.is_fifo.then(|| self.deduplicates_content.to_string())
            }
            "DeduplicationScope" => self.is_fifo.then(|| scope.to_owned()),
            kept => self.kept.get(kept).cloned().or_else(|| match kept {
                "FifoThroughputLimit" => self.is_fifo.then(|| "perQueue".to_owned()),
                "SqsManagedSseEnabled" => Some("true".to_owned()),
                _ => None,
            }),
        }
    }

    pub(crate) fn settings(&self) -> QueueSettings {
        QueueSettings {
            kind: if self.is_fifo {
                QueueKind::Fifo
            } else {
                QueueKind::Standard
            },
            delay: Duration::from_secs(self.delay_seconds),
            visibility_timeout: Duration::from_secs(self.visibility_timeout_seconds),
            retention: Duration::from_secs(self.retention_seconds),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedriveJson {
    dead_letter_target_arn: String,
    #[serde(deserialize_with = "number_or_text")]
    max_receive_count: u32,
}

impl RedrivePolicy {
    /// Empty text takes the policy away; `maxReceiveCount` may be a number or text, as SQS allows both.
    fn parse(value: &str) -> Result<Option<Self>, SqsError> {
        if value.is_empty() {
            return Ok(None);
        }
        let invalid = || {
            SqsError::invalid(
                "RedrivePolicy",
                value,
                "expected {\"deadLetterTargetArn\": ARN, \"maxReceiveCount\": 1 to 1000}.",
            )
        };
        let json: RedriveJson = serde_json::from_str(value).map_err(|_| invalid())?;
        if !(1..=1_000).contains(&json.max_receive_count) {
            return Err(invalid());
        }
        let target_arn = json.dead_letter_target_arn;
        Ok(Some(Self {
            target_arn,
            max_receives: json.max_receive_count,
        }))
    }

    fn to_json(&self) -> String {
        serde_json::json!({
            "deadLetterTargetArn": self.target_arn,
            "maxReceiveCount": self.max_receives,
        })
        .to_string()
    }
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrText {
        Number(u32),
        Text(String),
    }
    match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => Ok(number),
        NumberOrText::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

fn number(name: &str, value: &str, range: RangeInclusive<u64>) -> Result<u64, SqsError> {
    value
        .parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| SqsError::InvalidAttributeValue(name.to_owned()))
}

fn truth(name: &str, value: &str) -> Result<bool, SqsError> {
    value
        .parse()
        .map_err(|_| SqsError::InvalidAttributeValue(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_range_is_refused() {
        let mut attributes = QueueAttributes::default();
        for (name, value) in [
            ("DelaySeconds", "901"),
            ("VisibilityTimeout", "-1"),
            ("MessageRetentionPeriod", "59"),
            ("MaximumMessageSize", "1023"),
            ("ReceiveMessageWaitTimeSeconds", "21"),
            ("FifoQueue", "yes"),
        ] {
            assert_eq!(
                attributes.set(name, value),
                Err(SqsError::InvalidAttributeValue(name.to_owned()))
            );
        }
        assert_eq!(attributes, QueueAttributes::default());
    }

    #[test]
    fn a_redrive_policy_takes_its_count_as_number_or_text() {
        for count in ["3", "\"3\""] {
            let json = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:a:b:dead","maxReceiveCount":{count}}}"#
            );
            let policy = RedrivePolicy::parse(&json).unwrap().unwrap();
            assert_eq!(
                (policy.target_arn.as_str(), policy.max_receives),
                ("arn:aws:sqs:a:b:dead", 3)
            );
        }
        assert!(RedrivePolicy::parse("nonsense").is_err());
        assert_eq!(RedrivePolicy::parse(""), Ok(None));
    }

    #[test]
    fn an_unknown_attribute_is_named() {
        let found = QueueAttributes::default().set("Colour", "red");
        assert_eq!(
            found,
            Err(SqsError::InvalidAttributeName("Colour".to_owned()))
        );
    }
}
