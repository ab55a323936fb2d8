//! `sluice simulate`: from what was asked for to a comparison. The one file here that reads files.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    compare::{Comparison, compare, runs_of},
    overrides::Overrides,
    policy::Policy,
    scaled_object_file::{self, ScaledObjectError},
    scenario::Scenario,
    scenario_file::{self, ScenarioFile, ScenarioFileError},
    trace::{self, TraceError},
    work::{ServiceTime, Work},
    workloads,
};

/// What to simulate. A scenario's file says more than the workload, and flags more than the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SimulateSettings {
    /// A canonical workload, or a file of `minute,messages`; the burst when nobody names one.
    pub workload: Option<String>,
    /// A file of TOML.
    pub scenario: Option<PathBuf>,
    /// A file of YAML with the user's own objects, each a `ScaledObject`.
    pub scaled_object: Option<PathBuf>,
    /// The policies to compare, each once; those of the leaderboard when nobody names any.
    pub policies: Vec<Policy>,
    /// The first seed.
    pub seed: Option<u64>,
    /// How many seeds follow one another.
    pub seeds: Option<u64>,
    /// What each number of a trace is multiplied with.
    pub scale: Option<f64>,
    /// What flags change.
    pub overrides: Overrides,
}

/// What is simulated when nothing is named.
const DEFAULT_WORKLOAD: &str = "burst";

/// What a message of a trace takes, and how many a pod works on at once, where nobody says.
const TRACE_MESSAGE: Duration = Duration::from_secs(1);
const TRACE_CONCURRENCY: u32 = 10;

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// Neither a workload nor a file.
    #[error(
        "no workload and no file is called {0:?}; the workloads are {names}",
        names = names()
    )]
    UnknownWorkload(String),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioFileError),
    /// The file has no ScaledObject.
    #[error(transparent)]
    ScaledObject(#[from] ScaledObjectError),
    /// The file is no trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

/// A file to write to when the runs are done. It is made before they begin: after an hour it is late
/// to learn that there is no such folder.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    file: File,
}

impl Destination {
    /// Makes the file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, SimulateError> {
        let path = path.to_owned();
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(SimulateError::Write { path, source }),
        }
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn fill(mut self, text: &str) -> Result<(), SimulateError> {
        let path = self.path;
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| SimulateError::Write { path, source })
    }
}

