//! One trigger that KEDA asks about: what it is judged with from one poll to the next, and what of it is
//! told to the board and the log.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    judge::{Case, Judge},
    limits::OpenStreams,
};
use crate::{
    access::Permit,
    cache::Sample,
    scaling::{
        Activation, Activity, Advice, CountError, Estimator, ScalingDecision, Trigger, advice,
    },
    status::{Board, Change, Look, TriggerStatus},
    workloads::ObjectName,
};

/// KEDA calls `IsActive` right after `GetMetrics` has answered; later, it is another poll.
const PAIR_WINDOW: Duration = Duration::from_secs(2);

/// A trigger, the sample that its last `GetMetrics` was answered from, and what was learned of its
/// queue.
#[derive(Debug)]
pub(super) struct LiveTrigger {
    pub(super) object: Arc<ObjectName>,
    pub(super) trigger: Arc<Trigger>,
    pub(super) status: Arc<TriggerStatus>,
    last_given: Mutex<Option<(Instant, Sample)>>,
    /// None without a law, which alone needs to learn.
    learned: Mutex<Option<Estimator>>,
    /// What was advised in the log, each once.
    advised: Mutex<Vec<Advice>>,
    activation: Mutex<Activation>,
    /// Whether it may ask for its queue.
    pub(super) permit: Permit,
    pub(super) open_streams: OpenStreams,
}

/// What is made of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judgement {
    pub(super) decision: ScalingDecision,
    pub(super) activity: Activity,
}

impl LiveTrigger {
    /// One that has not been judged yet; it is shown on `board`.
    pub(super) fn new(object: ObjectName, trigger: Trigger, board: &Board) -> Self {
        let (object, trigger) = (Arc::new(object), Arc::new(trigger));
        Self {
            learned: Mutex::new(trigger.policy.law.map(Estimator::new)),
            status: board.show(Arc::clone(&object), Arc::clone(&trigger)),
            object,
            trigger,
            last_given: Mutex::default(),
            advised: Mutex::default(),
            activation: Mutex::default(),
            permit: Permit::default(),
            open_streams: OpenStreams::default(),
        }
    }

    /// Remembers what `GetMetrics` was answered from: a sample, or nothing when it failed.
    pub(super) fn give(&self, sample: Option<&Sample>) {
        *self.lock() = sample.map(|sample| (Instant::now(), sample.clone()));
    }

    /// The sample of the poll that is under way, so that its value and its activity agree.
    pub(super) fn given_in_this_poll(&self) -> Option<Sample> {
        let given = self.lock();
        given
            .as_ref()
            .filter(|(at, _)| at.elapsed() < PAIR_WINDOW)
            .map(|(_, sample)| sample.clone())
    }

    /// What `judge` makes of `sample` for this trigger. Polls and streams of the trigger share what
    /// speaks for and against work.
    pub(super) fn decide(&self, judge: &Judge, sample: &Sample) -> Result<Judgement, CountError> {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let case = Case {
            object: &self.object,
            trigger: &self.trigger,
            learned: learned.as_mut(),
        };
        let verdict = judge.decide(case, sample)?;
        let decision = verdict.decision;
        self.advise(&decision, sample);
        let mut activation = self
            .activation
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = judge.at(sample);
        let activity = activation.activity(at, &sample.observation, &decision);
        let judgement = Judgement { decision, activity };
        if self.status.is_news(at) {
            let dead_letters = judge
                .dead_letters
                .of(&self.trigger.queue, &sample.observation.settings);
            self.record(Look {
                at,
                observation: Arc::clone(&sample.observation),
                decision,
                activity,
                minutes: verdict.minutes,
                ready_replicas: verdict.ready_replicas,
                dead_letters,
            });
        }
        Ok(judgement)
    }

    /// Puts what is new on the board, and a decision that changed into the log.
    fn record(&self, look: Look) {
        let (decision, activity) = (look.decision, look.activity);
        if let Some(change) = self.status.record(look) {
            self.log(&decision, activity, &change);
        }
    }

    /// One line for a decision that is another than the last: its inputs, and why.
    fn log(&self, decision: &ScalingDecision, activity: Activity, change: &Change) {
        let ObjectName { namespace, name } = &*self.object;
        let backlog = &decision.backlog;
        tracing::info!(
            namespace,
            name,
            queue = self.trigger.queue.url,
            visible = backlog.visible,
            in_flight = backlog.in_flight,
            delayed = backlog.delayed,
            replicas = decision.replicas(),
            replicas_before = change.replicas_before,
            aws_sqs_queue_replicas = decision.plain_replicas(),
            bound_by = decision.bound_by.name(),
            active = activity.polled,
            "{decision}"
        );
    }

    /// Tells the log what a user should know, each thing once.
    fn advise(&self, decision: &ScalingDecision, sample: &Sample) {
        let Some(answer) = &decision.law else {
            return;
        };
        let mut advised = self.advised.lock().unwrap_or_else(PoisonError::into_inner);
        for advice in advice(&decision.policy, &sample.observation.settings, answer) {
            if advised.iter().any(|before| before.is_like(&advice)) {
                continue;
            }
            let (namespace, name) = (&self.object.namespace, &self.object.name);
            tracing::warn!(namespace, name, queue = self.trigger.queue.url, "{advice}");
            advised.push(advice);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Sample)>> {
        self.last_given
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
