//! A scenario as TOML: what arrives, what the work is, where pods run, what KEDA and the autoscaler are
//! told, and who is compared. It reads text, not files.

mod applied;
mod values;

use serde::Deserialize;

use self::values::{
    Count, FidelityName, Positive, Seconds, Share, Span, SpreadName, factor, policies,
};
use super::{object_spec::ObjectSpec, policy::Policy};

/// A file that cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {fault}")]
pub struct ScenarioFileError {
    file: String,
    /// From 1, as editors count.
    line: usize,
    column: usize,
    fault: String,
}

/// All that a scenario's file may say; what it leaves out is as in the workload.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    name: Option<String>,
    /// A canonical workload, or a CSV file of `minute,messages`, from where this file is.
    pub workload: Option<String>,
    /// What each number of the CSV file is multiplied with.
    #[serde(default, with = "factor")]
    pub scale: Option<f64>,
    #[serde(default, with = "policies")]
    pub policies: Vec<Policy>,
    pub seed: Option<u64>,
    pub seeds: Option<u64>,
    target_wait_seconds: Option<Seconds>,
    delay_seconds: Option<Seconds>,
    visibility_timeout_seconds: Option<Seconds>,
    #[serde(default)]
    work: WorkTable,
    #[serde(default)]
    cluster: ClusterTable,
    #[serde(default)]
    object: ObjectSpec,
    #[serde(default)]
    scaler: ScalerTable,
    #[serde(default)]
    counts: CountsTable,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkTable {
    message_seconds: Option<Positive>,
    spread: Option<SpreadName>,
    concurrency: Option<Count>,
    prefetch: Option<u32>,
    poison_share: Option<Share>,
    poison_from_seconds: Option<Seconds>,
    max_receive_count: Option<Count>,
    outage_seconds: Option<Span>,
    hangs_for_seconds: Option<Seconds>,
    resets_visibility: Option<bool>,
    slower_from_seconds: Option<Seconds>,
    slower_factor: Option<Positive>,
    saturates_above: Option<Count>,
    groups: Option<Count>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterTable {
    startup_seconds: Option<Seconds>,
    grace_seconds: Option<Seconds>,
    nodes: Option<Count>,
    pods_per_node: Option<Count>,
    node_startup_seconds: Option<Span>,
    node_idle_seconds: Option<Seconds>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScalerTable {
    cache_ttl_seconds: Option<Seconds>,
    /// 0 is a trigger that is only polled.
    push_interval_seconds: Option<Seconds>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountsTable {
    fidelity: Option<FidelityName>,
    staleness_seconds: Option<Seconds>,
    noise: Option<Share>,
    phantom_share: Option<Share>,
    zero_share: Option<Share>,
    outage_seconds: Option<Span>,
}

/// Reads a scenario. `file` is for errors.
///
/// # Errors
/// For what is no TOML, for keys that mean nothing, and for values that cannot be.
pub fn parse(file: &str, text: &str) -> Result<ScenarioFile, ScenarioFileError> {
    let error = |offset: usize, fault: String| {
        let (line, column) = place(text, offset);
        ScenarioFileError {
            file: file.to_owned(),
            line,
            column,
            fault,
        }
    };
    let found: ScenarioFile = toml::from_str(text).map_err(|cause| {
        let offset = cause.span().map_or(0, |span| span.start);
        // The first line says what is wrong.
        let fault = cause.message().lines().next().unwrap_or_default();
        error(offset, fault.to_owned())
    })?;
    if let Some(fault) = found.object.fault() {
        let offset = text.find("[object]").unwrap_or(0);
        return Err(error(offset, fault));
    }
    if found.work.slower_from_seconds.is_some() != found.work.slower_factor.is_some() {
        let offset = text.find("slower_").unwrap_or(0);
        let fault = "expected slower_from_seconds and slower_factor together, found one of them";
        return Err(error(offset, fault.to_owned()));
    }
    Ok(found)
}

/// Line and column of a byte, from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(start..).map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

#[cfg(test)]
#[path = "scenario_file_tests.rs"]
mod tests;
