//! Answers from the cache beside the constant ones of a bare server: throughput and p99 of the same
//! calls, in blocks by turns. Each server has one thread and the first core, the client the second.

use prost::Message;

use super::{
    bare::{MESSAGES, command, given_bare},
    figures::{row, spread},
    load::{Cell, Figures, Load},
    scaler::{SLUICE, Scaler, serve, served_by},
    sqs::{Sqs, given_sqs},
};

const BLOCKS: usize = 7;
/// What is promised is the median of enough that a neighbour on the machine does not decide it.
const PROMISED_BLOCKS: usize = 21;

/// The cell that is stable enough to promise something of: a server at its limit, a client that is not.
const PROMISED: Cell = Cell {
    connections: 4,
    in_flight: 64,
};
const THROUGHPUT_MIN: f64 = 0.90;
const P99_MAX: f64 = 1.2;

/// Under valgrind the first request to SQS takes longer than a call may.
const FIRST_ANSWER_TRIES: u32 = 20;

const SERVER: [&str; 3] = ["taskset", "-c", "0"];
const CLIENT: [&str; 3] = ["taskset", "-c", "1"];

/// A cache that no call here finds too old.
pub(crate) const ALL_FROM_CACHE: [&str; 2] =
    ["--cache-ttl-seconds=300", "--staleness-bound-seconds=300"];

pub(crate) async fn grpc() {
    let (sqs, ours, bare) = given_arms(&SERVER).await;
    println!(
        "{:<15} {:>16} {:>24} {:>24} {:>10}",
        "call", "conns x in all", "throughput, ours/bare", "p99, ours/bare", "processor"
    );
    let cells = [
        (1, 1),
        (1, 16),
        (1, 64),
        (1, 256),
        (4, 16),
        (4, 64),
        (4, 256),
    ];
    let cells = cells.map(|(connections, in_flight)| Cell {
        connections,
        in_flight,
    });
    let metrics = Load::of("GetMetrics", &sqs.metrics_request(0, 0));
    for cell in cells {
        compare(("GetMetrics", &metrics), cell, (&ours, &bare)).await;
    }
    for method in ["IsActive", "GetMetricSpec"] {
        let load = Load::of(method, &sqs.reference(0, 0));
        compare((method, &load), PROMISED, (&ours, &bare)).await;
    }
    println!("{:.0} MiB resident after all calls", ours.memory_mib());
}

/// A scaler whose cache knows the queue, and the bare server, both answering the same.
pub(crate) async fn given_arms(before: &[&str]) -> (Sqs, Scaler, Scaler) {
    let sqs = given_sqs(1).await;
    sqs.fill(1, usize::try_from(MESSAGES).unwrap());
    let arguments = [&serve("127.0.0.1:0")[..], &ALL_FROM_CACHE].concat();
    let ours = served_by(command(before, SLUICE, &arguments)).await;
    let bare = given_bare(before).await;
    assert_eq!(answers(&ours, &sqs).await, answers(&bare, &sqs).await);
    (sqs, ours, bare)
}

/// The bytes of what a server answers to each call.
pub(crate) async fn answers(server: &Scaler, sqs: &Sqs) -> Vec<Vec<u8>> {
    let mut client = server.client();
    let mut metrics = client.get_metrics(sqs.metrics_request(0, 0)).await;
    for _ in 0..FIRST_ANSWER_TRIES {
        if metrics.is_ok() {
            break;
        }
        metrics = client.get_metrics(sqs.metrics_request(0, 0)).await;
    }
    let is_active = client.is_active(sqs.reference(0, 0)).await;
    let spec = client.get_metric_spec(sqs.reference(0, 0)).await;
    vec![
        metrics.expect("a value").into_inner().encode_to_vec(),
        is_active.expect("an activity").into_inner().encode_to_vec(),
        spec.expect("a spec").into_inner().encode_to_vec(),
    ]
}

async fn compare((method, load): (&str, &Load), cell: Cell, (ours, bare): (&Scaler, &Scaler)) {
    // About half a second each.
    let calls = if cell.in_flight == 1 { 10_000 } else { 50_000 };
    let is_promised =
        (cell.connections, cell.in_flight) == (PROMISED.connections, PROMISED.in_flight);
    let blocks = if is_promised { PROMISED_BLOCKS } else { BLOCKS };
    let (mut throughput, mut p99, mut absolute) = (Vec::new(), Vec::new(), Vec::new());
    let (our_cpu, bare_cpu) = (ours.cpu(), bare.cpu());
    for _ in 0..blocks {
        let run = |server| load.run(&CLIENT, server, (cell, calls));
        let (mine, theirs): (Figures, Figures) = if fastrand::bool() {
            let mine = run(ours).await;
            (mine, run(bare).await)
        } else {
            let theirs = run(bare).await;
            (run(ours).await, theirs)
        };
        throughput.push(mine.per_second / theirs.per_second);
        p99.push(mine.p99.as_secs_f64() / theirs.p99.as_secs_f64());
        absolute.push(mine.per_second);
    }
    // Of all blocks together: it passes in steps of 10 ms, and neighbours hardly change it.
    let cpu = ours.cpu_since(our_cpu).as_secs_f64() / bare.cpu_since(bare_cpu).as_secs_f64();
    let (throughput, p99) = (spread(throughput), spread(p99));
    let text =
        |(least, median, most): (f64, f64, f64)| format!("{median:.3} [{least:.3}..{most:.3}]");
    println!(
        "{method:<15} {:>16} {:>24} {:>24} {cpu:>10.3}   {:.0} a second",
        format!("{} x {}", cell.connections, cell.in_flight),
        text(throughput),
        text(p99),
        spread(absolute).1
    );
    if is_promised {
        let what = format!("{method} from cache over a bare server, 4 connections, 64 in flight");
        row(
            &format!("{what}: throughput"),
            &text(throughput),
            "at least 0.90",
        );
        row(&format!("{what}: p99"), &text(p99), "at most 1.2");
        let cpu = format!("{cpu:.3}");
        row(&format!("{what}: processor time a call"), &cpu, "");
        let (throughput, p99) = (throughput.1, p99.1);
        assert!(throughput >= THROUGHPUT_MIN, "{method}: {throughput:.3}");
        assert!(p99 <= P99_MAX, "{method}: p99 {p99:.3}");
    }
}
