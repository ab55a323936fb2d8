//! Typed values out of a trigger's metadata, by KEDA's rules for every scaler: values are trimmed,
//! an empty one is a missing one, numbers are JSON, flags are Go's. Knows nothing of SQS.

use std::{collections::HashMap, fmt};

use super::{PolicyError, go};

/// What a user should know of a trigger that works nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Nobody reads this key; a typo must not take production down.
    UnknownKey {
        /// The key as written.
        key: String,
        /// The known key that is spelled most alike.
        nearest: Option<&'static str>,
    },
    /// The key is read, but not from here.
    Misplaced {
        /// The key as written.
        key: String,
        /// Where it belongs.
        remedy: &'static str,
    },
    /// Another key leaves this one no choice.
    Overridden {
        /// The key without effect.
        key: &'static str,
        /// The key that decides.
        by: &'static str,
    },
    /// The key means nothing without another one.
    Needs {
        /// The key without effect.
        key: &'static str,
        /// The key that is missing.
        other: &'static str,
    },
    /// Only a standard queue has noisy groups: a FIFO queue hands out each group in its order.
    NotForFifo {
        /// The key without effect.
        key: &'static str,
    },
    /// Kubernetes refuses an autoscaler with this target.
    TargetNotPositive {
        /// The `queueLength` found.
        queue_length: i64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey {
                key,
                nearest: Some(nearest),
            } => {
                write!(
                    formatter,
                    "metadata key {key:?} is unknown and ignored; did you mean {nearest:?}?"
                )
            }
            Self::UnknownKey { key, nearest: None } => {
                write!(formatter, "metadata key {key:?} is unknown and ignored")
            }
            Self::Misplaced { key, remedy } => {
                write!(
                    formatter,
                    "metadata key {key:?} has no effect here: {remedy}"
                )
            }
            Self::NotForFifo { key } => write!(
                formatter,
                "metadata key {key:?} has no effect: a FIFO queue is not a fair queue"
            ),
            Self::Overridden { key, by } => {
                write!(
                    formatter,
                    "metadata key {key:?} has no effect: {by:?} decides it"
                )
            }
            Self::Needs { key, other } => {
                write!(
                    formatter,
                    "metadata key {key:?} has no effect without {other:?}"
                )
            }
            Self::TargetNotPositive { queue_length } => write!(
                formatter,
                "metadata key \"queueLength\" is {queue_length}: Kubernetes refuses an autoscaler \
                 whose target is not above zero"
            ),
        }
    }
}

/// The `metadata:` of one trigger.
#[derive(Clone, Copy)]
pub(super) struct Metadata<'a>(pub(super) &'a HashMap<String, String>);

impl<'a> Metadata<'a> {
    /// The trimmed value of `key`, if there is one.
    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        self.0
            .get(key)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The value of `key` as it stands, if it is not empty: KEDA does not trim credentials.
    pub(super) fn raw(self, key: &str) -> Option<&'a str> {
        self.0
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A whole number of 64 bits, in JSON's notation.
    pub(super) fn integer(self, key: &'static str, default: i64) -> Result<i64, PolicyError> {
        self.text(key).map_or(Ok(default), |value| {
            go::json_integer(value).map_err(|cause| PolicyError::NotAnInteger {
                key,
                found: value.to_owned(),
                cause,
            })
        })
    }

    /// A flag, in one of the spellings of Go's `strconv.ParseBool`.
    pub(super) fn flag(self, key: &'static str, default: bool) -> Result<bool, PolicyError> {
        match self.text(key) {
            None => Ok(default),
            Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(true),
            Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(false),
            Some(value) => Err(PolicyError::NotABoolean {
                key,
                found: value.to_owned(),
            }),
        }
    }

    /// A warning for every key that is in neither list, in alphabetical order.
    pub(super) fn unknown_keys(self, known: &[&'static str], ignored: &[&str]) -> Vec<Warning> {
        let is_known = |key: &str| known.contains(&key) || ignored.contains(&key);
        let mut keys: Vec<&String> = self.0.keys().filter(|key| !is_known(key)).collect();
        keys.sort();
        let warning = |key: &String| Warning::UnknownKey {
            key: key.clone(),
            nearest: nearest_key(key, known),
        };
        keys.into_iter().map(warning).collect()
    }
}

/// Below this similarity (0 to 1) a suggestion confuses more than it helps.
const LEAST_SIMILARITY: f64 = 0.75;

fn nearest_key(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let lower = key.to_lowercase();
    let similarity = |known: &str| strsim::jaro_winkler(&lower, &known.to_lowercase());
    known
        .iter()
        .map(|&known| (similarity(known), known))
        .filter(|&(similarity, _)| similarity >= LEAST_SIMILARITY)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_reported_with_the_nearest_known_key() {
        let known = [
            "queueURL",
            "queueLength",
            "activationQueueLength",
            "awsRegion",
        ];
        let cases = [
            ("queueLenght", Some("queueLength")),
            ("queueurl", Some("queueURL")),
            ("QueueLength", Some("queueLength")),
            ("awsregion", Some("awsRegion")),
            ("activationQueLength", Some("activationQueueLength")),
            ("colour", None),
        ];
        for (typo, nearest) in cases {
            assert_eq!(nearest_key(typo, &known), nearest, "{typo}");
        }
    }
}
