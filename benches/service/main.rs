//! The scaler as a process, against a local SQS in this one: what it costs, how soon it wakes.
//! `cargo bench --bench service -- NAME...` runs some of the measurements below. README.md has the figures.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a benchmark reads the clock, counts little, and may fail where it stands"
)]

mod bare;
mod calls;
mod chart;
mod figures;
mod grpc;
mod idle;
mod instructions;
mod keda;
mod load;
mod requests;
mod restart;
mod scale;
mod scaler;
mod scrape;
mod sqs;
mod start;
mod twin;
mod wake;

const NAMES: [&str; 11] = [
    "grpc",
    "instructions",
    "scale",
    "requests",
    "twin",
    "start",
    "wake",
    "calls",
    "idle",
    "restart",
    "scrape",
];

#[tokio::main]
async fn main() {
    let words = std::env::args().skip(1);
    let mut wanted: Vec<String> = words.filter(|word| !word.starts_with('-')).collect();
    if wanted.is_empty() {
        wanted = NAMES.map(str::to_owned).to_vec();
    }
    for name in wanted {
        println!("\n== {name}");
        run(&name).await;
    }
}

async fn run(name: &str) {
    match name {
        // Not a measurement: this process is what the others are compared with.
        "bare" => bare::serve().await,
        "grpc" => grpc::grpc().await,
        "instructions" => instructions::instructions().await,
        "scale" => scale::scale().await,
        "requests" => requests::requests().await,
        "twin" => twin::twin(),
        "start" => start::start().await,
        "wake" => wake::wake().await,
        "calls" => calls::calls().await,
        "idle" => idle::idle().await,
        "restart" => restart::restart().await,
        "scrape" => scrape::scrape().await,
        other => panic!("no measurement {other:?}: there are {NAMES:?}"),
    }
}
