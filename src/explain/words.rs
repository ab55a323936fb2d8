//! What the API tells of objects, in words for a terminal.

use std::fmt::{self, Formatter};

use crate::status::{
    Confidence, DecisionReport, EstimateReport, ObservationReport, PolicyMode, ScaledObjectReport,
    Severity, TriggerReport,
};

/// An object as it is printed, with what else is to be said of it.
#[derive(Debug)]
pub struct Words<'a> {
    /// What is told.
    pub object: &'a ScaledObjectReport,
    /// And what else.
    pub remarks: &'a [String],
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let ScaledObjectReport {
            namespace,
            name,
            triggers,
        } = self.object;
        for trigger in triggers {
            let queue = &trigger.queue;
            writeln!(
                formatter,
                "{namespace}/{name}: queue {} in {}",
                queue.name, queue.region
            )?;
            write_trigger(formatter, trigger)?;
        }
        for remark in self.remarks {
            line(formatter, "note", remark)?;
        }
        Ok(())
    }
}

fn line(formatter: &mut Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    writeln!(formatter, "  {label:<15}{text}")
}

fn write_trigger(formatter: &mut Formatter<'_>, trigger: &TriggerReport) -> fmt::Result {
    if let Some(failure) = &trigger.failure {
        line(formatter, "cannot see", &failure.cause)?;
        let remedy =
            "KEDA gets an error, never zero: its fallback works. `sluice doctor` finds the cause";
        line(formatter, "", remedy)?;
    }
    if let Some(decision) = &trigger.decision {
        line(formatter, "KEDA is told", &told(decision, trigger))?;
        line(formatter, "because", &decision.explanation)?;
        line(formatter, "aws-sqs-queue", &plain(decision))?;
        if trigger.policy.mode == PolicyMode::Shadow
            && let Some(replicas) = decision.law_replicas
        {
            let text =
                format!("would ask for {replicas} replicas; in shadow mode it is only shown");
            line(formatter, "the law", &text)?;
        }
    }
    if let Some(observation) = &trigger.observation {
        line(formatter, "seen", &seen(observation))?;
    }
    if let Some(estimate) = &trigger.estimate {
        line(formatter, "believed", &believed(estimate))?;
    }
    for warning in &trigger.warnings {
        let label = match warning.severity {
            Severity::Serious => "SERIOUS",
            Severity::Notable => "warning",
            Severity::Minor => "note",
        };
        line(formatter, label, &warning.text)?;
    }
    Ok(())
}

fn told(decision: &DecisionReport, trigger: &TriggerReport) -> String {
    let activity = if decision.is_active {
        "active"
    } else {
        "inactive"
    };
    let value = decision.metric_value;
    let length = trigger.policy.queue_length;
    let replicas = decision.replicas.map_or_else(
        || "no replicas can be computed".to_owned(),
        |replicas| format!("{replicas} replicas"),
    );
    format!("{activity}, {value} messages at {length} a replica: {replicas}")
}

fn plain(decision: &DecisionReport) -> String {
    let plain = &decision.plain;
    let activity = if plain.is_active {
        "active"
    } else {
        "inactive"
    };
    let replicas = plain.replicas.unwrap_or_default();
    format!("would say {replicas} replicas, {activity}")
}

fn seen(observation: &ObservationReport) -> String {
    let count = |messages: Option<i64>| {
        messages.map_or_else(|| "?".to_owned(), |messages| messages.to_string())
    };
    let timeout = observation
        .visibility_timeout_seconds
        .map_or_else(|| "?".to_owned(), |seconds| seconds.to_string());
    let dead = match observation.receives_max {
        Some(receives) => format!("dead after {receives} receives"),
        None => "no queue for dead letters".to_owned(),
    };
    format!(
        "{} visible, {} in flight, {} delayed, {:.0} s ago; visibility timeout {timeout} s, {dead}",
        count(observation.visible_messages),
        count(observation.in_flight_messages),
        count(observation.delayed_messages),
        observation.age_seconds
    )
}

fn believed(estimate: &EstimateReport) -> String {
    let confidence = match estimate.message_confidence {
        Confidence::None => "nothing is known",
        Confidence::Low => "a guess",
        Confidence::Fair => "fairly sure",
        Confidence::Good => "sure",
    };
    let message = match estimate.message_seconds {
        Some(seconds) => {
            let is_at_most = estimate.message_is_at_most == Some(true);
            let at_most = if is_at_most { "at most " } else { "" };
            format!("a message takes {at_most}{seconds:.2} s ({confidence})")
        }
        None => format!("how long a message takes is not known ({confidence})"),
    };
    let oldest = match estimate.oldest_age_seconds {
        Some(age) => format!(", the oldest has waited for {age:.0} s"),
        None => String::new(),
    };
    let noisy = match estimate.noisy_visible_messages {
        Some(messages) => format!(", {messages:.0} of those waiting are of noisy groups"),
        None => String::new(),
    };
    let stalled = if estimate.is_stalled {
        "; work goes on and nothing comes of it"
    } else {
        ""
    };
    format!(
        "{message}, {:.2} arrive a second, a replica works on {:.1} at once{oldest}{noisy}{stalled}",
        estimate.arrivals_per_second, estimate.concurrency
    )
}
