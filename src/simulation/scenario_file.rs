//! A scenario as TOML: what arrives, what the work is, where pods run, what KEDA and the autoscaler are
//! told, and who is compared. It reads text, not files.

use std::{ops::Range, time::Duration};

use serde::Deserialize;

use super::{
    object_spec::ObjectSpec,
    overrides::{Spread, fidelity, replace},
    policy::Policy,
    world::Scenario,
};

/// No time of a scenario is longer than a year.
const SECONDS_MAX: f64 = 31_536_000.0;

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

/// A time from 0.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Seconds(Duration);

impl TryFrom<f64> for Seconds {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        let seconds = within(seconds, 0.0, SECONDS_MAX)?;
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

/// A number above 0.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Positive(f64);

impl TryFrom<f64> for Positive {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        within(number, 0.001, SECONDS_MAX).map(Self)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Share(f64);

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        within(number, 0.0, 1.0).map(Self)
    }
}

fn within(number: f64, least: f64, most: f64) -> Result<f64, String> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!(
            "expected a number from {least} to {most}, found {number}"
        ))
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Count(u32);

impl TryFrom<u64> for Count {
    type Error = String;

    fn try_from(count: u64) -> Result<Self, Self::Error> {
        let found = u32::try_from(count)
            .ok()
            .filter(|count| (1..=10_000).contains(count));
        found
            .map(Self)
            .ok_or_else(|| format!("expected 1 to 10000, found {count}"))
    }
}

/// From when until when.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "[Seconds; 2]")]
struct Span(Duration, Duration);

impl TryFrom<[Seconds; 2]> for Span {
    type Error = String;

    fn try_from([Seconds(from), Seconds(until)]: [Seconds; 2]) -> Result<Self, Self::Error> {
        if from > until {
            let (from, until) = (from.as_secs_f64(), until.as_secs_f64());
            return Err(format!(
                "expected two times in their order, found {from} and {until}"
            ));
        }
        Ok(Self(from, until))
    }
}

impl Span {
    fn range(self) -> Range<Duration> {
        self.0..self.1
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct SpreadName(Spread);

impl TryFrom<String> for SpreadName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct FidelityName(super::approximate::Fidelity);

impl TryFrom<String> for FidelityName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        fidelity(&text).map(Self)
    }
}

mod factor {
    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        let factor = f64::deserialize(from)?;
        let is_known = factor > 0.0 && factor <= 1e6;
        is_known.then_some(Some(factor)).ok_or_else(|| {
            D::Error::custom(format!(
                "expected a number above 0, at most 1000000, found {factor}"
            ))
        })
    }
}

mod policies {
    use serde::{Deserialize, Deserializer};

    use super::Policy;

    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Name(Policy);

    impl TryFrom<String> for Name {
        type Error = crate::simulation::policy::UnknownPolicy;

        fn try_from(name: String) -> Result<Self, Self::Error> {
            name.parse().map(Self)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Policy>, D::Error> {
        let names = Vec::<Name>::deserialize(from)?;
        Ok(names.into_iter().map(|Name(policy)| policy).collect())
    }
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

impl ScenarioFile {
    /// Writes what is said here over what was there.
    pub fn apply(&self, scenario: &mut Scenario) {
        let time = |time: Option<Seconds>| time.map(|Seconds(time)| time);
        replace(&mut scenario.name, self.name.clone());
        replace(&mut scenario.target_wait, time(self.target_wait_seconds));
        if let Some(delay) = time(self.delay_seconds) {
            scenario.horizon = scenario.horizon.saturating_sub(scenario.delay) + delay;
            scenario.delay = delay;
        }
        replace(
            &mut scenario.visibility_timeout,
            time(self.visibility_timeout_seconds),
        );
        self.work.apply(scenario);
        self.cluster.apply(scenario);
        self.object
            .apply(&mut scenario.object, &mut scenario.autoscaler);
        replace(
            &mut scenario.scaler.cache_ttl,
            time(self.scaler.cache_ttl_seconds),
        );
        if let Some(interval) = time(self.scaler.push_interval_seconds) {
            scenario.scaler.push_interval = (!interval.is_zero()).then_some(interval);
        }
        self.counts.apply(scenario);
    }
}

impl WorkTable {
    fn apply(&self, scenario: &mut Scenario) {
        let work = &mut scenario.work;
        let changes = super::overrides::Overrides {
            message: self
                .message_seconds
                .map(|Positive(mean)| Duration::from_secs_f64(mean)),
            spread: self.spread.map(|SpreadName(spread)| spread),
            ..super::overrides::Overrides::default()
        };
        let count = |count: Option<Count>| count.map(|Count(count)| count);
        let time = |time: Option<Seconds>| time.map(|Seconds(time)| time);
        replace(&mut work.concurrency, count(self.concurrency));
        replace(&mut work.prefetch, self.prefetch);
        replace(&mut work.poison_from, time(self.poison_from_seconds));
        replace(&mut work.hangs_for, time(self.hangs_for_seconds).map(Some));
        replace(&mut work.resets_visibility, self.resets_visibility);
        replace(
            &mut work.poison_share,
            self.poison_share.map(|Share(share)| share),
        );
        replace(&mut work.receives_max, count(self.max_receive_count));
        replace(
            &mut work.outage,
            self.outage_seconds.map(|span| Some(span.range())),
        );
        if let (Some(Seconds(from)), Some(Positive(factor))) =
            (self.slower_from_seconds, self.slower_factor)
        {
            work.slower_from = Some((from, factor));
        }
        replace(
            &mut work.saturates_above,
            count(self.saturates_above).map(Some),
        );
        replace(&mut work.groups, count(self.groups).map(Some));
        changes.apply(scenario);
    }
}

impl ClusterTable {
    fn apply(&self, scenario: &mut Scenario) {
        let cluster = &mut scenario.cluster;
        let time = |time: Option<Seconds>| time.map(|Seconds(time)| time);
        let count = |count: Option<Count>| count.map(|Count(count)| count);
        replace(&mut cluster.startup, time(self.startup_seconds));
        replace(&mut cluster.grace, time(self.grace_seconds));
        replace(&mut cluster.nodes, count(self.nodes));
        replace(&mut cluster.pods_per_node, count(self.pods_per_node));
        replace(&mut cluster.node_idle, time(self.node_idle_seconds));
        if let Some(Span(min, max)) = self.node_startup_seconds {
            (cluster.node_startup_min, cluster.node_startup_max) = (min, max);
        }
    }
}

impl CountsTable {
    fn apply(&self, scenario: &mut Scenario) {
        let counts = &mut scenario.fidelity;
        let share = |share: Option<Share>| share.map(|Share(share)| share);
        replace(
            counts,
            self.fidelity.clone().map(|FidelityName(fidelity)| fidelity),
        );
        replace(
            &mut counts.staleness,
            self.staleness_seconds.map(|Seconds(time)| time),
        );
        replace(&mut counts.noise, share(self.noise));
        replace(&mut counts.phantom_share, share(self.phantom_share));
        replace(&mut counts.zero_share, share(self.zero_share));
        replace(
            &mut counts.outage,
            self.outage_seconds.map(|span| Some(span.range())),
        );
    }
}

#[cfg(test)]
#[path = "scenario_file_tests.rs"]
mod tests;
