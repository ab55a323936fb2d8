//! How KEDA asks: each object by its own clocks, three calls one after the other on the one connection
//! there is. Time can be compressed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use sluice::grpc::proto::{GetMetricsRequest, ScaledObjectRef};
use tokio::{sync::mpsc::UnboundedSender, time::sleep};
use tonic::Status;

use super::scaler::Client;

/// `pollingInterval` of a `ScaledObject`.
pub(crate) const POLLS_EVERY: Duration = Duration::from_secs(30);

/// The autoscaler asks so often while there are replicas.
pub(crate) const AUTOSCALER_ASKS_EVERY: Duration = Duration::from_secs(15);

/// Calls that were not answered with OK.
static FAILED: AtomicU64 = AtomicU64::new(0);

/// Who asks, and what of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Polls, and questions of an autoscaler.
    Both,
    /// With `useCachedMetrics` the autoscaler's questions are answered from the last poll.
    CachedMetrics,
    /// There are no replicas, and so no autoscaler.
    PollsOnly,
}

/// One trigger of one object.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) reference: ScaledObjectRef,
    pub(crate) request: GetMetricsRequest,
}

/// How many times faster than in a cluster time passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speed(pub(crate) f64);

impl Speed {
    pub(crate) fn of(self, time: Duration) -> Duration {
        time.div_f64(self.0)
    }
}

/// Asks about one trigger for ever, and tells how long each call took.
pub(crate) async fn ask(
    client: Client,
    asked: Asked,
    (asks, speed): (Asks, Speed),
    took: UnboundedSender<Duration>,
) {
    let polls = every(speed.of(POLLS_EVERY), || {
        three_calls(client.clone(), &asked, &took)
    });
    let autoscaler = every(speed.of(AUTOSCALER_ASKS_EVERY), || async {
        match asks {
            Asks::Both => three_calls(client.clone(), &asked, &took).await,
            Asks::CachedMetrics => spec(&mut client.clone(), &asked, &took).await,
            Asks::PollsOnly => {}
        }
    });
    tokio::join!(polls, autoscaler);
}

/// Does it at a random moment of each interval, always the same one.
pub(crate) async fn every<F: Future<Output = ()>>(interval: Duration, mut act: impl FnMut() -> F) {
    sleep(interval.mul_f64(fastrand::f64())).await;
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        act().await;
    }
}

async fn three_calls(mut client: Client, asked: &Asked, took: &UnboundedSender<Duration>) {
    spec(&mut client, asked, took).await;
    let began = Instant::now();
    let value = client.get_metrics(asked.request.clone()).await;
    note(&value, began, took);
    let began = Instant::now();
    let is_active = client.is_active(asked.reference.clone()).await;
    note(&is_active, began, took);
}

async fn spec(client: &mut Client, asked: &Asked, took: &UnboundedSender<Duration>) {
    let began = Instant::now();
    let spec = client.get_metric_spec(asked.reference.clone()).await;
    note(&spec, began, took);
}

fn note<T>(answer: &Result<T, Status>, began: Instant, took: &UnboundedSender<Duration>) {
    match answer {
        // Nobody may want to know any more.
        Ok(_) => drop(took.send(began.elapsed())),
        Err(_) => drop(FAILED.fetch_add(1, Ordering::Relaxed)),
    }
}

/// Fails when a call has failed: then the machine was too busy for the figures to mean something.
pub(crate) fn assert_all_answered() {
    assert_eq!(FAILED.swap(0, Ordering::Relaxed), 0, "calls failed");
}
