//! Unary calls beside a thousand streams on the same connection, in blocks by turns.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{
    figures::{quantile, row, show, spread},
    scaler::{Client, given_scaler},
    sqs::{Sqs, given_sqs},
    wake::{open, told},
};

const STREAMS: usize = 1_000;
const QUEUES: usize = 50;
const BLOCKS: usize = 9;
const CALLS: usize = 1_000;
const P99_RATIO_MAX: f64 = 1.2;

pub(crate) async fn calls() {
    let (sqs, scaler) = (
        given_sqs(QUEUES).await,
        given_scaler("127.0.0.1:0", &[]).await,
    );
    let client = scaler.client();
    call(&client, &sqs).await;
    let (mut alone, mut beside, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        let without = call(&client, &sqs).await;
        let streams = given_streams(&client, &sqs).await;
        let with = call(&client, &sqs).await;
        drop(streams);
        sleep(Duration::from_secs(1)).await;
        ratios.push(p99(&with) / p99(&without));
        alone.extend(without);
        beside.extend(with);
    }
    show("GetMetrics alone", alone);
    show("GetMetrics beside 1,000 streams", beside);
    // Of neighbours in time: a processor that others want for a second is in one block, not in all.
    let (least, ratio, most) = spread(ratios);
    row(
        "p99 of a call beside 1,000 streams on its connection over without, median of nine blocks",
        &format!("{ratio:.2} [{least:.2}..{most:.2}]"),
        "at most 1.2",
    );
    assert!(ratio <= P99_RATIO_MAX, "{ratio:.2}");
}

fn p99(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    quantile(&sorted, 0.99).as_secs_f64()
}

/// A thousand streams, each of which was told the state of its queue.
async fn given_streams(client: &Client, sqs: &Sqs) -> Vec<impl Sized> {
    let opened = Instant::now();
    let mut streams = Vec::new();
    for number in 0..STREAMS {
        streams.push(open(client.clone(), sqs.reference(number, number % QUEUES)).await);
    }
    for stream in &mut streams {
        told(stream, false).await;
    }
    println!(
        "{STREAMS} streams opened and told in {:.2} s",
        opened.elapsed().as_secs_f64()
    );
    sleep(Duration::from_secs(1)).await;
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