fn names() -> String {
    let all = workloads::NAMES.iter().chain(&workloads::APART);
    let names: Vec<&str> = all.map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Simulates; `progress` is told after each run how many of how many are done.
///
/// # Errors
/// When there is no such workload, or its file cannot be read or understood.
pub fn run(
    settings: &SimulateSettings,
    mut progress: impl FnMut(usize, usize),
) -> Result<Comparison, SimulateError> {
    let plan = plan(settings)?;
    let (mut done, runs) = (0, runs_of(&plan.policies, plan.seeds.len()));
    let comparison = compare(&plan.scenario, &plan.policies, &plan.seeds, || {
        done += 1;
        progress(done, runs);
    });
    Ok(Comparison {
        notes: plan.notes,
        ..comparison
    })
}

/// What is run.
struct Plan {
    scenario: Scenario,
    policies: Vec<Policy>,
    seeds: Vec<u64>,
    notes: Vec<String>,
}

/// A run of more seeds takes days.
const SEEDS_MAX: u64 = 1_000;

fn plan(settings: &SimulateSettings) -> Result<Plan, SimulateError> {
    let file = match &settings.scenario {
        Some(path) => scenario_file::parse(&path.display().to_string(), &read(path)?)?,
        None => ScenarioFile::default(),
    };
    let mut scenario = scenario(settings, &file)?;
    file.apply(&mut scenario);
    let notes = match &settings.scaled_object {
        Some(path) => add_own(path, &mut scenario)?,
        None => Vec::new(),
    };
    settings.overrides.apply(&mut scenario);
    let named = [&settings.policies, &file.policies]
        .into_iter()
        .find(|named| !named.is_empty());
    let mut policies = named
        .cloned()
        .unwrap_or_else(|| default_policies(&scenario));
    policies.extend((0..scenario.own.len()).map(Policy::Own));
    let first = settings.seed.or(file.seed).unwrap_or(1);
    let seeds = settings
        .seeds
        .or(file.seeds)
        .unwrap_or(1)
        .clamp(1, SEEDS_MAX);
    Ok(Plan {
        scenario,
        policies,
        seeds: (0..seeds).map(|index| first.wrapping_add(index)).collect(),
        notes,
    })
}

/// The user's objects become policies, and the first one's bounds and times those of the others: what
/// differs is who scales.
fn add_own(path: &Path, scenario: &mut Scenario) -> Result<Vec<String>, SimulateError> {
    let found = scaled_object_file::parse(&path.display().to_string(), &read(path)?)?;
    if let Some(first) = found.objects.first() {
        scenario.object = first.object.clone();
        scenario.autoscaler = first.autoscaler.clone();
    }
    scenario.own = found.objects;
    Ok(found.notes)
}

/// The leaderboard, with Sluice at the user's own lengths.
fn default_policies(scenario: &Scenario) -> Vec<Policy> {
    let mut policies = Policy::leaderboard();
    for own in &scenario.own {
        let messages = u32::try_from(own.policy.queue_length).unwrap_or(u32::MAX);
        let ours = Policy::Sluice { messages };
        if !policies.contains(&ours) {
            policies.push(ours);
        }
    }
    policies
}

fn scenario(settings: &SimulateSettings, file: &ScenarioFile) -> Result<Scenario, SimulateError> {
    let beside = settings.scenario.as_deref().and_then(Path::parent);
    let named = match (&settings.workload, &file.workload) {
        (Some(flag), _) => (flag.as_str(), PathBuf::from(flag)),
        // A file is named from where the scenario is.
        (None, Some(name)) => (name.as_str(), beside.unwrap_or(Path::new("")).join(name)),
        (None, None) => (DEFAULT_WORKLOAD, PathBuf::new()),
    };
    let (name, path) = named;
    let scale = settings.scale.or(file.scale).unwrap_or(1.0);
    match workloads::canonical(name) {
        Some(scenario) => Ok(scenario),
        None => from_trace(name, &path, scale),
    }
}

fn from_trace(name: &str, path: &Path, scale: f64) -> Result<Scenario, SimulateError> {
    let text = read(path).map_err(|error| match error {
        SimulateError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            SimulateError::UnknownWorkload(name.to_owned())
        }
        other => other,
    })?;
    let arrivals = trace::parse(&path.display().to_string(), &text, scale)?;
    let work = Work::undisturbed(ServiceTime::Exponential(TRACE_MESSAGE), TRACE_CONCURRENCY);
    Ok(workloads::scenario(name, arrivals, work))
}

fn read(path: &Path) -> Result<String, SimulateError> {
    fs::read_to_string(path).map_err(|source| SimulateError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_settings(workload: &str) -> SimulateSettings {
        SimulateSettings {
            workload: Some(workload.to_owned()),
            policies: vec![
                Policy::Oracle,
                Policy::QueueLength {
                    messages: 5,
                    in_flight: true,
                },
            ],
            seeds: Some(2),
            scale: Some(0.01),
            overrides: Overrides {
                target_wait: Some(Duration::from_mins(2)),
                cooldown: Some(Duration::from_mins(1)),
                stabilization: Some(Duration::from_mins(1)),
                ..Overrides::default()
            },
            ..SimulateSettings::default()
        }
    }

    #[test]
    fn a_trace_is_replayed_with_every_message_done() {
        let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces/aws-elb.csv");
        let comparison = run(&given_settings(trace), |_, _| {}).unwrap();
        assert_eq!(comparison.seeds, [1, 2]);
        for row in &comparison.rows {
            // A hundredth of the 40,256 messages of the slice.
            assert_eq!(row.outcome.done_messages, 403, "{}", row.policy);
            assert!(row.is_met, "{}", row.policy);
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_answered_with_those_there_are() {
        let error = run(&given_settings("stedy"), |_, _| {}).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("no workload and no file is called \"stedy\""));
        assert!(text.contains("steady, step, burst"), "{text}");
    }

    #[test]
    fn a_file_that_is_no_trace_is_refused_with_its_place() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces/README.md");
        let error = run(&given_settings(readme), |_, _| {}).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("README.md:1:1: expected the header")
        );
    }
}
