//! `sluice demo`: a local SQS, the scaler over real gRPC, a stand-in for KEDA and the autoscaler, and
//! real worker processes as pods. It needs no cluster and no account, and ends by itself.

mod keda;
mod pods;
mod screen;
mod stage;
mod summary;
mod workload;

use std::{io, path::PathBuf, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

pub use pods::PodError;
pub use summary::{LawSummary, Summary};

use crate::{local::SqsError, service::ServiceError};
use stage::Stage;

/// What the demonstration plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoSettings {
    /// Messages that are there at the beginning.
    pub first_messages: u64,
    /// Messages in all; the rest comes as a burst.
    pub messages: u64,
    /// How long a worker is busy with a message.
    pub work: Duration,
    /// Messages that a worker is busy with at once.
    pub concurrency: u32,
    /// `queueLength` of the trigger: messages per replica.
    pub queue_length: u32,
    /// `targetWaitSeconds` of the trigger, which turns the law on.
    pub target_wait: Option<Duration>,
    /// How long the burst lasts.
    pub burst: Duration,
    /// `maxReplicaCount` of the ScaledObject.
    pub max_replicas: u32,
    /// The worker's binary, if not the one beside this program.
    pub worker: Option<PathBuf>,
    /// Whether the workers' logs are shown.
    pub worker_logs: bool,
    /// Whether the run is shown while it goes on.
    pub live: bool,
}

/// Why there was nothing to see, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The local SQS refused.
    #[error("the local SQS refused")]
    Queue(#[source] SqsError),
    /// The scaler failed.
    #[error("the scaler failed")]
    Service(#[from] ServiceError),
    /// The scaler's port could not be reached.
    #[error("cannot call the scaler")]
    Connect(#[from] tonic::transport::Error),
    /// The workers failed.
    #[error(transparent)]
    Pods(#[from] PodError),
    /// No port, or no terminal.
    #[error("cannot open a port or write to the terminal")]
    Io(#[from] io::Error),
    /// Somebody asked to stop.
    #[error("interrupted: {done} of {sent} messages were done")]
    Interrupted {
        /// Messages done.
        done: u64,
        /// Messages sent.
        sent: u64,
    },
    /// The run did not come to its end in time.
    #[error("not drained after {} s: {done} of {sent} messages were done", limit.as_secs())]
    NotDrained {
        /// The longest a run may take.
        limit: Duration,
        /// Messages done.
        done: u64,
        /// Messages sent.
        sent: u64,
    },
}

/// How often the world is looked at and moved on.
const TICK: Duration = Duration::from_millis(250);

/// Rows are shown this many ticks apart.
const TICKS_PER_ROW: u64 = 4;

/// A run that takes longer has gone wrong.
const RUN_MAX: Duration = Duration::from_mins(10);

/// What `queueLength` is where nobody sets it.
const QUEUE_LENGTH_UNTOLD: u32 = 5;

/// The target wait of the comparison.
const TARGET_WAIT: Duration = Duration::from_secs(20);

/// The burst of the comparison lasts so long: a workload that a target can be kept for.
const LONG_BURST: Duration = Duration::from_secs(40);

/// Plays the same messages twice: as `aws-sqs-queue` untold, and with a target wait.
///
/// # Errors
/// As [`run`].
pub async fn run_law(
    settings: &DemoSettings,
    shutdown: CancellationToken,
) -> Result<LawSummary, DemoError> {
    let plain = DemoSettings {
        queue_length: QUEUE_LENGTH_UNTOLD,
        target_wait: None,
        burst: LONG_BURST,
        ..settings.clone()
    };
    let law = DemoSettings {
        target_wait: Some(TARGET_WAIT),
        ..plain.clone()
    };
    Ok(LawSummary {
        target_wait_seconds: TARGET_WAIT.as_secs_f64(),
        queue_length: run(&plain, shutdown.clone()).await?,
        target_wait: run(&law, shutdown).await?,
    })
}

/// Plays the demonstration to its end: every message done and no worker left.
///
/// # Errors
/// When a part cannot be started or fails, somebody interrupts, or the queue is not drained in time.
pub async fn run(
    settings: &DemoSettings,
    shutdown: CancellationToken,
) -> Result<Summary, DemoError> {
    let worker = pods::find_worker(settings.worker.clone()).await?;
    let mut stage = Stage::open(settings, worker).await?;
    let outcome = play(settings, &mut stage, shutdown).await;
    stage.close().await;
    outcome
}

async fn play(
    settings: &DemoSettings,
    stage: &mut Stage,
    shutdown: CancellationToken,
) -> Result<Summary, DemoError> {
    if settings.live {
        screen::heading(&mut io::stdout().lock())?;
    }
    let (mut summary, started) = (Summary::default(), Instant::now());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks_seen: u64 = 0;
    while !summary.is_over() {
        tokio::select! {
            () = shutdown.cancelled() => return Err(summary.interrupted()),
            _ = ticks.tick() => {}
        }
        let sight = stage.tick(started.elapsed()).await?;
        summary.note(&sight, TICK, stage.has_sent_all());
        if settings.live && (ticks_seen.is_multiple_of(TICKS_PER_ROW) || summary.is_over()) {
            screen::row(
                &mut io::stdout().lock(),
                &sight,
                settings.messages,
                stage.wanted(),
            )?;
        }
        if sight.now > RUN_MAX {
            return Err(summary.not_drained(RUN_MAX));
        }
        ticks_seen += 1;
    }
    Ok(summary)
}
