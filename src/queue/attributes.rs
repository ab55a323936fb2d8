//! SQS's attribute strings -> counts, by the rules of KEDA's `aws-sqs-queue`, and settings. Pure.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::scaling::{Count, CountError, Observation, QueueSettings};

/// What `GetQueueAttributes` calls the three counts.
pub const VISIBLE: &str = "ApproximateNumberOfMessages";
/// Those that are being worked on.
pub const IN_FLIGHT: &str = "ApproximateNumberOfMessagesNotVisible";
/// Those that cannot be received yet.
pub const DELAYED: &str = "ApproximateNumberOfMessagesDelayed";

/// What it calls the settings. `FifoQueue` is not among them: AWS refuses a request that asks it of a
/// standard queue, and the name says it.
pub const VISIBILITY_TIMEOUT: &str = "VisibilityTimeout";
/// When a message is a dead letter, in JSON.
pub const REDRIVE_POLICY: &str = "RedrivePolicy";
/// How long each message is delayed.
pub const DELAY: &str = "DelaySeconds";
/// How long a message is kept.
pub const RETENTION: &str = "MessageRetentionPeriod";
/// Only asked for by whoever looks closely.
pub(super) const LONG_POLLING: &str = "ReceiveMessageWaitTimeSeconds";

/// What a close look at a queue tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDetails {
    /// Counts and settings, as every look tells them.
    pub observation: Observation,
    /// `ReceiveMessageWaitTimeSeconds`: how long a receiver waits for a message unless it says otherwise.
    pub long_polling: Option<Duration>,
}

/// As [`observation`], with what only a close look asks for.
pub(super) fn details<'a>(attribute: impl Fn(&str) -> Option<&'a str>) -> QueueDetails {
    QueueDetails {
        observation: observation(&attribute),
        long_polling: seconds(attribute(LONG_POLLING)),
    }
}

fn seconds(text: Option<&str>) -> Option<Duration> {
    Some(Duration::from_secs(text?.parse().ok()?))
}

/// Reads counts and settings through `attribute`, which gives the text of an attribute by its name.
pub fn observation<'a>(attribute: impl Fn(&str) -> Option<&'a str>) -> Observation {
    let count = |name| count(name, attribute(name));
    Observation {
        visible: count(VISIBLE),
        in_flight: count(IN_FLIGHT),
        delayed: count(DELAYED),
        settings: settings(attribute),
    }
}

fn settings<'a>(attribute: impl Fn(&str) -> Option<&'a str>) -> QueueSettings {
    let seconds = |name| seconds(attribute(name));
    let redrive = attribute(REDRIVE_POLICY).and_then(|text| serde_json::from_str(text).ok());
    QueueSettings {
        visibility_timeout: seconds(VISIBILITY_TIMEOUT),
        receives_max: redrive.as_ref().and_then(receives_max),
        dead_letters: redrive.as_ref().and_then(dead_letters),
        is_fifo: None,
        delay: seconds(DELAY),
        retention: seconds(RETENTION),
    }
}

/// SQS takes the count as a number and as a text, and gives it back as it was written.
fn receives_max(redrive_policy: &Value) -> Option<u32> {
    match redrive_policy.get("maxReceiveCount")? {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn dead_letters(redrive_policy: &Value) -> Option<Arc<str>> {
    let arn = redrive_policy.get("deadLetterTargetArn")?.as_str()?;
    Some(arn.into())
}

fn count(attribute: &'static str, text: Option<&str>) -> Count {
    let text = text.ok_or(CountError::Missing { attribute })?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let found = || text.to_owned();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CountError::NotAnInteger {
            attribute,
            found: found(),
        });
    }
    // Digits that are no number of 64 bits are too many of them.
    text.parse().map_err(|_| CountError::OutOfRange {
        attribute,
        found: found(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_keda_reads_them() {
        let cases: [(Option<&str>, Result<i64, &str>); 9] = [
            (Some("0"), Ok(0)),
            (Some("2147483647"), Ok(2_147_483_647)),
            (Some("2147483648"), Ok(2_147_483_648)),
            (Some("-1"), Ok(-1)),
            (
                Some("9223372036854775808x"),
                Err("ApproximateNumberOfMessages: strconv.ParseInt: parsing \
                     \"9223372036854775808x\": invalid syntax"),
            ),
            (
                None,
                Err("metric ApproximateNumberOfMessages not found in SQS queue attributes"),
            ),
            (
                Some("NotInt"),
                Err(
                    "ApproximateNumberOfMessages: strconv.ParseInt: parsing \"NotInt\": invalid syntax",
                ),
            ),
            (
                Some("1.0"),
                Err(
                    "ApproximateNumberOfMessages: strconv.ParseInt: parsing \"1.0\": invalid syntax",
                ),
            ),
            (
                Some("9223372036854775808"),
                Err("ApproximateNumberOfMessages: strconv.ParseInt: parsing \
                     \"9223372036854775808\": value out of range"),
            ),
        ];
        for (text, expected) in cases {
            let found = count(VISIBLE, text).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn an_attribute_that_is_missing_does_not_hide_the_others() {
        let observation = observation(|name| (name != DELAYED).then_some("7"));
        assert_eq!((observation.visible, observation.in_flight), (Ok(7), Ok(7)));
        assert_eq!(
            observation.delayed,
            Err(CountError::Missing { attribute: DELAYED })
        );
    }

    #[test]
    fn settings_are_read_and_what_is_unreadable_is_not_known() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let unknown = QueueSettings::default;
        let cases = [
            (
                VISIBILITY_TIMEOUT,
                "30",
                QueueSettings {
                    visibility_timeout: seconds(30),
                    ..unknown()
                },
            ),
            (
                DELAY,
                "0",
                QueueSettings {
                    delay: seconds(0),
                    ..unknown()
                },
            ),
            (
                RETENTION,
                "345600",
                QueueSettings {
                    retention: seconds(345_600),
                    ..unknown()
                },
            ),
            (RETENTION, "-1", unknown()),
            (VISIBILITY_TIMEOUT, "soon", unknown()),
            (VISIBILITY_TIMEOUT, "", unknown()),
            (REDRIVE_POLICY, "", unknown()),
            (REDRIVE_POLICY, "[]", unknown()),
            (REDRIVE_POLICY, "{\"maxReceiveCount\":-3}", unknown()),
            (REDRIVE_POLICY, "{\"maxReceiveCount\":null}", unknown()),
        ];
        for (asked, text, expected) in cases {
            let found = observation(|name| (name == asked).then_some(text)).settings;
            assert_eq!(found, expected, "{asked} {text:?}");
        }
    }

    #[test]
    fn a_receive_count_is_a_number_or_a_text() {
        for count in ["3", "\"3\""] {
            let policy = format!("{{\"deadLetterTargetArn\":\"arn\",\"maxReceiveCount\":{count}}}");
            let settings = observation(|name| (name == REDRIVE_POLICY).then_some(&policy)).settings;
            assert_eq!(settings.receives_max, Some(3), "{policy}");
            assert_eq!(settings.dead_letters.as_deref(), Some("arn"));
        }
    }
}
