//! What a user should know of a queue and its workers: hints that measurement contradicts, settings
//! that do not fit the work, work that fails. Pure; nothing here changes a decision.

use std::{fmt, time::Duration};

use super::{Estimate, LawAnswer, LawTerm, QueueSettings, ScalingPolicy};

/// From so many deletions on a measured time is held against the hint.
const DELETIONS_TO_CONTRADICT: f64 = 50.0;

/// A hint that is off by more than this is reported.
const HINT_OFF_BY: f64 = 2.0;

/// From this share of its retention on, the oldest message is told.
const RETENTION_SHARE: f64 = 0.8;

/// A hint that seems to be off by this is doubted aloud: twice too much is already dangerous.
const HINT_DOUBTED_FROM: f64 = 1.5;

/// Something that a user should know. The same advice is the same value, so that it is said once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Advice {
    /// Measurement says something else than a hint.
    HintContradicted {
        key: &'static str,
        hinted: f64,
        measured: f64,
    },
    /// Replicas hold less than a hint says, if all that were asked for are there.
    HintDoubted {
        key: &'static str,
        hinted: f64,
        at_most: f64,
    },
    /// Replicas take longer to start than `startupSeconds` says, or its default.
    StartsLate { planned: Duration, took: Duration },
    /// A message is given out again before it is done, unless its consumer extends the timeout.
    VisibilityTooShort { timeout: Duration, seconds: f64 },
    /// Work fails, or nothing gets done.
    WorkFails,
    /// Some messages fail, and are received again.
    SomeFail { share: f64 },
    /// The oldest message will soon have been there for as long as the queue keeps messages.
    NearRetention { age: Duration, retention: Duration },
    /// More replicas did not get more done.
    MoreDoesNotHelp,
    /// A FIFO queue has fewer groups than replicas could work on.
    FewGroups { groups: f64 },
}

