//! Who sets the number of replicas: KEDA with the autoscaler, asking the scaler's real decision, or
//! one of its rivals.

use std::time::Duration;

use super::{
    approximate::ApproximateCounts,
    cloudwatch::CloudWatch,
    hpa::{Autoscaler, AutoscalerSettings, Metric, SYNC_INTERVAL},
    keda::{Executor, ScaledObject},
    numbers::real,
    rivals::{RivalLoop, oracle::Oracle},
    told::Tampering,
};
use crate::{
    local::queue::{Counts, Totals},
    scaling::{
        self, Activation, Activity, Estimator, Observation, ScalingDecision, ScalingPolicy, Seen,
        decide,
    },
};

/// The autoscaler's syncs are not in step with KEDA's polls.
const SYNC_OFFSET: Duration = Duration::from_secs(7);

/// A minute is seen long before so many others have followed it.
const MINUTES_READ: usize = 5;

/// So far back goes the first look of a copy, whose answer is there by then.
const HISTORY_MINUTES: usize = 32;
const CATCHES_UP_IN: Duration = Duration::from_mins(1);

/// All that whoever scales may look at.
#[derive(Debug)]
pub(super) struct Sight<'a> {
    pub(super) sqs: &'a mut ApproximateCounts,
    pub(super) cloudwatch: &'a CloudWatch,
    /// The truth, which only SQS, the oracle and those who run the consumers themselves may look at,
    /// like what follows.
    pub(super) counts: Counts,
    pub(super) totals: Totals,
    /// Messages whose work has failed so far.
    pub(super) failures: u64,
    /// Wanted pods that are at work.
    pub(super) working: u32,
    /// `spec.replicas`.
    pub(super) replicas: u32,
    /// Pods that receive messages.
    pub(super) ready: u32,
    /// `DelaySeconds` of the queue.
    pub(super) delay: Duration,
}

/// What an observation counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CountsSeen {
    pub(super) visible: f64,
    pub(super) in_flight: f64,
}

/// What a scaler wants of CloudWatch.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// How many minutes.
    minutes: usize,
    /// Whether its queue is empty: then it asks for nothing.
    is_empty: bool,
    /// Whether its law tells noisy groups from others.
    watches_groups: bool,
}

impl Sight<'_> {
    pub(super) fn observe(&mut self, now: Duration) -> Option<Observation> {
        self.sqs.observe(now, self.counts)
    }

    /// The last minutes that CloudWatch has, oldest first.
    fn minutes(&self, now: Duration, wanted: &Wanted) -> Vec<scaling::Minute> {
        if !wanted.is_empty {
            self.cloudwatch.poll(now, wanted.watches_groups);
        }
        let detail = self.cloudwatch.detail();
        let newest_first = self.cloudwatch.readable(now).take(wanted.minutes);
        let mut minutes: Vec<_> = newest_first.map(|minute| minute.told(detail)).collect();
        minutes.reverse();
        minutes
    }

    /// The counts of an observation, for those who calculate with them. None when SQS does not answer.
    pub(super) fn counts_seen(&mut self, now: Duration) -> Option<CountsSeen> {
        let seen = self.observe(now)?;
        let number = |messages: i64| real(u64::try_from(messages).unwrap_or(0));
        Some(CountsSeen {
            visible: number(seen.visible.ok()?),
            in_flight: number(seen.in_flight.ok()?),
        })
    }
}

/// How the scaler of a trigger is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalerSettings {
    /// How long one observation serves.
    pub cache_ttl: Duration,
    /// How often a push stream looks; none for a trigger that is only polled.
    pub push_interval: Option<Duration>,
    /// Whether the minutes of CloudWatch may be read.
    pub reads_cloudwatch: bool,
    /// Whether the ready replicas may be read.
    pub reads_replicas: bool,
}

impl ScalerSettings {
    /// KEDA's own scaler: each question is a request to SQS.
    pub fn built_in() -> Self {
        Self {
            cache_ttl: Duration::ZERO,
            push_interval: None,
            reads_cloudwatch: false,
            reads_replicas: false,
        }
    }

    /// This scaler as `external-push`, with the defaults of `sluice serve`.
    pub fn sluice() -> Self {
        Self {
            cache_ttl: Duration::from_secs(5),
            push_interval: Some(Duration::from_secs(1)),
            reads_cloudwatch: true,
            reads_replicas: false,
        }
    }
}

/// The scaler of one trigger: an observation, a while old at most, and the real decision.
#[derive(Debug)]
struct Scaler {
    policy: ScalingPolicy,
    settings: ScalerSettings,
    seen: Option<(Duration, Option<Observation>)>,
    estimator: Option<Estimator>,
    activation: Activation,
    tampering: Tampering,
    memory: Memory,
}

