//! What it costs to watch queues that sleep, and how evenly they are asked.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice::grpc::proto::IsActiveResponse;
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};
use tonic::Streaming;

use super::{
    figures::row,
    scaler::{Scaler, given_scaler},
    sqs::{Sqs, given_sqs},
    wake::{open, told},
};

const QUEUES: usize = 10_000;
const OVER: Duration = Duration::from_secs(20);
const BIN: Duration = Duration::from_millis(100);

/// Streams that are being opened at once. This client ends a request in a frame of its own, unlike
/// KEDA's, and a server of h2 takes thousands of short frames that it has not read yet for an attack.
const OPENING_MAX: usize = 4_000;

/// Looks that are due at once after the opening are over by then.
const SETTLED_AFTER: Duration = Duration::from_secs(15);

const MOST_OVER_MEAN_MAX: f64 = 2.0;

pub(crate) async fn idle() {
    // Within the default budget of 1,000 looks a second, and at a pace that is kept by all.
    watch(&[], Duration::from_secs(10)).await;
    let paced = [
        "--push-interval-seconds=10",
        "--sqs-looks-per-second-max=10000",
    ];
    watch(&paced, Duration::from_secs(10)).await;
}

/// Watches all queues with these flags, of which each may be asked once in `interval`.
async fn watch(flags: &[&str], interval: Duration) {
    let (sqs, scaler) = (
        given_sqs(QUEUES).await,
        given_scaler("127.0.0.1:0", flags).await,
    );
    let opened = Instant::now();
    let streams = given_streams(&scaler, &sqs).await;
    println!(
        "{QUEUES} streams {flags:?}: opened and told in {:.1} s",
        opened.elapsed().as_secs_f64()
    );
    sleep(SETTLED_AFTER.max(interval)).await;
    let (began, cpu) = (Instant::now(), scaler.cpu());
    let asked = sqs.asked();
    let bins = bins(&sqs).await;
    let seconds = began.elapsed().as_secs_f64();
    let requests = (sqs.asked() - asked) as f64;
    let mean = requests * BIN.as_secs_f64() / seconds;
    let most = bins.into_iter().fold(0.0, f64::max);
    let per_queue = requests / QUEUES as f64 * interval.as_secs_f64() / seconds;
    let what = format!("10,000 sleeping queues, {} s apart", interval.as_secs());
    row(
        &format!("{what}: requests a queue and interval, most over mean of 100 ms"),
        &format!("{per_queue:.2}, {most:.0} / {mean:.0} = {:.2}", most / mean),
        "at most 1, 2",
    );
    let cost = format!(
        "{:.0} requests a second, {:.0} % of a core, {:.0} MiB",
        requests / seconds,
        scaler.cpu_since(cpu).as_secs_f64() / seconds * 100.0,
        scaler.memory_mib()
    );
    row(&what, &cost, "");
    assert!(
        per_queue <= 1.01,
        "{per_queue:.2} requests a queue and interval"
    );
    assert!(most / mean <= MOST_OVER_MEAN_MAX, "bursts");
    drop(streams);
    scaler.stop().await;
}

async fn given_streams(scaler: &Scaler, sqs: &Sqs) -> Vec<Streaming<IsActiveResponse>> {
    let client = scaler.client();
    let places = Arc::new(Semaphore::new(OPENING_MAX));
    let mut opening = JoinSet::new();
    for number in 0..QUEUES {
        let (client, reference) = (client.clone(), sqs.reference(number, number));
        let places = Arc::clone(&places);
        opening.spawn(async move {
            let _place = places.acquire().await;
            let mut stream = open(client, reference).await;
            told(&mut stream, false).await;
            stream
        });
    }
    opening.join_all().await
}

/// The requests of each tenth of a second. The end of one is when this process got to see it: what
/// came in more than that is no burst of the scaler's.
async fn bins(sqs: &Sqs) -> Vec<f64> {
    let (began, mut bins) = (Instant::now(), Vec::new());
    let (mut last, mut last_at) = (sqs.asked(), began);
    while began.elapsed() < OVER {
        sleep(BIN).await;
        let (now, now_at) = (sqs.asked(), Instant::now());
        let requests = (now - last) as f64;
        bins.push(requests * BIN.as_secs_f64() / (now_at - last_at).as_secs_f64());
        (last, last_at) = (now, now_at);
    }
    bins
}
