//! The metadata keys of the law: each with its unit, its range and what is said of a wrong value.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    Law, PolicyError, ScalingPolicy,
    metadata::{Metadata, Warning},
};

/// Turns the law on.
const TARGET_WAIT: &str = "targetWaitSeconds";

/// Keys that mean something to the law alone.
const HINTS: [&str; 6] = [
    "concurrency",
    "messageSeconds",
    "startupSeconds",
    "fifoGroups",
    "noisyWaitSeconds",
    "mode",
];

/// SQS keeps no message longer.
const RETENTION_MAX_SECONDS: f64 = 1_209_600.0;

/// Who is obeyed when the law is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The law.
    #[default]
    Live,
    /// `queueLength`; what the law would say is shown.
    Shadow,
}

/// The law that the metadata asks for, if it does. Says all that is wrong with it.
pub(super) fn parse_law(metadata: Metadata<'_>) -> Result<Option<Law>, Vec<PolicyError>> {
    let mut faults = Vec::new();
    let target_wait = noted(&mut faults, seconds(metadata, TARGET_WAIT, 1.0..=604_800.0));
    let startup = noted(
        &mut faults,
        seconds(metadata, "startupSeconds", 0.0..=3_600.0),
    );
    let message = noted(
        &mut faults,
        seconds(metadata, "messageSeconds", 0.001..=86_400.0),
    );
    let concurrency = noted(&mut faults, whole(metadata, "concurrency", 1..=100_000));
    let fifo_groups = noted(&mut faults, whole(metadata, "fifoGroups", 1..=1_000_000));
    let at_least = target_wait.map_or(1.0, |target| target.as_secs_f64());
    let noisy_wait = noted(
        &mut faults,
        seconds(
            metadata,
            "noisyWaitSeconds",
            at_least..=RETENTION_MAX_SECONDS,
        ),
    );
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(target_wait.map(|target_wait| Law {
        target_wait,
        startup: startup.unwrap_or(Law::STARTUP),
        concurrency,
        message,
        fifo_groups,
        noisy_wait,
    }))
}

/// `maxReplicas`: what `maxReplicaCount` is in the ScaledObject, since KEDA does not tell.
pub(super) fn parse_max_replicas(metadata: Metadata<'_>) -> Result<Option<u32>, PolicyError> {
    whole(metadata, "maxReplicas", 1..=1_000_000)
}

pub(super) fn parse_mode(metadata: Metadata<'_>) -> Result<Mode, PolicyError> {
    match metadata.text("mode") {
        None | Some("live") => Ok(Mode::Live),
        Some("shadow") => Ok(Mode::Shadow),
        Some(found) => Err(wrong("mode", found, "live or shadow".to_owned())),
    }
}

/// Hints that nobody takes, because the law is off.
pub(super) fn unused_hints(metadata: Metadata<'_>) -> Vec<Warning> {
    if metadata.text(TARGET_WAIT).is_some() {
        return Vec::new();
    }
    let given = HINTS.into_iter().filter(|key| metadata.text(key).is_some());
    given
        .map(|key| Warning::Needs {
            key,
            other: TARGET_WAIT,
        })
        .collect()
}

/// A wait of its own for noisy groups, which a FIFO queue does not have.
pub(super) fn not_for_fifo(policy: &ScalingPolicy) -> Option<Warning> {
    policy.law?.noisy_wait?;
    Some(Warning::NotForFifo {
        key: "noisyWaitSeconds",
    })
}

fn noted<T>(faults: &mut Vec<PolicyError>, value: Result<Option<T>, PolicyError>) -> Option<T> {
    value.unwrap_or_else(|error| {
        faults.push(error);
        None
    })
}

pub(super) fn seconds(
    metadata: Metadata<'_>,
    key: &'static str,
    range: RangeInclusive<f64>,
) -> Result<Option<Duration>, PolicyError> {
    let Some(found) = metadata.text(key) else {
        return Ok(None);
    };
    let number = found.parse().ok().filter(|number| range.contains(number));
    if let Some(Ok(duration)) = number.map(Duration::try_from_secs_f64) {
        return Ok(Some(duration));
    }
    let expected = format!("seconds from {} to {}", range.start(), range.end());
    Err(wrong(key, found, expected))
}

fn whole(
    metadata: Metadata<'_>,
    key: &'static str,
    range: RangeInclusive<u32>,
) -> Result<Option<u32>, PolicyError> {
    let Some(found) = metadata.text(key) else {
        return Ok(None);
    };
    let number = found.parse().ok().filter(|number| range.contains(number));
    if number.is_some() {
        return Ok(number);
    }
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Err(wrong(key, found, expected))
}

fn wrong(key: &'static str, found: &str, expected: String) -> PolicyError {
    PolicyError::NotOneOf {
        key,
        found: found.to_owned(),
        expected: expected.into(),
    }
}
