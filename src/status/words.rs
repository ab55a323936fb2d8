//! From what was recorded of a trigger to what people and machines read.

use std::time::Duration;

use super::{
    balance::Balance,
    report::{
        BalanceReport, Confidence, DecisionReport, EstimateReport, FailureReport, HistoryPoint,
        MinutesReport, MinutesState, ObservationReport, PlainReport, PolicyMode, PolicyReport,
        QueueName, TriggerReport,
    },
    trigger_status::{Look, State, TriggerStatus},
    trouble::{Trouble, WarningReport},
    warnings,
};
use crate::{
    queue::SensingState,
    scaling::{Estimate, Mode, Observation, QueueRef, ScalingDecision, ScalingPolicy},
};

/// KEDA's polls are seconds to minutes apart; a trigger that it has not asked about for so long is most
/// likely gone or paused.
const UNASKED_AFTER: Duration = Duration::from_mins(10);

/// From so many deletions on, an estimate is fair, and from so many it is good.
const DELETIONS_FAIR: f64 = 10.0;
const DELETIONS_GOOD: f64 = 50.0;

/// Whether the last hour comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    History,
    NoHistory,
}

pub(super) fn trigger(status: &TriggerStatus, now: Duration, with: With) -> TriggerReport {
    let state = status.lock();
    let since = |at: Duration| now.saturating_sub(at).as_secs_f64();
    let last = state.last.as_ref();
    let decision = last.map(|look| &look.decision);
    let policy = decision.map_or(&status.trigger.policy, |decision| &decision.policy);
    let warnings = warnings::of(&status.trigger, &state);
    let balance = &state.balance;
    TriggerReport {
        queue: QueueName::of(&status.trigger.queue),
        metric_name: status.trigger.metric_name.clone(),
        trouble: trouble(status, &state, (&warnings, now)),
        asked_age_seconds: since(status.asked_at()),
        policy: PolicyReport::of(policy),
        observation: last.map(|look| observation(look, since(look.at))),
        failure: state.failure.as_ref().map(|failure| FailureReport {
            cause: failure.cause.clone(),
            age_seconds: since(failure.since),
        }),
        minutes: last.and_then(|look| look.minutes.as_ref().map(MinutesReport::of)),
        ready_replicas: last.and_then(|look| look.ready_replicas),
        estimate: decision
            .and_then(|decision| decision.law)
            .map(|law| EstimateReport::of(&law.estimate)),
        decision: last.map(decision_report),
        balance: policy.law.map(|_| BalanceReport::of(balance)),
        warnings,
        history: match with {
            With::NoHistory => Vec::new(),
            With::History => history(&state, now),
        },
    }
}

/// What matters most about a trigger, without the words.
pub(super) fn trouble_now(status: &TriggerStatus, now: Duration) -> Trouble {
    let state = status.lock();
    let warnings = warnings::of(&status.trigger, &state);
    trouble(status, &state, (&warnings, now))
}

/// What matters most.
pub(super) fn trouble(
    status: &TriggerStatus,
    state: &State,
    (warnings, now): (&[WarningReport], Duration),
) -> Trouble {
    let decision = state.last.as_ref().map(|look| &look.decision);
    let is_unasked = now.saturating_sub(status.asked_at()) > UNASKED_AFTER;
    let has_work = decision.is_some_and(|decision| decision.messages() > 0);
    if is_unasked {
        Trouble::Unasked
    } else if state.failure.is_some() {
        Trouble::CannotObserve
    } else if decision.is_some_and(is_late) {
        Trouble::Late
    } else if warnings.iter().any(warnings::is_trouble) {
        Trouble::Warning
    } else if has_work {
        Trouble::Working
    } else {
        Trouble::Idle
    }
}

pub(super) fn is_late(decision: &ScalingDecision) -> bool {
    let answer = decision.policy.law.zip(decision.law);
    answer.is_some_and(|(law, answer)| law.is_late(&answer.estimate))
}

/// The decision, and what the confirmation of emptiness makes of it.
fn decision_report(look: &Look) -> DecisionReport {
    let report = DecisionReport::of(&look.decision);
    let is_active = look.activity.polled;
    let is_kept_awake = is_active && !look.decision.is_active;
    let explanation = if is_kept_awake {
        format!(
            "{}; kept awake until emptiness is confirmed and keepWarmSeconds are over",
            report.explanation
        )
    } else {
        report.explanation
    };
    DecisionReport {
        is_active,
        is_kept_awake,
        explanation,
        ..report
    }
}

fn observation(look: &Look, age_seconds: f64) -> ObservationReport {
    ObservationReport {
        dead_letters: look.dead_letters.as_ref().and_then(|dead| dead.messages),
        ..ObservationReport::of(&look.observation, age_seconds)
    }
}

fn history(state: &State, now: Duration) -> Vec<HistoryPoint> {
    let points = state.history.since_an_hour(now);
    points
        .map(|moment| HistoryPoint {
            at_seconds: f64::from(moment.at_seconds),
            visible_messages: i64::from(moment.visible),
            in_flight_messages: i64::from(moment.in_flight),
            replicas: moment.replicas,
            plain_replicas: moment.plain_replicas,
            oldest_age_seconds: moment.oldest_age_seconds,
        })
        .collect()
}