/// How much of the past a copy has yet to learn of.
#[derive(Debug, Clone, Copy)]
enum Memory {
    /// It has been there from the beginning.
    Whole,
    /// It has just been started.
    None,
    /// It has asked for what CloudWatch has.
    AskedAt(Duration),
}

impl Memory {
    /// The minutes that are read. What is asked for at one look is there at the next.
    fn minutes_read(&mut self, now: Duration, is_empty: bool) -> usize {
        match self {
            Self::None => {
                if !is_empty {
                    *self = Self::AskedAt(now);
                }
                0
            }
            Self::AskedAt(at) if now.saturating_sub(*at) < CATCHES_UP_IN => HISTORY_MINUTES,
            Self::AskedAt(_) | Self::Whole => MINUTES_READ,
        }
    }
}

/// What KEDA is answered.
struct Answer {
    decision: ScalingDecision,
    activity: Activity,
}

impl Scaler {
    /// As a copy that has just been started.
    fn forget(&mut self) {
        self.seen = None;
        self.estimator = self.policy.law.map(Estimator::new);
        self.activation = Activation::default();
        self.memory = Memory::None;
    }

    /// What KEDA is answered; None is an error.
    fn answer(
        &mut self,
        now: Duration,
        max_age: Duration,
        sight: &mut Sight<'_>,
    ) -> Option<Answer> {
        let is_fresh = |at: Duration| now.saturating_sub(at) < max_age;
        let (at, observation) = match self.seen.take() {
            Some((at, seen)) if is_fresh(at) => (at, seen),
            _ => (now, sight.observe(now)),
        };
        self.seen = Some((at, observation.clone()));
        let observation = observation?;
        let decision = self.decide((now, at), &observation, sight)?;
        let activity = self.activation.activity(at, &observation, &decision);
        Some(Answer { decision, activity })
    }

    fn decide(
        &mut self,
        (now, at): (Duration, Duration),
        observation: &Observation,
        sight: &Sight<'_>,
    ) -> Option<ScalingDecision> {
        let backlog = observation.backlog(&self.policy).ok()?;
        let Some(estimator) = &mut self.estimator else {
            return Some(decide(&self.policy, &backlog, None));
        };
        // An empty queue is not asked for; what was asked for before still comes.
        let is_empty = backlog.visible == 0 && backlog.in_flight == 0;
        let minutes: Vec<scaling::Minute> = if self.settings.reads_cloudwatch {
            let wanted = Wanted {
                minutes: self.memory.minutes_read(now, is_empty),
                is_empty,
                watches_groups: self.policy.law.is_some_and(|law| law.noisy_wait.is_some()),
            };
            self.tampering.seen(now, sight.minutes(now, &wanted))
        } else {
            Vec::new()
        };
        let estimate = estimator.observe(
            at,
            &Seen {
                backlog: &backlog,
                minutes: &minutes,
                delay: Some(sight.delay),
                ready_replicas: self.settings.reads_replicas.then_some(sight.ready),
            },
        );
        let estimate = self.tampering.believed(at, estimate);
        let decision = decide(&self.policy, &backlog, Some(&estimate));
        estimator.asked(at, decision.replicas_asked());
        Some(decision)
    }
}

/// Whoever sets the number of replicas.
#[derive(Debug)]
pub(super) enum Control {
    Keda(Box<KedaLoop>),
    /// So many from the beginning, whatever happens.
    Fixed(u32),
    Rival(RivalLoop),
    Oracle(Oracle),
}

impl Control {
    /// When it acts next, if ever.
    pub(super) fn next_at(&self, replicas: u32) -> Option<Duration> {
        match self {
            Self::Keda(keda) => Some(keda.next_at()),
            Self::Fixed(fixed) => (replicas != *fixed).then_some(Duration::ZERO),
            Self::Rival(rival) => Some(rival.next_at()),
            Self::Oracle(oracle) => Some(oracle.next_at()),
        }
    }

    /// Whether it says which pods are to go: those that are idle.
    pub(super) fn spares_busy_pods(&self) -> bool {
        matches!(self, Self::Oracle(_))
    }

    /// Does what is due at `now`; returns the replicas to set, where any are to be set.
    pub(super) fn act(&mut self, now: Duration, sight: &mut Sight<'_>) -> Option<u32> {
        match self {
            Self::Keda(keda) => keda.act(now, sight),
            Self::Fixed(fixed) => Some(*fixed),
            Self::Rival(rival) => rival.act(now, sight),
            Self::Oracle(oracle) => Some(oracle.act(sight)),
        }
    }
}

