//! The decision for the triggers of a file, from one look at each queue: what `sluice serve` would say
//! had it just been started. It asks AWS itself, and tells nobody.

mod words;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

pub use self::words::Words;
use crate::{
    clock::EpochClock,
    manifest::SqsTrigger,
    queue::{FetchError, MinuteSource, QueueSource, SensingState, recent_minutes},
    scaling::{
        Activation, CountError, Estimator, Minute, Observation, ScalingPolicy, Seen, Trigger,
        WorkloadKind, decide,
    },
    status::{Board, Look, ScaledObjectList, TriggerStatus},
};

/// A file with more triggers is not explained: each of them is a request or two.
pub const TRIGGERS_MAX: usize = 200;

/// What to ask.
#[derive(Debug)]
pub struct Explainer<S, M> {
    /// Tells the counts of queues.
    pub queues: S,
    /// Tells their minutes, which a law learns from; None does without.
    pub minutes: Option<M>,
    /// Tells the time.
    pub clock: EpochClock,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// In the shape that the API of a running server has.
    pub list: ScaledObjectList,
    /// What else is to be said of an object, by `namespace/name`.
    pub remarks: HashMap<String, Vec<String>>,
}

impl<S: QueueSource, M: MinuteSource> Explainer<S, M> {
    /// Looks at the queue of each trigger once, and decides.
    pub async fn explain(&self, triggers: &[SqsTrigger]) -> Explained {
        let board = Board::new(self.clock);
        let mut remarks: HashMap<String, Vec<String>> = HashMap::new();
        // The board shows what is held.
        let mut shown = Vec::with_capacity(triggers.len());
        for given in triggers {
            let name = format!("{}/{}", given.object.namespace, given.object.name);
            remarks.entry(name).or_default().extend(remarks_of(given));
            match Trigger::parse(&given.metadata) {
                Err(error) => {
                    let error = format!("{}: {error}", given.place);
                    board.reject(&given.object.namespace, &given.object.name, &error);
                }
                Ok(trigger) => {
                    let trigger = Arc::new(trigger);
                    let status = board.show(Arc::new(given.object.clone()), Arc::clone(&trigger));
                    self.look(given, &trigger, &status).await;
                    shown.push(status);
                }
            }
        }
        Explained {
            list: board.scaledobjects(),
            remarks,
        }
    }

    async fn look(&self, given: &SqsTrigger, trigger: &Arc<Trigger>, status: &Arc<TriggerStatus>) {
        let at = self.clock.at(Instant::now());
        let observation = match self.queues.observe(&trigger.queue).await {
            Ok(observation) => observation,
            Err(error) => return status.failed(at, &error),
        };
        let minutes = self.minutes(trigger, at).await;
        match judge(given, trigger, (observation, minutes), at) {
            Ok(look) => {
                status.record(look);
            }
            Err(error) => status.failed(at, &error),
        }
    }

    /// What CloudWatch tells; None where no law wants to know.
    async fn minutes(
        &self,
        trigger: &Trigger,
        at: Duration,
    ) -> Option<Result<Vec<Minute>, String>> {
        trigger.policy.law?;
        let Some(source) = &self.minutes else {
            return Some(Err("CloudWatch is switched off".to_owned()));
        };
        let told = recent_minutes(source, &trigger.queue, at).await;
        Some(told.map_err(|error: FetchError| error.to_string()))
    }
}

/// The decision of a server that sees this and nothing before.
fn judge(
    given: &SqsTrigger,
    trigger: &Trigger,
    (observation, minutes): (Observation, Option<Result<Vec<Minute>, String>>),
    at: Duration,
) -> Result<Look, CountError> {
    let policy: ScalingPolicy = trigger.policy.for_workload(&given.workload);
    let backlog = observation.backlog(&policy)?;
    let (told, state) = match minutes {
        None => (Vec::new(), None),
        Some(Ok(minutes)) => (minutes, Some(SensingState::Current)),
        Some(Err(reason)) => {
            let reason = reason.into();
            (Vec::new(), Some(SensingState::Off { reason }))
        }
    };
    let estimate = policy.law.map(|law| {
        let seen = Seen {
            backlog: &backlog,
            minutes: &told,
            ready_replicas: None,
            delay: observation.settings.delay,
        };
        Estimator::new(law).observe(at, &seen)
    });
    let decision = decide(&policy, &backlog, estimate.as_ref());
    Ok(Look {
        at,
        activity: Activation::default().activity(at, &observation, &decision),
        observation: Arc::new(observation),
        decision,
        minutes: state,
        ready_replicas: None,
        dead_letters: None,
    })
}

/// What a file tells beyond the metadata.
fn remarks_of(given: &SqsTrigger) -> Vec<String> {
    let mut remarks = Vec::new();
    if given.kind == "aws-sqs-queue" {
        remarks.push(format!(
            "{}: the type is aws-sqs-queue, so KEDA asks SQS itself; this is what Sluice would say (`sluice migrate` \
             moves it)",
            given.place
        ));
    }
    for (key, variable) in &given.unresolved {
        remarks.push(format!(
            "{}: {key} is left out: KEDA takes it from {variable} of the pod; set that variable here to have it",
            given.place
        ));
    }
    let bounds = &given.workload;
    remarks.push(match bounds.kind {
        WorkloadKind::ScaledObject => format!(
            "the autoscaler stays within minReplicaCount {} and maxReplicaCount {}",
            bounds.replicas_min, bounds.replicas_max
        ),
        WorkloadKind::ScaledJob(_) => {
            format!(
                "KEDA starts at most {} jobs at once (maxReplicaCount)",
                bounds.replicas_max
            )
        }
    });
    remarks
}
