//! What a scrape of many triggers costs: all series of each, as Prometheus asks for them.

use std::time::{Duration, Instant};

use super::{
    figures::{millis, quantile, row, show},
    scaler::given_scaler,
    sqs::given_sqs,
};

const TRIGGERS: usize = 2_000;
const SCRAPES: u32 = 41;

/// Prometheus waits for ten seconds; a scrape that takes so long would be seen beside KEDA's calls.
const LONGEST: Duration = Duration::from_millis(50);

pub(crate) async fn scrape() {
    let sqs = given_sqs(TRIGGERS).await;
    let scaler = given_scaler("127.0.0.1:0", &["--rpc-deadline-seconds=5"]).await;
    let mut client = scaler.client();
    for number in 0..TRIGGERS {
        let mut request = sqs.metrics_request(number, number);
        // With a law there are most series.
        let reference = request.scaled_object_ref.as_mut().expect("a trigger");
        for (key, value) in [("targetWaitSeconds", "60"), ("messageSeconds", "1")] {
            let metadata = &mut reference.scaler_metadata;
            metadata.insert(key.to_owned(), value.to_owned());
        }
        client.get_metrics(request).await.expect("a value");
    }
    let (cpu, mut times, mut bytes) = (scaler.cpu(), Vec::new(), 0);
    for _ in 0..SCRAPES {
        let began = Instant::now();
        bytes = scaler.metrics().await.len();
        times.push(began.elapsed());
    }
    let cpu = scaler.cpu_since(cpu) / SCRAPES;
    let median = quantile(&show("scrapes of 2,000 triggers", times), 0.5);
    let figure = format!("{}, {:.1} MB", millis(median), bytes as f64 / 1e6);
    row("a scrape of 2,000 triggers, median", &figure, "below 50 ms");
    row(
        "a scrape of 2,000 triggers: processor time",
        &millis(cpu),
        "",
    );
    let memory = format!("{:.0} MiB", scaler.memory_mib());
    row("2,000 triggers scraped: resident", &memory, "");
    scaler.stop().await;
    assert!(
        median < LONGEST,
        "a scrape took {median:?}, and {LONGEST:?} is promised"
    );
}