impl QueueName {
    /// The public part of a reference to a queue: nothing of its identity.
    pub fn of(queue: &QueueRef) -> Self {
        Self {
            region: queue.region.clone(),
            name: queue.name.clone(),
            url: queue.url.clone(),
            endpoint: queue.endpoint.clone(),
        }
    }
}

impl PolicyReport {
    /// What a policy says.
    pub fn of(policy: &ScalingPolicy) -> Self {
        let law = policy.law.as_ref();
        Self {
            mode: match (law, policy.mode) {
                (None, _) => PolicyMode::Plain,
                (Some(_), Mode::Live) => PolicyMode::Live,
                (Some(_), Mode::Shadow) => PolicyMode::Shadow,
            },
            queue_length: policy.queue_length,
            activation_queue_length: policy.activation_queue_length,
            target_wait_seconds: law.map(|law| law.target_wait.as_secs_f64()),
            noisy_wait_seconds: law.and_then(|law| Some(law.noisy_wait?.as_secs_f64())),
            message_seconds: law.and_then(|law| Some(law.message?.as_secs_f64())),
            concurrency: law.and_then(|law| law.concurrency),
            max_replicas: policy.max_replicas,
        }
    }
}

impl ObservationReport {
    /// An observation of so many seconds ago.
    pub fn of(observation: &Observation, age_seconds: f64) -> Self {
        let settings = &observation.settings;
        Self {
            age_seconds,
            visible_messages: observation.visible.clone().ok(),
            in_flight_messages: observation.in_flight.clone().ok(),
            delayed_messages: observation.delayed.clone().ok(),
            visibility_timeout_seconds: settings
                .visibility_timeout
                .map(|timeout| timeout.as_secs()),
            receives_max: settings.receives_max,
            dead_letter_queue: settings
                .dead_letters
                .as_deref()
                .and_then(|arn| arn.rsplit(':').next())
                .map(str::to_owned),
            dead_letters: None,
        }
    }
}

impl MinutesReport {
    fn of(state: &SensingState) -> Self {
        let (state, reason) = match state {
            SensingState::Off { reason } => (MinutesState::Off, Some(reason.to_string())),
            SensingState::Waiting => (MinutesState::Waiting, None),
            SensingState::Current => (MinutesState::Current, None),
        };
        Self { state, reason }
    }
}

impl EstimateReport {
    /// What is believed, and how well it is known.
    pub fn of(estimate: &Estimate) -> Self {
        let message = estimate.message;
        let deletions = message.map_or(0.0, |message| message.deletions);
        Self {
            message_seconds: message.map(|message| message.seconds),
            message_confidence: match message {
                None => Confidence::None,
                Some(_) if deletions >= DELETIONS_GOOD => Confidence::Good,
                Some(_) if deletions >= DELETIONS_FAIR => Confidence::Fair,
                Some(_) => Confidence::Low,
            },
            message_is_at_most: message.map(|message| message.is_at_most),
            message_deletions: deletions,
            arrivals_per_second: estimate.arrivals_per_second,
            concurrency: estimate.concurrency,
            oldest_age_seconds: estimate.oldest.map(|oldest| oldest.age.as_secs_f64()),
            oldest_age_is_measured: estimate.oldest.map(|oldest| oldest.is_measured),
            groups: estimate.groups,
            noisy_groups: estimate.noisy.map(|noisy| noisy.groups),
            noisy_visible_messages: estimate.noisy.map(|noisy| noisy.visible),
            failing_share: estimate.failing_share,
            is_stalled: estimate.stalled_at.is_some(),
        }
    }
}

impl DecisionReport {
    /// A decision by itself, without what came before it.
    pub fn of(decision: &ScalingDecision) -> Self {
        Self {
            metric_value: decision.metric_value,
            replicas: decision.replicas(),
            is_active: decision.is_active,
            is_kept_awake: false,
            bound_by: decision.bound_by.name().to_owned(),
            explanation: decision.to_string(),
            plain: PlainReport {
                metric_value: decision.plain.metric_value,
                replicas: decision.plain_replicas(),
                is_active: decision.plain.is_active,
            },
            law_replicas: decision.law.map(|law| law.replicas.ceil()),
            law_explanation: decision
                .law
                .filter(|_| decision.policy.mode == Mode::Shadow)
                .map(|law| format!("{} replicas {}; {law}", law.replicas.ceil(), law.bound_by)),
            horizon_seconds: decision.law.map(|law| law.horizon.as_secs_f64()),
        }
    }
}

impl BalanceReport {
    fn of(balance: &Balance) -> Self {
        Self {
            seconds: balance.seconds,
            saved_replica_seconds: balance.saved_replica_seconds,
            added_replica_seconds: balance.added_replica_seconds,
            late_seconds: balance.late_seconds,
        }
    }
}
