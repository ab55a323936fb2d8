//! `sluice simulate`: from what was asked for to a comparison. The one file here that reads files.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    compare::{Comparison, compare, runs_of},
    policy::Policy,
    trace::{self, TraceError},
    work::{ServiceTime, Work},
    workloads,
    world::Scenario,
};

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulateSettings {
    /// A canonical workload, or a file of `minute,messages`.
    pub workload: String,
    /// The policies to compare, each once.
    pub policies: Vec<Policy>,
    /// The first seed.
    pub seed: u64,
    /// How many seeds follow one another.
    pub seeds: u64,
    /// How long a message may wait; the workload's own target when there is none.
    pub target_wait: Option<Duration>,
    /// Mean time that a message of a trace takes.
    pub message: Duration,
    /// Messages that a pod works on at once under a trace.
    pub concurrency: u32,
    /// What each number of a trace is multiplied with.
    pub scale: f64,
    /// `maxReplicaCount`.
    pub max_replicas: u32,
    /// `cooldownPeriod`.
    pub cooldown: Duration,
    /// `stabilizationWindowSeconds` for scaling down.
    pub stabilization: Duration,
    /// From a pod's place on a node to its first message.
    pub startup: Duration,
}

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
    workloads::NAMES.map(|(name, _)| name).join(", ")
}

/// Simulates; `progress` is told after each run how many of how many are done.
///
/// # Errors
/// When there is no such workload, or its file cannot be read or understood.
pub fn run(
    settings: &SimulateSettings,
    mut progress: impl FnMut(usize, usize),
) -> Result<Comparison, SimulateError> {
    let scenario = scenario(settings)?;
    let seeds: Vec<u64> = (0..settings.seeds)
        .map(|index| settings.seed.wrapping_add(index))
        .collect();
    let (mut done, runs) = (0, runs_of(&settings.policies, seeds.len()));
    Ok(compare(&scenario, &settings.policies, &seeds, || {
        done += 1;
        progress(done, runs);
    }))
}

fn scenario(settings: &SimulateSettings) -> Result<Scenario, SimulateError> {
    let mut scenario = match workloads::canonical(&settings.workload) {
        Some(scenario) => scenario,
        None => from_file(settings)?,
    };
    scenario.target_wait = settings.target_wait.unwrap_or(scenario.target_wait);
    scenario.object.max_replicas = settings.max_replicas;
    scenario.object.cooldown = settings.cooldown;
    scenario.autoscaler.downscale_window = settings.stabilization;
    scenario.cluster.startup = settings.startup;
    Ok(scenario)
}

fn from_file(settings: &SimulateSettings) -> Result<Scenario, SimulateError> {
    let path = Path::new(&settings.workload);
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SimulateError::UnknownWorkload(settings.workload.clone()),
        _ => SimulateError::Read {
            path: path.to_owned(),
            source,
        },
    })?;
    let arrivals = trace::parse(&settings.workload, &text, settings.scale)?;
    let service_time = ServiceTime::Exponential(settings.message);
    let work = Work::undisturbed(service_time, settings.concurrency);
    Ok(workloads::scenario(&settings.workload, arrivals, work))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_settings(workload: &str) -> SimulateSettings {
        SimulateSettings {
            workload: workload.to_owned(),
            policies: vec![
                Policy::Oracle,
                Policy::QueueLength {
                    messages: 5,
                    in_flight: true,
                },
            ],
            seed: 1,
            seeds: 2,
            target_wait: Some(Duration::from_mins(2)),
            message: Duration::from_secs(1),
            concurrency: 10,
            scale: 0.01,
            max_replicas: 100,
            cooldown: Duration::from_mins(1),
            stabilization: Duration::from_mins(1),
            startup: Duration::from_secs(15),
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
