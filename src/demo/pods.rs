//! Real `sluice-worker` processes in the place of pods: started, asked to stop, and killed only
//! when they outstay their grace.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::Instant,
};

/// `terminationGracePeriodSeconds`: a worker that has not drained by then is killed.
const GRACE: Duration = Duration::from_secs(30);

/// The binary next to `sluice`.
const WORKER: &str = "sluice-worker";

/// Why there are no workers.
#[derive(Debug, thiserror::Error)]
pub enum PodError {
    /// The worker's binary is not there.
    #[error(
        "no worker at {}: build it with `cargo build --locked --workspace`, or name it with --worker",
        .0.display()
    )]
    NoWorker(PathBuf),
    /// cargo could not build the worker.
    #[error("cannot build the worker: {0}")]
    Build(String),
    /// A process could not be started, or asked about.
    #[error("cannot run {}", program.display())]
    Run {
        /// The worker's binary.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A worker ended although nobody had asked it to.
    #[error("a worker ended by itself ({0}); run it alone to see why, or add --worker-logs")]
    Died(std::process::ExitStatus),
}

/// Finds the worker: where `given` says, or beside this program. Under `cargo run`, which builds only
/// this program, cargo builds it first.
pub(super) async fn find_worker(given: Option<PathBuf>) -> Result<PathBuf, PodError> {
    let worker = match given {
        Some(worker) => worker,
        None => beside_this_program().await?,
    };
    if worker.is_file() {
        Ok(worker)
    } else {
        Err(PodError::NoWorker(worker))
    }
}

async fn beside_this_program() -> Result<PathBuf, PodError> {
    let this = env::current_exe().map_err(|source| PodError::Run {
        program: WORKER.into(),
        source,
    })?;
    if let (Some(cargo), Some(manifest)) = (env::var_os("CARGO"), env::var_os("CARGO_MANIFEST_DIR"))
    {
        build_worker(cargo, Path::new(&manifest), &this).await?;
    }
    Ok(this.with_file_name(WORKER))
}

async fn build_worker(cargo: OsString, manifest: &Path, this: &Path) -> Result<(), PodError> {
    let mut build = Command::new(cargo);
    // The whole workspace is named so that its dependencies are not built a second time with
    // fewer features.
    build.args(["build", "--locked", "--workspace", "--bin", WORKER]);
    build
        .arg("--manifest-path")
        .arg(manifest.join("Cargo.toml"));
    build.stdin(Stdio::null());
    if this
        .parent()
        .is_some_and(|folder| folder.ends_with("release"))
    {
        build.arg("--release");
    }
    let status = build
        .status()
        .await
        .map_err(|error| PodError::Build(error.to_string()))?;
    if status.success() {
        Ok(())
    } else {
        Err(PodError::Build(status.to_string()))
    }
}

/// The pods of one workload.
#[derive(Debug)]
pub(super) struct Pods {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
    logs: bool,
    running: Vec<Child>,
    leaving: Vec<(Child, Instant)>,
}

impl Pods {
    /// No pod yet, of a `program` that is to see `environment`.
    pub(super) fn new(
        program: PathBuf,
        environment: Vec<(&'static str, String)>,
        logs: bool,
    ) -> Self {
        Self {
            program,
            environment,
            logs,
            running: Vec::new(),
            leaving: Vec::new(),
        }
    }

    /// Pods that work, or still finish what they have begun.
    pub(super) fn alive(&self) -> usize {
        self.running.len() + self.leaving.len()
    }

    /// Starts pods, or asks the youngest to stop, until `replicas` are wanted.
    pub(super) fn scale_to(&mut self, replicas: u32) -> Result<(), PodError> {
        let wanted = usize::try_from(replicas).unwrap_or(usize::MAX);
        while self.running.len() < wanted {
            let pod = self.start()?;
            self.running.push(pod);
        }
        for pod in self.running.split_off(wanted) {
            ask_to_stop(&pod);
            self.leaving.push((pod, Instant::now()));
        }
        Ok(())
    }

    fn start(&self) -> Result<Child, PodError> {
        let mut command = Command::new(&self.program);
        command
            .envs(
                self.environment
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(if self.logs {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .kill_on_drop(true);
        command.spawn().map_err(|source| self.run_error(source))
    }

    /// Takes note of the pods that have ended, and kills those that outstay their grace.
    pub(super) fn reap(&mut self) -> Result<(), PodError> {
        for pod in &mut self.running {
            let ended = pod.try_wait().map_err(|source| PodError::Run {
                program: self.program.clone(),
                source,
            })?;
            if let Some(status) = ended {
                return Err(PodError::Died(status));
            }
        }
        let mut staying = Vec::new();
        for (mut pod, since) in std::mem::take(&mut self.leaving) {
            if pod
                .try_wait()
                .map_err(|source| self.run_error(source))?
                .is_none()
            {
                if since.elapsed() > GRACE {
                    pod.start_kill().map_err(|source| self.run_error(source))?;
                }
                staying.push((pod, since));
            }
        }
        self.leaving = staying;
        Ok(())
    }

    fn run_error(&self, source: io::Error) -> PodError {
        PodError::Run {
            program: self.program.clone(),
            source,
        }
    }
}

/// SIGTERM. A pod that has ended in the meantime needs none.
fn ask_to_stop(pod: &Child) {
    let pid = pod
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = kill_process(pid, Signal::TERM)
    {
        tracing::debug!(%error, "a worker had ended before it was asked to");
    }
}
