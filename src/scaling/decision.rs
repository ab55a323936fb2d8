//! From a policy and what is known to what KEDA is answered, and why. It cannot fail.

use std::fmt;

use super::{
    Backlog, Estimate, LawAnswer, LawTerm, Mode, ScalingPolicy, observation::count_as_f64,
};

/// What KEDA is told, with the reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingDecision {
    /// The metric's value: `AverageValue` arithmetic divides it by the target.
    pub metric_value: f64,
    /// Whether there is work: wakes a workload that is at zero, and keeps it awake.
    pub is_active: bool,
    /// What determined the value.
    pub bound_by: BindingTerm,
    /// What `aws-sqs-queue` would say.
    pub plain: PlainAnswer,
    /// What the law says, where there is one.
    pub law: Option<LawAnswer>,
    /// What the decision was taken from.
    pub backlog: Backlog,
    /// By which policy.
    pub policy: ScalingPolicy,
}

/// What `aws-sqs-queue` says of a backlog.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlainAnswer {
    /// The messages it counts.
    pub metric_value: f64,
    /// Whether these are more than `activationQueueLength`.
    pub is_active: bool,
}

/// What determined a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingTerm {
    /// No message is counted.
    Empty,
    /// Messages, but not more than `activationQueueLength`.
    BelowActivation,
    /// So many messages per replica, as `aws-sqs-queue` does it.
    QueueLength,
    /// A term of the law.
    Law(LawTerm),
    /// `maxReplicas`.
    MaxReplicas,
}

impl BindingTerm {
    /// All terms.
    pub const ALL: [Self; 13] = [
        Self::Empty,
        Self::BelowActivation,
        Self::QueueLength,
        Self::MaxReplicas,
        Self::Law(LawTerm::Empty),
        Self::Law(LawTerm::Learning),
        Self::Law(LawTerm::TargetWait),
        Self::Law(LawTerm::NoisyGroups),
        Self::Law(LawTerm::Busy),
        Self::Law(LawTerm::TakenOver),
        Self::Law(LawTerm::Stalled),
        Self::Law(LawTerm::Ineffective),
        Self::Law(LawTerm::FifoGroups),
    ];

    /// The term as a label: lower case, one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::BelowActivation => "below_activation",
            Self::QueueLength => "queue_length",
            Self::MaxReplicas => "max_replicas",
            Self::Law(LawTerm::Empty) => "law_empty",
            Self::Law(LawTerm::Learning) => "learning",
            Self::Law(LawTerm::TargetWait) => "target_wait",
            Self::Law(LawTerm::NoisyGroups) => "noisy_groups",
            Self::Law(LawTerm::Busy) => "busy",
            Self::Law(LawTerm::TakenOver) => "taken_over",
            Self::Law(LawTerm::Stalled) => "stalled",
            Self::Law(LawTerm::Ineffective) => "ineffective",
            Self::Law(LawTerm::FifoGroups) => "fifo_groups",
        }
    }
}

/// Decides: by the law where `policy` has one and there is an estimate for it, else as
/// `aws-sqs-queue` does, whose answer is the number of counted messages.
pub fn decide(
    policy: &ScalingPolicy,
    backlog: &Backlog,
    estimate: Option<&Estimate>,
) -> ScalingDecision {
    let plain = by_queue_length(policy, backlog);
    let law = policy
        .law
        .zip(estimate)
        .map(|(law, estimate)| law.answer(estimate, policy.target()));
    let decision = ScalingDecision {
        metric_value: plain.metric_value,
        is_active: plain.is_active,
        bound_by: plain_term(&plain),
        plain,
        law,
        backlog: *backlog,
        policy: *policy,
    };
    let obeyed = law.filter(|_| policy.mode == Mode::Live);
    capped(&obeyed.map_or(decision, |law| by_law(&decision, &law)))
}

fn by_queue_length(policy: &ScalingPolicy, backlog: &Backlog) -> PlainAnswer {
    let messages = backlog.messages(policy);
    PlainAnswer {
        metric_value: count_as_f64(messages),
        is_active: messages > policy.activation_queue_length,
    }
}

fn plain_term(plain: &PlainAnswer) -> BindingTerm {
    match plain {
        PlainAnswer { metric_value, .. } if *metric_value <= 0.0 => BindingTerm::Empty,
        PlainAnswer {
            is_active: false, ..
        } => BindingTerm::BelowActivation,
        PlainAnswer { .. } => BindingTerm::QueueLength,
    }
}

