//! What the law and `aws-sqs-queue` each asked for over time, in replica-seconds. Pure: time is
//! passed in.

use std::time::Duration;

use crate::scaling::ScalingDecision;

/// A decision holds until the next one, but not for longer: then nobody knows what was asked for.
const HOLDS_MAX: Duration = Duration::from_mins(5);

/// The sums since the trigger was first seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Balance {
    last: Option<Asked>,
    /// Replica-seconds that `aws-sqs-queue` asked for beyond the law.
    pub(super) saved_replica_seconds: f64,
    /// Replica-seconds that the law asked for beyond `aws-sqs-queue`.
    pub(super) added_replica_seconds: f64,
    /// Seconds in which the oldest message had waited for longer than the target.
    pub(super) late_seconds: f64,
    /// Seconds that were taken into account.
    pub(super) seconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Asked {
    at: Duration,
    law_replicas: f64,
    plain_replicas: f64,
    is_late: bool,
}

impl Balance {
    /// Takes in a decision taken at `at`. One without a law, or without replicas, weighs nothing.
    pub(super) fn note(&mut self, at: Duration, decision: &ScalingDecision) {
        if let Some(last) = self.last {
            self.add(&last, at.saturating_sub(last.at).min(HOLDS_MAX));
        }
        self.last = asked(at, decision);
    }

    fn add(&mut self, asked: &Asked, held: Duration) {
        let seconds = held.as_secs_f64();
        let more = asked.plain_replicas - asked.law_replicas;
        self.saved_replica_seconds += more.max(0.0) * seconds;
        self.added_replica_seconds += (-more).max(0.0) * seconds;
        self.late_seconds += if asked.is_late { seconds } else { 0.0 };
        self.seconds += seconds;
    }
}

fn asked(at: Duration, decision: &ScalingDecision) -> Option<Asked> {
    let (answer, law) = (decision.law?, decision.policy.law?);
    let most = decision
        .policy
        .max_replicas
        .map_or(f64::INFINITY, f64::from);
    Some(Asked {
        at,
        law_replicas: answer.replicas.ceil().min(most),
        plain_replicas: decision.plain_replicas()?.min(most),
        is_late: law.is_late(&answer.estimate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::{
        Backlog, Estimate, Law, MessageTime, Mode, Oldest, ScalingPolicy, decide,
    };

    fn whole(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// 100 messages of a second each, so old: 20 replicas by `queueLength`, few by the law.
    fn given_decision(mode: Mode, oldest_seconds: u64) -> ScalingDecision {
        let policy = ScalingPolicy {
            law: Some(Law {
                target_wait: Duration::from_mins(5),
                startup: Law::STARTUP,
                concurrency: None,
                message: None,
                fifo_groups: None,
                noisy_wait: None,
            }),
            mode,
            ..ScalingPolicy::default()
        };
        let backlog = Backlog {
            visible: 100,
            ..Backlog::default()
        };
        let estimate = Estimate {
            visible: 100.0,
            concurrency: 1.0,
            message: Some(MessageTime {
                seconds: 1.0,
                deletions: 100.0,
                is_at_most: false,
            }),
            oldest: Some(Oldest {
                age: Duration::from_secs(oldest_seconds),
                is_measured: false,
            }),
            ..Estimate::default()
        };
        decide(&policy, &backlog, Some(&estimate))
    }

    #[test]
    fn what_a_decision_saves_grows_with_the_time_that_it_holds() {
        for mode in [Mode::Live, Mode::Shadow] {
            let mut balance = Balance::default();
            let decision = given_decision(mode, 10);
            let fewer = 20.0 - decision.law.unwrap().replicas.ceil();
            for seconds in [0, 30, 60] {
                balance.note(Duration::from_secs(seconds), &decision);
            }
            let sums = [
                balance.saved_replica_seconds,
                balance.added_replica_seconds,
                balance.late_seconds,
            ];
            assert_eq!(sums.map(whole), [fewer * 60.0, 0.0, 0.0].map(whole));
        }
    }

    #[test]
    fn time_in_which_messages_were_late_is_counted_and_silence_is_not() {
        let mut balance = Balance::default();
        balance.note(Duration::ZERO, &given_decision(Mode::Live, 301));
        balance.note(Duration::from_hours(8), &given_decision(Mode::Live, 10));
        balance.note(Duration::from_hours(9), &given_decision(Mode::Live, 10));
        assert_eq!(whole(balance.late_seconds), HOLDS_MAX);
        assert_eq!(whole(balance.seconds), 2 * HOLDS_MAX);
    }

    #[test]
    fn without_a_law_there_is_nothing_to_compare() {
        let mut balance = Balance::default();
        let plain = decide(&ScalingPolicy::default(), &Backlog::default(), None);
        balance.note(Duration::ZERO, &plain);
        balance.note(Duration::from_mins(1), &plain);
        assert_eq!(balance, Balance::default());
    }
}
