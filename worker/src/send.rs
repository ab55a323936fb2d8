//! A page that sends messages to a queue and shows how many wait there, with the pods that work on them. Pods and their
//! autoscaler are read where there is a cluster that permits it.

pub mod api;
pub mod authentication;
pub mod counts;
pub mod page;
pub mod sender;

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::timeout;
use tracing::{info, warn};

use self::api::Desk;
use self::authentication::Authentication;
use self::counts::Counts;
use self::sender::Sender;
use crate::causes::with_causes;
use crate::cluster::Cluster;
use crate::health;
use crate::queue::Queue;
use crate::settings::{ClusterSettings, HealthSettings, LogSettings, QueueSettings};
use crate::signals::Signals;

/// What is sent when a signal comes may take this long to end: below the grace that Kubernetes gives a pod.
const DRAIN: Duration = Duration::from_secs(25);

/// Where the page is, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendSettings {
    pub queue: QueueSettings,
    pub listen: HealthSettings,
    pub authentication: Authentication,
    pub cluster: ClusterSettings,
    /// Where the page itself runs.
    pub pod: String,
    /// Labels of the pods that work on the queue.
    pub pods: String,
    /// The autoscaler that is shown; `None` for the first one with a metric of a queue.
    pub autoscaler: Option<String>,
    pub log: LogSettings,
}

/// Serves the page until a signal, and lets what is being sent end.
pub async fn run(settings: SendSettings) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let listener = health::bind(&settings.listen).await?;
    let queue = Queue::connect(&settings.queue).await?;
    let cluster = Cluster::connect(&settings.cluster)
        .inspect_err(|error| warn!(error = with_causes(error), "pods are not shown"));
    if settings.authentication == Authentication::None {
        warn!("everybody who reaches this page can send messages");
    }
    let sender = Sender::new(queue.clone());
    let desk = Desk {
        queue_url: queue.url().into(),
        pod: settings.pod,
        counts: Counts::new(queue, cluster.ok(), (settings.pods, settings.autoscaler)),
        sender: sender.clone(),
    };
    let routes = api::routes(desk, settings.authentication);
    let draining = sender.clone();
    let stopped = async move {
        let signal = signals.next().await;
        info!(signal, "stopping; what is being sent may end");
        draining.close();
    };
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stopped);
    tokio::select! {
        served = serving.into_future() => served.context("cannot serve the page")?,
        () = sender.closed() => {}
    }
    if timeout(DRAIN, sender.ended()).await.is_err() {
        warn!("stopped with messages not sent; the log says how many were asked for");
    }
    Ok(())
}
