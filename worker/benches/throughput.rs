//! Messages a second, requests a message, processor time and memory of the worker, beside a plain loop that receives,
//! prints and deletes one by one, and beside sqs-consumer of npm where `SQS_CONSUMER_DIRECTORY` names a directory in which
//! it and @aws-sdk/client-sqs are installed. All against the local SQS in this process; only ratios mean something.
//!
//! ```sh
//! cargo bench -p sluice-worker --bench throughput
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench measures real time, and stops at the first surprise"
)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_sqs::{Client, config};
use sluice::local::{Control, LocalServer};
use tokio_util::sync::CancellationToken;

const MESSAGES: u64 = 5_000;
const ROUNDS: usize = 3;
/// Ticks of the processor time in /proc; every Linux that this runs on has a hundred a second.
const TICKS_PER_SECOND: f64 = 100.0;
const REQUESTS: [&str; 4] = [
    "ReceiveMessage",
    "DeleteMessage",
    "DeleteMessageBatch",
    "ChangeMessageVisibilityBatch",
];

struct Measured {
    per_second: f64,
    per_processor_second: f64,
    requests_per_message: f64,
    resident_mebibytes: f64,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(url) = std::env::var("PLAIN_LOOP_QUEUE_URL") {
        runtime.block_on(plain_loop(&url));
    }
    println!("{MESSAGES} messages, median of {ROUNDS} rounds");
    let arms: Vec<_> = ["plain", "worker", "worker-100", "sqs-consumer"]
        .into_iter()
        .filter(|arm| *arm != "sqs-consumer" || directory().is_some())
        .collect();
    let mut rounds: Vec<Vec<Measured>> = arms.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (arm, measured) in arms.iter().zip(&mut rounds) {
            measured.push(runtime.block_on(measure(arm)));
        }
    }
    for (arm, measured) in arms.iter().zip(&rounds) {
        let middle = |of: fn(&Measured) -> f64| median(measured.iter().map(of).collect());
        println!(
            "{arm:>12}: {:8.0} messages/s, {:8.0} messages/s of processor time, {:.3} requests/message, {:.0} MiB",
            middle(|m| m.per_second),
            middle(|m| m.per_processor_second),
            middle(|m| m.requests_per_message),
            middle(|m| m.resident_mebibytes),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn directory() -> Option<String> {
    std::env::var("SQS_CONSUMER_DIRECTORY").ok()
}

async fn measure(arm: &str) -> Measured {
    let server = LocalServer::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let (control, endpoint) = (server.control(), server.endpoint());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.serve(stop.clone()));
    let url = control.create_queue("orders", &[]).unwrap();
    for number in 0..MESSAGES {
        let body = format!(r#"{{"messageNumber":"{number}"}}"#);
        control.send("orders", &body).unwrap();
    }
    let mut consumer = start(arm, &endpoint, &url);
    until(&control, |received, _| received > 0).await;
    let started_at = Instant::now();
    until(&control, |_, deleted| deleted == MESSAGES).await;
    let seconds = started_at.elapsed().as_secs_f64();
    let measured = read(&consumer, &control, seconds);
    consumer.kill().unwrap();
    consumer.wait().unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
    measured
}

fn read(consumer: &Child, control: &Control, seconds: f64) -> Measured {
    let requests: u64 = REQUESTS.iter().map(|name| control.requests(name)).sum();
    let messages = MESSAGES as f64;
    Measured {
        per_second: messages / seconds,
        per_processor_second: messages / processor_seconds(consumer.id()),
        requests_per_message: requests as f64 / messages,
        resident_mebibytes: resident_mebibytes(consumer.id()),
    }
}

async fn until(control: &Control, holds: impl Fn(u64, u64) -> bool) {
    loop {
        let queue = control.queue("orders").unwrap();
        if holds(queue.received, queue.deleted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn start(arm: &str, endpoint: &str, url: &str) -> Child {
    let mut command = match arm {
        "plain" => {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.env("PLAIN_LOOP_QUEUE_URL", url);
            command
        }
        "sqs-consumer" => {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/sqs-consumer.mjs");
            let directory = directory().unwrap();
            let local = format!("{directory}/sqs-consumer-bench.mjs");
            // Node looks for packages beside the script.
            std::fs::copy(script, &local).unwrap();
            let mut command = Command::new("node");
            command.arg(local).current_dir(directory);
            command
        }
        _ => Command::new(env!("CARGO_BIN_EXE_sluice-worker")),
    };
    let concurrency = if arm == "worker-100" { "100" } else { "10" };
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("SQS_QUEUE_URL", url)
        .env("SLUICE_WORKER_CONCURRENCY", concurrency)
        .env("HEALTH_PORT", "0")
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// In user and kernel, from the start of the process.
fn processor_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks.max(1.0) / TICKS_PER_SECOND
}

/// The most it ever had.
fn resident_mebibytes(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes: f64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kibibytes / 1_024.0
}

/// Receives up to ten, prints and deletes each by itself: what the workers do that this one replaces.
async fn plain_loop(url: &str) {
    let loaded = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let client = Client::from_conf(config::Builder::from(&loaded).build());
    loop {
        let received = client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .wait_time_seconds(20)
            .visibility_timeout(30);
        for message in received.send().await.unwrap().messages() {
            println!("{}", message.body().unwrap_or_default());
            let receipt = message.receipt_handle().unwrap();
            let delete = client.delete_message().queue_url(url);
            delete.receipt_handle(receipt).send().await.unwrap();
        }
    }
}
