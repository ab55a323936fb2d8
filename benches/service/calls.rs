//! Unary calls beside a thousand streams on the same connection, in blocks by turns: over calls without any
//! stream, and over calls while the queues are looked at as often for a few streams of another connection.

use std::{
    thread,
    time::{Duration, Instant},
};

use sluice::grpc::proto::IsActiveResponse;
use tokio::{runtime::Builder, task::block_in_place, time::sleep};
use tonic::Streaming;

use super::{
    figures::{quantile, row, show, spread},
    scaler::{Client, Scaler, given_scaler},
    sqs::{Sqs, given_sqs},
    wake::{open, told},
};

const STREAMS: usize = 1_000;
const QUEUES: usize = 50;
const BLOCKS: usize = 9;
const CALLS: usize = 2_000;
const P99_RATIO_MAX: f64 = 1.2;

/// Until the queues are looked at at their pace.
const SETTLES_IN: Duration = Duration::from_secs(1);

/// What streams had looked at is not in the cache any more.
const FORGOTTEN_IN: Duration = Duration::from_secs(6);

/// The times of the calls of each arm, and by block the p99 beside the streams over that of another arm.
#[derive(Default)]
struct Times {
    alone: Vec<Duration>,
    beside_looks: Vec<Duration>,
    beside_streams: Vec<Duration>,
    over_alone: Vec<f64>,
    over_looks: Vec<f64>,
}

pub(crate) async fn calls() {
    let (sqs, scaler) = (
        given_sqs(QUEUES).await,
        given_scaler("127.0.0.1:0", &[]).await,
    );
    let times = apart(|| measure(&sqs, &scaler));
    show("GetMetrics alone", times.alone);
    show("GetMetrics beside 50 looks a second", times.beside_looks);
    show(
        "GetMetrics beside those for 1,000 streams",
        times.beside_streams,
    );
    judge("over without any", times.over_alone);
    judge("over as many looks for 50 on another one", times.over_looks);
}

/// The median of neighbours in time: a processor that others want for a second is in one block, not in all.
fn judge(over: &str, ratios: Vec<f64>) {
    let (least, ratio, most) = spread(ratios);
    row(
        &format!(
            "p99 of a call beside 1,000 streams on its connection {over}, median of nine blocks"
        ),
        &format!("{ratio:.2} [{least:.2}..{most:.2}]"),
        "at most 1.2",
    );
    assert!(ratio <= P99_RATIO_MAX, "{ratio:.2} {over}");
}

/// Runs a client in a thread of its own, where it does not wait for the local SQS of this process.
fn apart<F: Future>(client: impl FnOnce() -> F + Send) -> F::Output
where
    F::Output: Send,
{
    let run = || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(client())
    };
    block_in_place(|| thread::scope(|scope| scope.spawn(run).join().expect("no panic")))
}

async fn measure(sqs: &Sqs, scaler: &Scaler) -> Times {
    let (client, others) = (scaler.client(), scaler.client());
    let mut times = Times::default();
    for _ in 0..BLOCKS {
        sleep(FORGOTTEN_IN).await;
        let alone = call(&client, sqs).await;
        let looks = given_streams(&others, sqs, QUEUES).await;
        let beside_looks = call(&client, sqs).await;
        let streams = given_streams(&client, sqs, STREAMS).await;
        let beside_streams = call(&client, sqs).await;
        drop((streams, looks));
        let p99_beside = p99(&beside_streams);
        times.over_alone.push(p99_beside / p99(&alone));
        times.over_looks.push(p99_beside / p99(&beside_looks));
        times.alone.extend(alone);
        times.beside_looks.extend(beside_looks);
        times.beside_streams.extend(beside_streams);
    }
    times
}

fn p99(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    quantile(&sorted, 0.99).as_secs_f64()
}

/// So many streams, each of which was told the state of its queue.
async fn given_streams(
    client: &Client,
    sqs: &Sqs,
    number: usize,
) -> Vec<Streaming<IsActiveResponse>> {
    let mut streams = Vec::new();
    for number in 0..number {
        streams.push(open(client.clone(), sqs.reference(number, number % QUEUES)).await);
    }
    for stream in &mut streams {
        told(stream, false).await;
    }
    sleep(SETTLES_IN).await;
    streams
}

/// Calls of `GetMetrics`, one after the other.
async fn call(client: &Client, sqs: &Sqs) -> Vec<Duration> {
    let mut client = client.clone();
    let mut took = Vec::new();
    for number in 0..CALLS {
        let request = sqs.metrics_request(number % QUEUES, number % QUEUES);
        let asked = Instant::now();
        client.get_metrics(request).await.expect("an answer");
        took.push(asked.elapsed());
        sleep(Duration::from_millis(1)).await;
    }
    took
}