/// The metric stays in messages: a replica is worth `queueLength` of them, whatever the law says.
fn by_law(decision: &ScalingDecision, law: &LawAnswer) -> ScalingDecision {
    let Backlog {
        visible, in_flight, ..
    } = decision.backlog;
    // Messages in flight are work, whatever `scaleOnInFlight` says. What was believed beyond the
    // counts moves the number of replicas, and wakes nobody.
    let counted = visible.max(0).saturating_add(in_flight.max(0));
    let messages = counted.max(decision.messages());
    // Delayed messages that are nearly due wake the workload, so that it is there when they are.
    let is_active = messages > decision.policy.activation_queue_length || law.estimate.due > 0.0;
    ScalingDecision {
        metric_value: law.replicas * decision.policy.target(),
        is_active,
        bound_by: if is_active || messages <= 0 {
            BindingTerm::Law(law.bound_by)
        } else {
            BindingTerm::BelowActivation
        },
        ..*decision
    }
}

fn capped(decision: &ScalingDecision) -> ScalingDecision {
    let policy = &decision.policy;
    let most = policy
        .max_replicas
        .map(|replicas| f64::from(replicas) * policy.target());
    match most {
        Some(most) if decision.metric_value > most && most > 0.0 => ScalingDecision {
            metric_value: most,
            bound_by: BindingTerm::MaxReplicas,
            ..*decision
        },
        _ => *decision,
    }
}

impl ScalingDecision {
    /// The replicas that the autoscaler computes from this, before its bounds and its tolerance.
    /// None for a target that Kubernetes refuses.
    pub fn replicas(&self) -> Option<f64> {
        self.replicas_of(self.metric_value)
    }

    /// The messages that `aws-sqs-queue` counts.
    pub fn messages(&self) -> i64 {
        self.backlog.messages(&self.policy)
    }

    /// What is asked for, with its fraction: the autoscaler rounds it up.
    pub fn replicas_asked(&self) -> f64 {
        let target = self.policy.target();
        if target > 0.0 {
            self.metric_value.max(0.0) / target
        } else {
            0.0
        }
    }

    /// The same from what `aws-sqs-queue` would say.
    pub fn plain_replicas(&self) -> Option<f64> {
        self.replicas_of(self.plain.metric_value)
    }

    fn replicas_of(&self, metric_value: f64) -> Option<f64> {
        let target = self.policy.target();
        (target > 0.0).then(|| (metric_value.max(0.0) / target).ceil())
    }
}

impl fmt::Display for ScalingDecision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            backlog, policy, ..
        } = self;
        match (self.bound_by, self.replicas()) {
            (BindingTerm::Empty | BindingTerm::Law(LawTerm::Empty), _) => {
                write!(formatter, "the queue is empty ({backlog})")
            }
            (BindingTerm::BelowActivation, _) => write!(
                formatter,
                "{backlog}: not above activationQueueLength {}",
                policy.activation_queue_length
            ),
            (_, None) => write!(
                formatter,
                "{backlog}: queueLength {} is no target",
                policy.queue_length
            ),
            (BindingTerm::QueueLength, Some(replicas)) => write!(
                formatter,
                "{backlog}: {replicas} replicas at queueLength {}",
                policy.queue_length
            ),
            (BindingTerm::MaxReplicas, Some(replicas)) => {
                write!(
                    formatter,
                    "{backlog}: {replicas} replicas, all that maxReplicas allows"
                )
            }
            (BindingTerm::Law(term), Some(replicas)) => {
                write!(formatter, "{backlog}: {replicas} replicas {term}")?;
                self.law
                    .map_or(Ok(()), |law| write!(formatter, "; {law}"))?;
                let plain = self.plain_replicas().unwrap_or_default();
                write!(formatter, "; aws-sqs-queue would say {plain}")
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
            let decision = decide(&policy, &given_backlog(messages), None);
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
            let decision = decide(&ScalingPolicy::default(), &given_backlog(messages), None);
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
            [0, 2, 12].map(|messages| decide(&policy, &given_backlog(messages), None).to_string());
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
                decide(&policy, &given_backlog(fewer), None),
                decide(&policy, &given_backlog(more), None),
            );
            prop_assert!(low.metric_value <= high.metric_value);
            prop_assert!(low.is_active <= high.is_active);
            prop_assert!(low.metric_value.is_finite() && high.metric_value.is_finite());
        }

        #[test]
        fn replicas_are_finite_and_not_negative(queue_length: i64, messages: i64) {
            let policy = ScalingPolicy { queue_length, ..ScalingPolicy::default() };
            let replicas = decide(&policy, &given_backlog(messages), None).replicas();
            prop_assert!(replicas.is_none_or(|replicas| replicas.is_finite() && replicas >= 0.0));
        }
    }
}
