//! Metadata that cannot be understood, in the words of KEDA's `aws-sqs-queue`: whoever moves here reads the
//! messages that they know.

use std::{borrow::Cow, fmt};

use super::go;

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