impl Advice {
    /// Whether it is the same advice, whatever its figures are by now.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::HintContradicted { key, .. }, Self::HintContradicted { key: others, .. }) => {
                key == others
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// All advice that `answer` gives reason for.
pub fn advice(policy: &ScalingPolicy, settings: &QueueSettings, answer: &LawAnswer) -> Vec<Advice> {
    let estimate = &answer.estimate;
    let few_groups = estimate
        .groups
        .filter(|_| answer.bound_by == LawTerm::FifoGroups)
        .map(|groups| Advice::FewGroups { groups });
    [
        contradicted_message(policy, estimate),
        contradicted_concurrency(policy, estimate),
        starts_late(policy, estimate),
        doubted_concurrency(policy, estimate),
        too_short_visibility(settings, estimate),
        failing(estimate),
        near_retention(settings, estimate),
        estimate.ineffective_above.map(|_| Advice::MoreDoesNotHelp),
        few_groups,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn contradicted_message(policy: &ScalingPolicy, estimate: &Estimate) -> Option<Advice> {
    let hinted = policy.law?.message?.as_secs_f64();
    let measured = estimate
        .message
        .filter(|message| message.deletions >= DELETIONS_TO_CONTRADICT)?
        .seconds;
    let ratio = (measured / hinted).max(hinted / measured);
    (ratio > HINT_OFF_BY).then_some(Advice::HintContradicted {
        key: "messageSeconds",
        hinted,
        measured,
    })
}

fn contradicted_concurrency(policy: &ScalingPolicy, estimate: &Estimate) -> Option<Advice> {
    let hinted = f64::from(policy.law?.concurrency?);
    let measured = estimate.concurrency;
    let is_off = measured >= HINT_OFF_BY * hinted || measured * HINT_DOUBTED_FROM <= hinted;
    let is_certain = estimate.concurrency_at_most.is_none();
    (is_off && is_certain).then_some(Advice::HintContradicted {
        key: "concurrency",
        hinted,
        measured,
    })
}

/// Replicas that are there sooner cost little, those that are there later make messages late.
fn starts_late(policy: &ScalingPolicy, estimate: &Estimate) -> Option<Advice> {
    let (planned, took) = (policy.law?.startup, estimate.startup?);
    (took > planned.mul_f64(HINT_OFF_BY)).then_some(Advice::StartsLate { planned, took })
}

fn doubted_concurrency(policy: &ScalingPolicy, estimate: &Estimate) -> Option<Advice> {
    let hinted = f64::from(policy.law?.concurrency?);
    let at_most = estimate.concurrency_at_most?;
    (at_most * HINT_DOUBTED_FROM <= hinted).then_some(Advice::HintDoubted {
        key: "concurrency",
        hinted,
        at_most,
    })
}

fn too_short_visibility(settings: &QueueSettings, estimate: &Estimate) -> Option<Advice> {
    let timeout = settings.visibility_timeout?;
    let message = estimate
        .message
        .filter(|message| message.deletions >= DELETIONS_TO_CONTRADICT)?;
    (message.seconds > timeout.as_secs_f64()).then_some(Advice::VisibilityTooShort {
        timeout,
        seconds: message.seconds,
    })
}

fn failing(estimate: &Estimate) -> Option<Advice> {
    let some = |share| Advice::SomeFail { share };
    match estimate.stalled_at {
        Some(_) => Some(Advice::WorkFails),
        None => estimate.failing_share.map(some),
    }
}

fn near_retention(settings: &QueueSettings, estimate: &Estimate) -> Option<Advice> {
    let (retention, oldest) = (settings.retention?, estimate.oldest?);
    (oldest.age > retention.mul_f64(RETENTION_SHARE)).then_some(Advice::NearRetention {
        age: oldest.age,
        retention,
    })
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HintContradicted {
                key,
                hinted,
                measured,
            } => write!(
                formatter,
                "metadata key {key:?} says {hinted}, and {measured:.3} is measured: correct it, or leave it out"
            ),
            Self::HintDoubted {
                key,
                hinted,
                at_most,
            } => write!(
                formatter,
                "metadata key {key:?} says {hinted}, and each replica that was asked for holds {at_most:.1} at most \
                 while messages wait: correct it, unless replicas are missing (maxReplicaCount, no room for pods)"
            ),
            Self::StartsLate { planned, took } => write!(
                formatter,
                "replicas take {} s from being asked for to being ready, and {} s are planned for: say so with metadata \
                 key \"startupSeconds\"",
                took.as_secs(),
                planned.as_secs()
            ),
            Self::VisibilityTooShort { timeout, seconds } => write!(
                formatter,
                "a message takes {seconds:.1} s, longer than the queue's visibility timeout of {} s: unless the \
                 consumers extend it, messages are given out again before they are done",
                timeout.as_secs()
            ),
            Self::WorkFails => formatter.write_str(
                "messages are received and not done: more replicas would fail as well, so none are added",
            ),
            Self::SomeFail { share } => write!(
                formatter,
                "{:.0} of 100 messages received in the last minutes were not done and are received again: look for \
                 their causes in the consumers' log",
                share * 100.0
            ),
            Self::NearRetention { age, retention } => write!(
                formatter,
                "the oldest message has waited for {:.1} h, and the queue drops messages after {:.1} h: raise \
                 MessageRetentionPeriod, or messages are lost",
                age.as_secs_f64() / 3600.0,
                retention.as_secs_f64() / 3600.0
            ),
            Self::MoreDoesNotHelp => formatter.write_str(
                "more replicas did not get more done, so none are added: something behind them is the limit",
            ),
            Self::FewGroups { groups } => write!(
                formatter,
                "only {groups:.0} message groups are worked on at once: more replicas would find no group"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::{Law, MessageTime, Oldest};

    fn given_policy() -> ScalingPolicy {
        ScalingPolicy {
            law: Some(Law {
                target_wait: Duration::from_mins(5),
                startup: Law::STARTUP,
                concurrency: Some(10),
                message: Some(Duration::from_secs(1)),
                fifo_groups: None,
                noisy_wait: None,
            }),
            ..ScalingPolicy::default()
        }
    }

    fn advised(estimate: Estimate, timeout_seconds: u64) -> Vec<Advice> {
        let policy = given_policy();
        let settings = QueueSettings {
            visibility_timeout: Some(Duration::from_secs(timeout_seconds)),
            ..QueueSettings::default()
        };
        let answer = policy.law.unwrap().answer(&estimate, 5.0);
        advice(&policy, &settings, &answer)
    }

    fn given_estimate(seconds: f64, concurrency: f64) -> Estimate {
        Estimate {
            visible: 10.0,
            message: Some(MessageTime {
                seconds,
                deletions: 1_000.0,
                is_at_most: false,
            }),
            concurrency,
            ..Estimate::default()
        }
    }

    #[test]
    fn there_is_none_while_all_is_as_hinted() {
        assert_eq!(advised(given_estimate(1.3, 10.0), 30), []);
    }

    #[test]
    fn a_hint_that_is_far_off_is_reported_with_what_is_measured() {
        let text: Vec<String> = advised(given_estimate(4.0, 2.0), 30)
            .iter()
            .map(Advice::to_string)
            .collect();
        assert_eq!(
            text,
            [
                "metadata key \"messageSeconds\" says 1, and 4.000 is measured: correct it, or leave it out",
                "metadata key \"concurrency\" says 10, and 2.000 is measured: correct it, or leave it out",
            ]
        );
    }

    #[test]
    fn a_concurrency_is_contradicted_in_both_directions_and_doubted_by_what_was_asked_for() {
        let keys = |estimate| {
            let advice = advised(estimate, 30);
            let text: Vec<String> = advice.iter().map(Advice::to_string).collect();
            text.join("\n")
        };
        let understated = keys(given_estimate(1.0, 20.0));
        assert!(
            understated.contains("\"concurrency\" says 10, and 20.000 is measured"),
            "{understated}"
        );
        let doubted = |at_most| Estimate {
            concurrency_at_most: Some(at_most),
            ..given_estimate(1.0, 10.0)
        };
        assert!(keys(doubted(5.0)).contains("holds 5.0 at most"));
        assert_eq!(advised(doubted(7.0), 30), []);
    }

    #[test]
    fn replicas_that_take_more_than_twice_as_long_to_start_are_reported() {
        let started_in = |seconds| Estimate {
            startup: Some(Duration::from_secs(seconds)),
            ..given_estimate(1.0, 10.0)
        };
        assert_eq!(advised(started_in(120), 30), []);
        let advice = advised(started_in(180), 30);
        assert_eq!(advice.len(), 1);
        assert_eq!(
            advice[0].to_string(),
            "replicas take 180 s from being asked for to being ready, and 60 s are planned for: say so with metadata \
             key \"startupSeconds\""
        );
    }

    #[test]
    fn work_that_outlasts_the_visibility_timeout_and_work_that_fails_are_reported() {
        let estimate = Estimate {
            stalled_at: Some(3.0),
            ..given_estimate(1.5, 10.0)
        };
        let advice = advised(estimate, 1);
        assert_eq!(advice.len(), 2);
        assert_eq!(advice[1], Advice::WorkFails);
        assert!(advice[0].is_like(&advice[0]) && !advice[0].is_like(&advice[1]));
    }

    #[test]
    fn messages_that_fail_and_messages_that_are_nearly_lost_are_reported() {
        let estimate = Estimate {
            failing_share: Some(0.25),
            oldest: Some(Oldest {
                age: Duration::from_hours(80),
                is_measured: true,
            }),
            ..given_estimate(1.0, 10.0)
        };
        let settings = QueueSettings {
            retention: Some(Duration::from_hours(96)),
            ..QueueSettings::default()
        };
        let policy = given_policy();
        let answer = policy.law.unwrap().answer(&estimate, 5.0);
        let texts: Vec<String> = advice(&policy, &settings, &answer)
            .iter()
            .map(Advice::to_string)
            .collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts[0].starts_with("25 of 100 messages"), "{texts:?}");
        assert!(texts[1].contains("80.0 h, and the queue drops messages after 96.0 h"));
    }
}
