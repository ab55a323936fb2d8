//! The law: from a policy and a backlog to what KEDA is answered, and why. It cannot fail.

use std::fmt;

use super::{Backlog, ScalingPolicy, observation::count_as_f64};

/// What KEDA is told, with the reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingDecision {
    /// The metric's value: `AverageValue` arithmetic divides it by the target.
    pub metric_value: f64,
    /// Whether there is work: wakes a workload that is at zero, and keeps it awake.
    pub is_active: bool,
    /// What determined the value.
    pub bound_by: BindingTerm,
    /// What the decision was taken from.
    pub backlog: Backlog,
    /// By which policy.
    pub policy: ScalingPolicy,
}

/// The term of the law that determined a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingTerm {
    /// No message is counted.
    Empty,
    /// Messages, but not more than `activationQueueLength`.
    BelowActivation,
    /// So many messages per replica, as `aws-sqs-queue` does it.
    QueueLength,
}

/// Decides as `aws-sqs-queue` does: the value is the number of counted messages, and there is work
/// above `activationQueueLength`.
pub fn decide(policy: &ScalingPolicy, backlog: &Backlog) -> ScalingDecision {
    let messages = backlog.messages();
    let is_active = messages > policy.activation_queue_length;
    let bound_by = match messages {
        ..=0 => BindingTerm::Empty,
        _ if !is_active => BindingTerm::BelowActivation,
        _ => BindingTerm::QueueLength,
    };
    ScalingDecision {
        metric_value: count_as_f64(messages),
        is_active,
        bound_by,
        backlog: *backlog,
        policy: *policy,
    }
}

impl ScalingDecision {
    /// The replicas that the autoscaler computes from this, before its bounds and its tolerance.
    /// None for a target that Kubernetes refuses.
    pub fn replicas(&self) -> Option<f64> {
        let target = self.policy.target();
        (target > 0.0).then(|| (self.metric_value.max(0.0) / target).ceil())
    }
}

impl fmt::Display for ScalingDecision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            backlog, policy, ..
        } = self;
        match (self.bound_by, self.replicas()) {
            (BindingTerm::Empty, _) => write!(formatter, "the queue is empty ({backlog})"),
            (BindingTerm::BelowActivation, _) => write!(
                formatter,
                "{backlog}: not above activationQueueLength {}",
                policy.activation_queue_length
            ),
            (BindingTerm::QueueLength, Some(replicas)) => write!(
                formatter,
                "{backlog}: {replicas} replicas at queueLength {}",
                policy.queue_length
            ),
            (BindingTerm::QueueLength, None) => {
                write!(
                    formatter,
                    "{backlog}: queueLength {} is no target",
                    policy.queue_length
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given_backlog(visible: i64) -> Backlog {
        Backlog {
            visible,
            ..Backlog::default()
        }
    }

    #[test]
    fn active_means_strictly_above_the_activation_length() {
        let policy = ScalingPolicy {
            activation_queue_length: 5,
            ..ScalingPolicy::default()
        };
        for (messages, is_active) in [(0, false), (5, false), (6, true), (2_147_483_648, true)] {
            let decision = decide(&policy, &given_backlog(messages));
            assert_eq!(decision.is_active, is_active, "{messages}");
        }
    }

    /// System 0's arithmetic: one replica for every five messages, rounded up.
    #[test]
    fn replicas_follow_the_queue_length() {
        let table = [
            (0, 0.0),
            (1, 1.0),
            (5, 1.0),
            (6, 2.0),
            (12, 3.0),
            (46, 10.0),
            (50, 10.0),
        ];
        for (messages, replicas) in table {
            let decision = decide(&ScalingPolicy::default(), &given_backlog(messages));
            assert_eq!(decision.replicas(), Some(replicas), "{messages}");
        }
    }

    #[test]
    fn the_reason_names_what_bound() {
        let policy = ScalingPolicy {
            activation_queue_length: 2,
            ..ScalingPolicy::default()
        };
        let reasons =
            [0, 2, 12].map(|messages| decide(&policy, &given_backlog(messages)).to_string());
        assert_eq!(
            reasons,
            [
                "the queue is empty (0 visible + 0 in flight + 0 delayed)",
                "2 visible + 0 in flight + 0 delayed: not above activationQueueLength 2",
                "12 visible + 0 in flight + 0 delayed: 3 replicas at queueLength 5",
            ]
        );
    }

    proptest! {
        #[test]
        fn more_backlog_never_lowers_the_answer(
            queue_length: i64, activation_queue_length: i64, fewer: i64, more: i64,
        ) {
            let policy = ScalingPolicy {
                queue_length, activation_queue_length, ..ScalingPolicy::default()
            };
            let (fewer, more) = (fewer.min(more), fewer.max(more));
            let (low, high) = (
                decide(&policy, &given_backlog(fewer)),
                decide(&policy, &given_backlog(more)),
            );
            prop_assert!(low.metric_value <= high.metric_value);
            prop_assert!(low.is_active <= high.is_active);
            prop_assert!(low.metric_value.is_finite() && high.metric_value.is_finite());
        }

        #[test]
        fn replicas_are_finite_and_not_negative(queue_length: i64, messages: i64) {
            let policy = ScalingPolicy { queue_length, ..ScalingPolicy::default() };
            let replicas = decide(&policy, &given_backlog(messages)).replicas();
            prop_assert!(replicas.is_none_or(|replicas| replicas.is_finite() && replicas >= 0.0));
        }
    }
}
