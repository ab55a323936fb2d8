//! A thousand streams when the scaler is replaced, with KEDA's pauses: 2 s after an end with OK, and
//! twice as long after each error.

use std::time::{Duration, Instant};

use tokio::{task::JoinSet, time::sleep};

use super::{
    figures::{quantile, row, show},
    scaler::given_scaler,
    sqs::given_sqs,
    wake::{open, told},
};

const STREAMS: usize = 1_000;

pub(crate) async fn restart() {
    let (sqs, scaler) = (given_sqs(50).await, given_scaler("127.0.0.1:0", &[]).await);
    let (client, address) = (scaler.client(), scaler.address.to_string());
    let mut runs = JoinSet::new();
    let (told_first, mut all_told) = tokio::sync::mpsc::channel(STREAMS);
    for number in 0..STREAMS {
        let (client, reference) = (client.clone(), sqs.reference(number, number % 50));
        let told_first = told_first.clone();
        runs.spawn(async move {
            let mut stream = open(client.clone(), reference.clone()).await;
            told(&mut stream, false).await;
            told_first.send(()).await.expect("somebody who counts");
            let is_ok = matches!(stream.message().await, Ok(None));
            let mut pause = Duration::from_secs(2);
            loop {
                sleep(pause).await;
                pause *= 2;
                let mut client = client.clone();
                let Ok(stream) = client.stream_is_active(reference.clone()).await else {
                    continue;
                };
                if let Ok(Some(_)) = stream.into_inner().message().await {
                    return (is_ok, Instant::now());
                }
            }
        });
    }
    for _ in 0..STREAMS {
        all_told.recv().await.expect("a stream");
    }
    let stopped = Instant::now();
    scaler.stop().await;
    let ended = stopped.elapsed();
    let _next = given_scaler(&address, &[]).await;
    let served = stopped.elapsed();
    let runs = runs.join_all().await;
    let ended_ok = runs.iter().filter(|run| run.0).count();
    let back = runs.iter().map(|run| run.1 - stopped).collect();
    println!(
        "stopped in {:.2} s, served again after {:.2} s; {ended_ok} of {STREAMS} streams ended with OK",
        ended.as_secs_f64(),
        served.as_secs_f64()
    );
    let back = show("back after the signal to stop", back);
    let last = format!("{:.2} s", quantile(&back, 1.0).as_secs_f64());
    row(
        "1,000 streams over a restart: the last is back after",
        &last,
        "at most 3 s, 2 s of it KEDA's pause",
    );
    assert!(
        quantile(&back, 1.0) <= Duration::from_secs(3),
        "all are back"
    );
    assert_eq!(ended_ok, STREAMS);
}
