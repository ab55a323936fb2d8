//! Size, and from the start of the process to its first answer.

use std::{
    fs,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    figures::{millis, quantile, row, show},
    scaler::{SLUICE, given_scaler},
    sqs::given_sqs,
};

const STARTS: usize = 25;
const IDLE_FOR: Duration = Duration::from_secs(2);

pub(crate) async fn start() {
    let sqs = given_sqs(1).await;
    let size = fs::metadata(SLUICE).expect("the binary").len();
    let size = format!("{:.1} MiB", size as f64 / f64::from(1 << 20));
    row("the binary", &size, "");
    let (mut specs, mut values) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let began = Instant::now();
        let scaler = given_scaler("127.0.0.1:0", &[]).await;
        let mut client = scaler.client();
        client
            .get_metric_spec(sqs.reference(0, 0))
            .await
            .expect("a spec");
        specs.push(began.elapsed());
        client
            .get_metrics(sqs.metrics_request(0, 0))
            .await
            .expect("a value");
        values.push(began.elapsed());
        scaler.stop().await;
    }
    let specs = show("from exec to the first spec", specs);
    let values = show("from exec to the first value, SQS asked", values);
    let first = format!("{} and {}", median(&specs), median(&values));
    row(
        "from exec to the first spec and the first value, median of 25",
        &first,
        "",
    );
    let scaler = given_scaler("127.0.0.1:0", &[]).await;
    let cpu = scaler.cpu();
    sleep(IDLE_FOR).await;
    let idle = format!(
        "{:.1} MiB, {:.1} % of a core",
        scaler.memory_mib(),
        scaler.cpu_since(cpu).as_secs_f64() / IDLE_FOR.as_secs_f64() * 100.0
    );
    row("idle: resident, processor time", &idle, "");
}

fn median(sorted: &[Duration]) -> String {
    millis(quantile(sorted, 0.5))
}
