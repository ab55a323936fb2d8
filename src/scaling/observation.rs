//! What one answer of SQS says of a queue, and what of it a policy counts.

use std::{fmt, sync::Arc, time::Duration};

use super::{ScalingPolicy, go};

/// The three message counts of a queue, each as SQS gave it, and how the queue is set. All counts are
/// approximate; SQS says they may need a minute to settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// `ApproximateNumberOfMessages`: waiting to be received.
    pub visible: Count,
    /// `ApproximateNumberOfMessagesNotVisible`: received, not yet deleted.
    pub in_flight: Count,
    /// `ApproximateNumberOfMessagesDelayed`: sent, not yet receivable.
    pub delayed: Count,
    /// What the same answer says of the queue's settings.
    pub settings: QueueSettings,
}

/// How a queue is set, as far as it is known. They explain and guard; no count depends on them, so one
/// that is missing or unreadable is not known and never an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueSettings {
    /// `VisibilityTimeout`: a message not deleted so long after it was received is given out again.
    pub visibility_timeout: Option<Duration>,
    /// `maxReceiveCount` of the `RedrivePolicy`: received more often, a message leaves for the queue of
    /// dead letters.
    pub receives_max: Option<u32>,
    /// `deadLetterTargetArn` of the `RedrivePolicy`: the queue that it leaves for.
    pub dead_letters: Option<Arc<str>>,
    /// Whether messages come in order, a group at a time.
    pub is_fifo: Option<bool>,
    /// `DelaySeconds`: a message sent without a delay of its own waits so long to be receivable.
    pub delay: Option<Duration>,
    /// `MessageRetentionPeriod`: an older message is lost.
    pub retention: Option<Duration>,
}

/// One count: a number, or why there is none. A count that nobody asks for may be unreadable.
pub type Count = Result<i64, CountError>;

/// Why a count is not known. Each text ends with what KEDA's `aws-sqs-queue` says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// The answer lacks the attribute.
    #[error("metric {attribute} not found in SQS queue attributes")]
    Missing {
        /// The attribute's name.
        attribute: &'static str,
    },
    /// The attribute is not a whole number.
    #[error(
        "{attribute}: strconv.ParseInt: parsing {}: invalid syntax",
        go::quoted(found)
    )]
    NotAnInteger {
        /// The attribute's name.
        attribute: &'static str,
        /// What stands there instead.
        found: String,
    },
    /// The attribute is a whole number that does not fit in 64 bits.
    #[error(
        "{attribute}: strconv.ParseInt: parsing {}: value out of range",
        go::quoted(found)
    )]
    OutOfRange {
        /// The attribute's name.
        attribute: &'static str,
        /// What stands there instead.
        found: String,
    },
}

impl Observation {
    /// All messages that were seen, in whatever stage; a count that is not known adds nothing.
    pub fn messages_seen(&self) -> i64 {
        let stages = [&self.visible, &self.in_flight, &self.delayed];
        let known = stages.into_iter().flatten();
        known.fold(0, |sum, messages| sum.saturating_add(*messages))
    }

    /// Whether all counts are known to be zero.
    pub fn is_empty(&self) -> bool {
        let stages = [&self.visible, &self.in_flight, &self.delayed];
        stages.into_iter().all(|count| *count == Ok(0))
    }

    /// The counts that `policy` asks for. Fails when one of them is not known: never zero instead.
    pub fn backlog(&self, policy: &ScalingPolicy) -> Result<Backlog, CountError> {
        let counted = |count: &Count, is_counted: bool| {
            if is_counted { count.clone() } else { Ok(0) }
        };
        let needs_in_flight = policy.scale_on_in_flight || policy.law.is_some();
        Ok(Backlog {
            visible: self.visible.clone()?,
            in_flight: counted(&self.in_flight, needs_in_flight)?,
            delayed: match &self.delayed {
                // A law would like to know, and does without.
                Err(_) if !policy.scale_on_delayed => 0,
                delayed => counted(delayed, policy.scale_on_delayed || policy.law.is_some())?,
            },
        })
    }
}

/// The messages a policy asks for; a stage that it does not ask for is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Waiting to be received.
    pub visible: i64,
    /// Received and not yet deleted.
    pub in_flight: i64,
    /// Sent and not yet receivable.
    pub delayed: i64,
}

impl Backlog {
    /// The messages that `aws-sqs-queue` counts under `policy`.
    pub fn messages(&self, policy: &ScalingPolicy) -> i64 {
        let counted = |messages: i64, is_counted: bool| if is_counted { messages } else { 0 };
        self.visible
            .saturating_add(counted(self.in_flight, policy.scale_on_in_flight))
            .saturating_add(counted(self.delayed, policy.scale_on_delayed))
    }
}

impl fmt::Display for Backlog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} visible + {} in flight + {} delayed",
            self.visible, self.in_flight, self.delayed
        )
    }
}

/// A count of messages as a metric value. Exact up to 2^53, far above what a queue can hold.
#[allow(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no lossless conversion, and counts stay below 2^53"
)]
pub(super) fn count_as_f64(messages: i64) -> f64 {
    messages as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_counts(visible: i64, in_flight: i64, delayed: i64) -> Observation {
        Observation {
            visible: Ok(visible),
            in_flight: Ok(in_flight),
            delayed: Ok(delayed),
            settings: QueueSettings::default(),
        }
    }

    fn given_flags(scale_on_in_flight: bool, scale_on_delayed: bool) -> ScalingPolicy {
        ScalingPolicy {
            scale_on_in_flight,
            scale_on_delayed,
            ..ScalingPolicy::default()
        }
    }

    /// The value table of KEDA's own test: visible 200, in flight 100, delayed 50.
    #[test]
    fn the_flags_choose_what_is_counted() {
        let cases = [
            (false, false, 200),
            (true, false, 300),
            (false, true, 250),
            (true, true, 350),
        ];
        for (in_flight, delayed, expected) in cases {
            let policy = given_flags(in_flight, delayed);
            let backlog = given_counts(200, 100, 50).backlog(&policy);
            assert_eq!(
                backlog.map(|counted| counted.messages(&policy)),
                Ok(expected)
            );
        }
    }

    #[test]
    fn a_count_that_is_asked_for_and_unknown_is_an_error_not_zero() {
        let missing = CountError::Missing {
            attribute: "ApproximateNumberOfMessagesDelayed",
        };
        let observation = Observation {
            delayed: Err(missing.clone()),
            ..given_counts(3, 2, 0)
        };
        assert_eq!(observation.backlog(&given_flags(true, true)), Err(missing));
    }

    #[test]
    fn a_count_that_nobody_asks_for_may_be_unknown() {
        let missing = CountError::Missing {
            attribute: "ApproximateNumberOfMessagesDelayed",
        };
        let observation = Observation {
            delayed: Err(missing),
            ..given_counts(3, 2, 0)
        };
        let policy = given_flags(true, false);
        let backlog = observation.backlog(&policy);
        assert_eq!(backlog.map(|counted| counted.messages(&policy)), Ok(5));
    }

    #[test]
    fn a_sum_beyond_64_bits_does_not_overflow() {
        let policy = given_flags(true, true);
        let backlog = given_counts(i64::MAX, i64::MAX, 0).backlog(&policy);
        assert_eq!(
            backlog.map(|counted| counted.messages(&policy)),
            Ok(i64::MAX)
        );
    }
}
