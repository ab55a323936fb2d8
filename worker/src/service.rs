//! Composition: the one file that names every module. Starts the parts, and ends them in order.

use std::time::Duration;

use anyhow::{anyhow, bail};
use axum::http::{Method, Request};
use http_body_util::Full;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::causes::with_causes;
use crate::cluster::Cluster;
use crate::consume::Consumer;
use crate::deletion_cost::DeletionCost;
use crate::handlers::{Builtin, Sleep};
use crate::health::{self, Seen};
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::queue::{self, Queue};
use crate::settings::{DeletionCostSettings, Settings};
use crate::signals::Signals;
use crate::web::Web;

/// The report that work was cut short comes after the drain, within the grace that Kubernetes gives a pod.
const REPORT_MAX: Duration = Duration::from_millis(500);

/// Consumes until a signal and the end of the drain; a second signal ends the drain with an error.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let progress = Progress::default();
    let metrics = Metrics::default();
    let listener = health::bind(&settings.health).await?;
    let (draining, stopped) = (CancellationToken::new(), CancellationToken::new());
    let _stop_health = stopped.clone().drop_guard();
    let _telling = tell_deletion_cost(&settings.deletion_cost, &metrics);
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
    let (kill_url, counted) = (settings.kill_url, metrics.clone());
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
    consumer.run(draining).await?;
    if let Some(url) = kill_url.filter(|_| counted.messages_cut_short() > 0) {
        report_kill(&url).await;
    }
    Ok(())
}

/// Until the answer is dropped; `None` when nobody wants to know, or there is nobody to tell.
fn tell_deletion_cost(
    settings: &DeletionCostSettings,
    metrics: &Metrics,
) -> Option<AbortOnDropHandle<()>> {
    let DeletionCostSettings::On { cluster, pod } = settings else {
        return None;
    };
    let cluster = Cluster::connect(cluster)
        .inspect_err(|error| warn!(error = with_causes(error), "no deletion cost is told"))
        .ok()?;
    let telling = DeletionCost {
        cluster,
        pod: pod.clone(),
        metrics: metrics.clone(),
    };
    let telling = tokio::spawn(telling.keep_told());
    Some(AbortOnDropHandle::new(telling))
}

/// Whether it arrives decides nothing.
async fn report_kill(url: &str) {
    let reporting = async {
        let mut request = Request::new(Full::default());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.parse()?;
        Web::new()?.send(request).await?.check(url)
    };
    match timeout(REPORT_MAX, reporting).await {
        Ok(Ok(())) => info!(url, "reported that work was cut short"),
        Ok(Err(error)) => warn!(error = with_causes(&*error), "cannot report a kill"),
        Err(_) => warn!(url, "cannot report a kill: no answer within {REPORT_MAX:?}"),
    }
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
