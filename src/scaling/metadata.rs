//! Typed values out of a trigger's metadata, by KEDA's rules for every scaler: values are trimmed,
//! an empty one is a missing one, numbers are JSON, flags are Go's. Knows nothing of SQS.

use std::{collections::HashMap, fmt};

use super::PolicyError;

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
            Self::Overridden { key, by } => {
                write!(
                    formatter,
                    "metadata key {key:?} has no effect: {by:?} decides it"
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

    /// A whole number of 64 bits, in JSON's notation.
    pub(super) fn integer(self, key: &'static str, default: i64) -> Result<i64, PolicyError> {
        self.text(key).map_or(Ok(default), |value| {
            json_integer(value).map_err(|cause| PolicyError::NotAnInteger {
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

/// Parses `text` as Go's `json.Unmarshal` does into an `int64`, with its words for what is wrong.
fn json_integer(text: &str) -> Result<i64, String> {
    let kind = json_kind(text)?;
    let is_integer = kind == JsonKind::Number && !text.contains(['.', 'e', 'E']);
    let number = if is_integer { text.parse().ok() } else { None };
    number.ok_or_else(|| match kind {
        JsonKind::Number => {
            format!("json: cannot unmarshal number {text} into Go value of type int64")
        }
        JsonKind::Other(name) => {
            format!("json: cannot unmarshal {name} into Go value of type int64")
        }
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonKind {
    Number,
    Other(&'static str),
}

/// What kind of JSON value `text` is, or Go's words for why it is none.
fn json_kind(text: &str) -> Result<JsonKind, String> {
    match text.chars().next() {
        Some('-' | '0'..='9') => json_number(text).map(|()| JsonKind::Number),
        Some('"') => json_or("string", text),
        Some('t' | 'f') => json_or("bool", text),
        Some('[') => json_or("array", text),
        Some('{') => json_or("object", text),
        Some(first) => Err(format!(
            "invalid character {} looking for beginning of value",
            go_quoted(first)
        )),
        None => Err(END_OF_INPUT.to_owned()),
    }
}

const END_OF_INPUT: &str = "unexpected end of JSON input";

fn json_or(kind: &'static str, text: &str) -> Result<JsonKind, String> {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(JsonKind::Other(kind)),
        Err(error) if error.is_eof() => Err(END_OF_INPUT.to_owned()),
        Err(error) => Err(format!("invalid JSON: {error}")),
    }
}

/// Checks JSON's grammar of numbers, one character after the other as Go's scanner does.
fn json_number(text: &str) -> Result<(), String> {
    #[derive(Clone, Copy)]
    enum Place {
        Sign,
        Zero,
        Digits,
        Dot,
        Fraction,
        Exponent,
        ExponentSign,
        ExponentDigits,
    }
    let mut characters = text.chars();
    let mut place = match characters.next() {
        Some('-') => Place::Sign,
        Some('0') => Place::Zero,
        _ => Place::Digits,
    };
    for character in characters {
        place = match (place, character) {
            (Place::Sign, '0') => Place::Zero,
            (Place::Sign | Place::Digits, '0'..='9') => Place::Digits,
            (Place::Zero | Place::Digits, '.') => Place::Dot,
            (Place::Dot | Place::Fraction, '0'..='9') => Place::Fraction,
            (Place::Zero | Place::Digits | Place::Fraction, 'e' | 'E') => Place::Exponent,
            (Place::Exponent, '+' | '-') => Place::ExponentSign,
            (Place::Exponent | Place::ExponentSign | Place::ExponentDigits, '0'..='9') => {
                Place::ExponentDigits
            }
            (place, other) => {
                let context = match place {
                    Place::Sign => "in numeric literal",
                    Place::Dot => "after decimal point in numeric literal",
                    Place::Exponent | Place::ExponentSign => "in exponent of numeric literal",
                    _ => "after top-level value",
                };
                return Err(format!("invalid character {} {context}", go_quoted(other)));
            }
        };
    }
    match place {
        Place::Sign | Place::Dot | Place::Exponent | Place::ExponentSign => {
            Err(END_OF_INPUT.to_owned())
        }
        _ => Ok(()),
    }
}

/// A character as Go's JSON errors quote it.
fn go_quoted(character: char) -> String {
    match character {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        other => format!("'{other}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_json() {
        for (text, expected) in [
            ("5", 5),
            ("-1", -1),
            ("0", 0),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(json_integer(text), Ok(expected), "{text}");
        }
        let refused = [
            ("a", "invalid character 'a' looking for beginning of value"),
            ("+5", "invalid character '+' looking for beginning of value"),
            ("05", "invalid character '5' after top-level value"),
            ("5a", "invalid character 'a' after top-level value"),
            ("5 6", "invalid character ' ' after top-level value"),
            ("-", "unexpected end of JSON input"),
            ("-a", "invalid character 'a' in numeric literal"),
            ("1.", "unexpected end of JSON input"),
            (
                "1.x",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            (
                "1.5",
                "json: cannot unmarshal number 1.5 into Go value of type int64",
            ),
            (
                "5.0",
                "json: cannot unmarshal number 5.0 into Go value of type int64",
            ),
            (
                "1e1",
                "json: cannot unmarshal number 1e1 into Go value of type int64",
            ),
            ("1e", "unexpected end of JSON input"),
            (
                "1ex",
                "invalid character 'x' in exponent of numeric literal",
            ),
            (
                "9223372036854775808",
                "json: cannot unmarshal number 9223372036854775808 into Go value of type int64",
            ),
            (
                "\"5\"",
                "json: cannot unmarshal string into Go value of type int64",
            ),
            (
                "true",
                "json: cannot unmarshal bool into Go value of type int64",
            ),
            (
                "[5]",
                "json: cannot unmarshal array into Go value of type int64",
            ),
            (
                "{}",
                "json: cannot unmarshal object into Go value of type int64",
            ),
            (
                "'5'",
                r"invalid character '\'' looking for beginning of value",
            ),
        ];
        for (text, cause) in refused {
            assert_eq!(json_integer(text), Err(cause.to_owned()), "{text}");
        }
    }

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