/// KEDA, its autoscaler and the scaler they ask, for one workload.
#[derive(Debug)]
pub(super) struct KedaLoop {
    scaler: Scaler,
    executor: Executor,
    autoscaler: Autoscaler,
    polling_interval: Duration,
    next_poll: Duration,
    next_sync: Duration,
    next_push: Option<Duration>,
    /// What was pushed last, or would have been.
    is_awake: bool,
}

impl KedaLoop {
    pub(super) fn new(
        policy: ScalingPolicy,
        settings: ScalerSettings,
        object: ScaledObject,
        autoscaler: AutoscalerSettings,
    ) -> Self {
        let autoscaler = AutoscalerSettings {
            min_replicas: object.min_replicas,
            max_replicas: object.max_replicas,
            ..autoscaler
        };
        Self {
            scaler: Scaler {
                policy,
                settings,
                seen: None,
                estimator: policy.law.map(Estimator::new),
                activation: Activation::default(),
                tampering: Tampering::NOTHING,
                memory: Memory::Whole,
            },
            polling_interval: object.polling_interval,
            executor: Executor::new(object),
            autoscaler: Autoscaler::new(autoscaler),
            next_poll: Duration::ZERO,
            next_sync: SYNC_OFFSET,
            next_push: settings.push_interval,
            is_awake: false,
        }
    }

    /// The same with its scaler tampered with.
    #[must_use]
    pub(super) fn with(mut self, tampering: Tampering) -> Self {
        self.scaler.tampering = tampering;
        self
    }

    pub(super) fn next_at(&self) -> Duration {
        let next = self.next_poll.min(self.next_sync);
        self.next_push.map_or(next, |push| push.min(next))
    }

    /// Does what is due at `now`; returns the replicas to set, where any are to be set.
    pub(super) fn act(&mut self, now: Duration, sight: &mut Sight<'_>) -> Option<u32> {
        let before = sight.replicas;
        if self.scaler.tampering.takes_memory(now) {
            self.scaler.forget();
            // Its stream begins anew, too.
            self.is_awake = false;
        }
        if self.next_push.is_some_and(|push| now >= push) {
            self.next_push = self.scaler.settings.push_interval.map(|every| now + every);
            self.push(now, sight);
        }
        if now >= self.next_poll {
            self.next_poll = now + self.polling_interval;
            let is_active = self
                .look(now, self.scaler.settings.cache_ttl, sight)
                .map(|activity| activity.polled);
            self.execute(is_active, now, sight);
        }
        if now >= self.next_sync {
            self.next_sync = now + SYNC_INTERVAL;
            // At zero Kubernetes does not ask for metrics.
            if sight.replicas > 0 {
                self.sync(now, sight);
            }
        }
        (sight.replicas != before).then_some(sight.replicas)
    }

    /// Only a change from inactive to active is pushed, and only who sleeps is looked at for it.
    fn push(&mut self, now: Duration, sight: &mut Sight<'_>) {
        let interval = self.scaler.settings.push_interval;
        let Some(interval) = interval.filter(|_| !self.is_awake) else {
            return;
        };
        if self
            .look(now, interval, sight)
            .is_some_and(|told| told.pushed)
        {
            self.execute(Some(true), now, sight);
        }
    }

    fn look(
        &mut self,
        now: Duration,
        max_age: Duration,
        sight: &mut Sight<'_>,
    ) -> Option<Activity> {
        let activity = self.scaler.answer(now, max_age, sight)?.activity;
        self.is_awake = activity.pushed;
        Some(activity)
    }

    fn execute(&mut self, is_active: Option<bool>, now: Duration, sight: &mut Sight<'_>) {
        if let Some(replicas) = self.executor.act(is_active, sight.replicas, now) {
            if replicas == 0 {
                self.autoscaler.rest();
            }
            sight.replicas = replicas;
        }
    }

    fn sync(&mut self, now: Duration, sight: &mut Sight<'_>) {
        let target = self.scaler.policy.target();
        let answer = self
            .scaler
            .answer(now, self.scaler.settings.cache_ttl, sight)
            .map(|answer| Metric {
                // KEDA takes what is below zero for zero.
                value: answer.decision.metric_value.max(0.0),
                target,
            });
        // Without a metric the autoscaler changes nothing.
        if let Some(metric) = self.executor.metric(answer, target) {
            sight.replicas = self.autoscaler.sync(metric, sight.replicas, now).replicas;
        }
    }
}
