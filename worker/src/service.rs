//! Composition: the one file that names every module. Starts the parts, and ends them in order.

use anyhow::{anyhow, bail};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::consume::Consumer;
use crate::handlers::{Builtin, Sleep};
use crate::health::{self, Seen};
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::queue::{self, Queue};
use crate::settings::Settings;
use crate::signals::Signals;

/// Consumes until a signal and the end of the drain; a second signal ends the drain with an error.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let progress = Progress::default();
    let metrics = Metrics::default();
    let listener = health::bind(&settings.health).await?;
    let (draining, stopped) = (CancellationToken::new(), CancellationToken::new());
    let _stop_health = stopped.clone().drop_guard();
    let seen = Seen {
        progress: progress.clone(),
        metrics: metrics.clone(),
    };
    tokio::spawn(health::serve(listener, seen, stopped));
    tokio::select! {
        outcome = consume(settings, (progress.clone(), metrics), draining.clone()) => outcome,
        second = drain_on_signal(&mut signals, &progress, &draining) => {
            bail!("{second} while draining: ended without finishing; unfinished messages come again")
        }
    }
}

async fn consume(
    settings: Settings,
    (progress, metrics): (Progress, Metrics),
    draining: CancellationToken,
) -> anyhow::Result<()> {
    warn_of_short_drain(&settings);
    let aws = queue::aws(&settings.queue).await;
    let handler = Builtin::prepare(settings.handler, &aws)
        .map_err(|cause| anyhow!("cannot prepare the handler: {cause}"))?;
    let queue = Queue::connect(&settings.queue).await?;
    info!(
        queue = queue.url(),
        concurrency = settings.consume.concurrency,
        is_fifo = queue.is_fifo(),
        "consuming"
    );
    let handler = Sleep {
        work: settings.work,
        then: handler,
    };
    let consumer = Consumer {
        queue,
        handler,
        settings: settings.consume,
        progress,
        metrics,
    };
    Ok(consumer.run(draining).await?)
}

/// Starts the drain at the first signal and returns at the second.
async fn drain_on_signal(
    signals: &mut Signals,
    progress: &Progress,
    draining: &CancellationToken,
) -> &'static str {
    let first = signals.next().await;
    progress.draining();
    draining.cancel();
    info!(
        signal = first,
        "draining: no further receive, running messages may finish"
    );
    signals.next().await
}

fn warn_of_short_drain(settings: &Settings) {
    let (wait, drain) = (settings.consume.wait, settings.consume.drain);
    if wait >= drain {
        warn!(
            wait_seconds = wait.as_secs(),
            drain_seconds = drain.as_secs(),
            "a receive may outlast the drain: set SLUICE_WORKER_DRAIN_SECONDS above SQS_WAIT_TIME_SECONDS"
        );
    }
}
