//! What a user should know of a trigger, the worst first.

use super::{
    trigger_status::{Look, State},
    trouble::{Severity, WarningKind, WarningReport},
};
use crate::{
    dead_letters::DeadLetters,
    queue::SensingState,
    scaling::{Advice, QueueSettings, Trigger, advice},
};

/// Everything that is known to be wrong with a trigger or its queue.
pub(super) fn of(trigger: &Trigger, state: &State) -> Vec<WarningReport> {
    let mut warnings = of_metadata(trigger);
    if let Some(failure) = &state.failure {
        warnings.push(WarningReport {
            kind: WarningKind::CannotObserve,
            severity: Severity::Serious,
            text: failure.cause.clone(),
        });
    }
    if let Some(look) = &state.last {
        warnings.extend(of_work(look));
        warnings.extend(of_redrive(&look.observation.settings));
        warnings.extend(of_minutes(look));
        warnings.extend(look.dead_letters.as_ref().and_then(of_dead_letters));
    }
    warnings.sort_by_key(|warning| (warning.severity, warning.kind));
    warnings
}

/// Whether a warning makes a trigger one to look at.
pub(super) fn is_trouble(warning: &WarningReport) -> bool {
    warning.severity < Severity::Minor
}

fn of_metadata(trigger: &Trigger) -> Vec<WarningReport> {
    let warnings = trigger.warnings.iter();
    warnings
        .map(|warning| WarningReport {
            kind: WarningKind::Metadata,
            severity: Severity::Notable,
            text: warning.to_string(),
        })
        .collect()
}

fn of_work(look: &Look) -> Vec<WarningReport> {
    let Some(law) = &look.decision.law else {
        return Vec::new();
    };
    let found = advice(&look.decision.policy, &look.observation.settings, law);
    found.iter().map(WarningReport::from).collect()
}

/// SQS leaves out the policy of a queue that has none; who does not tell the timeout either tells nothing.
fn of_redrive(settings: &QueueSettings) -> Option<WarningReport> {
    let is_told = settings.visibility_timeout.is_some();
    let has_none = settings.dead_letters.is_none() && settings.receives_max.is_none();
    (is_told && has_none).then(|| WarningReport {
        kind: WarningKind::NoDeadLetters,
        severity: Severity::Minor,
        text: "the queue has no RedrivePolicy: a message that always fails is tried until its retention ends"
            .to_owned(),
    })
}

fn of_dead_letters(dead: &DeadLetters) -> Option<WarningReport> {
    let DeadLetters {
        queue, grown_by, ..
    } = dead;
    let messages = dead.messages.filter(|messages| *messages > 0)?;
    let waiting = format!("{messages} messages are in {queue}, the queue of dead letters");
    Some(if *grown_by > 0 {
        WarningReport {
            kind: WarningKind::DeadLettersGrow,
            severity: Severity::Serious,
            text: format!(
                "{waiting}, {grown_by} more than an hour ago: messages fail until they are given up"
            ),
        }
    } else {
        WarningReport {
            kind: WarningKind::DeadLetters,
            severity: Severity::Notable,
            text: format!(
                "{waiting}: `sluice-worker redrive` moves them back once they can succeed"
            ),
        }
    })
}

fn of_minutes(look: &Look) -> Option<WarningReport> {
    let Some(SensingState::Off { reason }) = &look.minutes else {
        return None;
    };
    Some(WarningReport {
        kind: WarningKind::CloudWatch,
        severity: Severity::Minor,
        text: format!("{reason}: estimates come from the counts alone"),
    })
}

impl From<&Advice> for WarningReport {
    fn from(advice: &Advice) -> Self {
        let (kind, severity) = match advice {
            Advice::HintContradicted { .. }
            | Advice::HintDoubted { .. }
            | Advice::StartsLate { .. } => (WarningKind::HintContradicted, Severity::Notable),
            Advice::VisibilityTooShort { .. } => {
                (WarningKind::VisibilityTimeout, Severity::Serious)
            }
            Advice::WorkFails => (WarningKind::Poison, Severity::Serious),
            Advice::SomeFail { .. } => (WarningKind::ReceivedAgain, Severity::Notable),
            Advice::NearRetention { .. } => (WarningKind::Retention, Severity::Serious),
            Advice::MoreDoesNotHelp => (WarningKind::Downstream, Severity::Notable),
            Advice::FewGroups { .. } => (WarningKind::FifoGroups, Severity::Notable),
        };
        Self {
            kind,
            severity,
            text: advice.to_string(),
        }
    }
}
