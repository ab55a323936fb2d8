//! From what is known of a trigger's queue to a decision: the counts of a sample, the minutes that
//! CloudWatch has, the replicas that Kubernetes has, and what was learned before. Knows no proto types.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    cache::Sample,
    clock::EpochClock,
    dead_letters::DeadLetterFeed,
    queue::{MinuteFeed, SensingState},
    scaling::{
        Backlog, CountError, Estimate, Estimator, QueueSettings, ScalingDecision, Seen, Trigger,
        Workload, decide,
    },
    workloads::{ObjectName, WorkloadFeed},
};

/// Decides for all triggers.
#[derive(Debug, Clone)]
pub(super) struct Judge {
    pub(super) minutes: MinuteFeed,
    pub(super) workloads: WorkloadFeed,
    pub(super) dead_letters: DeadLetterFeed,
    pub(super) clock: EpochClock,
}

/// What a trigger is judged by, and what was learned of its queue so far.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) object: &'a Arc<ObjectName>,
    pub(super) trigger: &'a Trigger,
    /// None without a law, which alone needs to learn.
    pub(super) learned: Option<&'a mut Estimator>,
}

/// What is made of a sample, and what else it was made of.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) decision: ScalingDecision,
    /// Whether minutes come; None without a law, which alone wants them.
    pub(super) minutes: Option<SensingState>,
    pub(super) ready_replicas: Option<u32>,
}

impl Judge {
    /// What the policy of a trigger makes of `sample`. The same sample gives the same decision.
    ///
    /// # Errors
    /// When a count is needed that is not known.
    pub(super) fn decide(&self, case: Case<'_>, sample: &Sample) -> Result<Verdict, CountError> {
        let Case {
            object,
            trigger,
            learned,
        } = case;
        let workload = self.workloads.workload(object);
        let policy = match &workload {
            Some(workload) => trigger.policy.for_workload(workload),
            None => trigger.policy,
        };
        let backlog = sample.observation.backlog(&policy)?;
        let verdict = |decision, minutes| Verdict {
            decision,
            minutes,
            ready_replicas: workload.and_then(|workload| workload.ready_replicas),
        };
        let Some(estimator) = learned else {
            return Ok(verdict(decide(&policy, &backlog, None), None));
        };
        let at = self.at(sample);
        let settings = &sample.observation.settings;
        let (estimate, minutes) =
            self.learn((trigger, settings), estimator, (at, &backlog, workload));
        let decision = decide(&policy, &backlog, Some(&estimate));
        estimator.asked(at, decision.replicas_asked());
        Ok(verdict(decision, Some(minutes)))
    }

    /// When `sample` was asked for.
    pub(super) fn at(&self, sample: &Sample) -> Duration {
        self.clock.at(sample.asked_at)
    }

    /// Now, since the Unix epoch.
    pub(super) fn now(&self) -> Duration {
        self.clock.at(Instant::now())
    }

    fn learn(
        &self,
        (trigger, settings): (&Trigger, &QueueSettings),
        estimator: &mut Estimator,
        (at, backlog, workload): (Duration, &Backlog, Option<Workload>),
    ) -> (Estimate, SensingState) {
        // The minutes of an empty queue change nothing, and each costs money.
        let is_empty = backlog.visible == 0 && backlog.in_flight == 0;
        let known = if is_empty {
            self.minutes.known(&trigger.queue)
        } else if trigger
            .policy
            .law
            .is_some_and(|law| law.noisy_wait.is_some())
        {
            self.minutes.minutes_and_groups(&trigger.queue)
        } else {
            self.minutes.minutes(&trigger.queue)
        };
        let seen = Seen {
            backlog,
            minutes: &known.minutes,
            ready_replicas: workload.and_then(|workload| workload.ready_replicas),
            delay: settings.delay,
        };
        (estimator.observe(at, &seen), known.state)
    }
}
