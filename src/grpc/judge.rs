//! From what is known of a trigger's queue to a decision: the counts of a sample, the minutes that
//! CloudWatch has, and what was learned of the queue before. Knows no proto types.

use std::time::Duration;

use crate::{
    cache::Sample,
    clock::EpochClock,
    queue::MinuteFeed,
    scaling::{Backlog, CountError, Estimate, Estimator, ScalingDecision, Seen, Trigger, decide},
};

/// Decides for all triggers.
#[derive(Debug, Clone)]
pub(super) struct Judge {
    minutes: MinuteFeed,
    clock: EpochClock,
}

impl Judge {
    pub(super) fn new(minutes: MinuteFeed, clock: EpochClock) -> Self {
        Self { minutes, clock }
    }

    /// What the policy of `trigger` makes of `sample`, and of what was `learned` before. The same
    /// sample gives the same decision.
    ///
    /// # Errors
    /// When a count is needed that is not known.
    pub(super) fn decide(
        &self,
        trigger: &Trigger,
        learned: Option<&mut Estimator>,
        sample: &Sample,
    ) -> Result<ScalingDecision, CountError> {
        let policy = &trigger.policy;
        let backlog = sample.observation.backlog(policy)?;
        let Some(estimator) = learned else {
            return Ok(decide(policy, &backlog, None));
        };
        let at = self.clock.at(sample.asked_at);
        let estimate = self.estimate(trigger, estimator, (at, &backlog));
        let decision = decide(policy, &backlog, Some(&estimate));
        estimator.asked(at, decision.replicas_asked());
        Ok(decision)
    }

    fn estimate(
        &self,
        trigger: &Trigger,
        estimator: &mut Estimator,
        (at, backlog): (Duration, &Backlog),
    ) -> Estimate {
        // The minutes of an empty queue change nothing, and each costs money.
        let is_empty = backlog.visible == 0 && backlog.in_flight == 0;
        let known = if is_empty {
            self.minutes.known(&trigger.queue)
        } else {
            self.minutes.minutes(&trigger.queue)
        };
        let seen = Seen {
            backlog,
            minutes: &known.minutes,
            ready_replicas: None,
        };
        estimator.observe(at, &seen)
    }
}
