//! From `SendMessage` to `true` on the wire, side by side with polls of `IsActive`.

use std::time::{Duration, Instant};

use sluice::grpc::proto::{IsActiveResponse, ScaledObjectRef};
use tokio::{task::JoinSet, time::sleep};
use tonic::Streaming;

use super::{
    figures::{millis, quantile, row, show},
    scaler::{Client, given_scaler},
    sqs::{given_sqs, name},
};

const WAKE_UPS: usize = 200;
const MEDIAN_MAX: Duration = Duration::from_secs(1);
const P99_MAX: Duration = Duration::from_millis(2_200);

/// A stream of activity.
pub(crate) async fn open(
    mut client: Client,
    reference: ScaledObjectRef,
) -> Streaming<IsActiveResponse> {
    client
        .stream_is_active(reference)
        .await
        .expect("a stream")
        .into_inner()
}

/// Waits for this state.
pub(crate) async fn told(stream: &mut Streaming<IsActiveResponse>, is_active: bool) {
    while stream
        .message()
        .await
        .expect("OK")
        .expect("an open stream")
        .result
        != is_active
    {}
}

pub(crate) async fn wake() {
    let (sqs, scaler) = (
        given_sqs(WAKE_UPS).await,
        given_scaler("127.0.0.1:0", &[]).await,
    );
    let mut runs = JoinSet::new();
    for number in 0..WAKE_UPS {
        let (client, reference) = (scaler.client(), sqs.reference(number, number));
        let (control, messages) = (sqs.control.clone(), if number % 2 == 0 { 1 } else { 10 });
        runs.spawn(async move {
            let mut stream = open(client.clone(), reference.clone()).await;
            told(&mut stream, false).await;
            sleep(Duration::from_secs(2) + Duration::from_secs(28).mul_f64(fastrand::f64())).await;
            let sent = Instant::now();
            for _ in 0..messages {
                control.send(&name(number), "{}").expect("the queue exists");
            }
            let pushed = async {
                told(&mut stream, true).await;
                sent.elapsed()
            };
            let polled = |seconds| first_poll(client.clone(), reference.clone(), sent, seconds);
            let (pushed, by_15, by_30) = tokio::join!(pushed, polled(15), polled(30));
            (messages, pushed, by_15, by_30)
        });
    }
    let all = runs.join_all().await;
    let pushed = |wanted| {
        all.iter()
            .filter(|run| run.0 == wanted)
            .map(|run| run.1)
            .collect()
    };
    show("pushed, a lone message", pushed(1));
    show("pushed, ten messages", pushed(10));
    let times = show("pushed, all", all.iter().map(|run| run.1).collect());
    show("polled each 15 s", all.iter().map(|run| run.2).collect());
    show("polled each 30 s", all.iter().map(|run| run.3).collect());
    let figure = format!(
        "{} and {}",
        millis(quantile(&times, 0.5)),
        millis(quantile(&times, 0.99))
    );
    row(
        "SendMessage to `true` on the wire, 200 wake-ups: median and p99",
        &figure,
        "at most 1.0 s and 2.2 s",
    );
    assert!(quantile(&times, 0.5) <= MEDIAN_MAX, "the median");
    assert!(quantile(&times, 0.99) <= P99_MAX, "the 99th percentile");
}

/// How long after `sent` a poll says so that comes each so many seconds, at whatever moment.
async fn first_poll(
    mut client: Client,
    reference: ScaledObjectRef,
    sent: Instant,
    seconds: u64,
) -> Duration {
    let every = Duration::from_secs(seconds);
    let mut wait = every.mul_f64(fastrand::f64());
    loop {
        sleep(wait).await;
        wait = every;
        if client
            .is_active(reference.clone())
            .await
            .expect("an answer")
            .into_inner()
            .result
        {
            return sent.elapsed();
        }
    }
}
