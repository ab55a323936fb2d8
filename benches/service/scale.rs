//! One process for 1 to 10,000 objects over half as many queues, asked as KEDA asks while there are
//! replicas: 18 calls a minute each. The local SQS and the client share the machine with it.

use std::time::{Duration, Instant};

use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinSet,
    time::sleep,
};

use super::{
    chart,
    figures::{millis, quantile, row},
    keda::{Asked, Asks, POLLS_EVERY, Speed, ask, assert_all_answered},
    scaler::given_scaler,
    sqs::given_sqs,
};

/// Objects, and how many times faster than in a cluster they are asked about: there is nothing to be
/// seen of few objects in real time.
const SIZES: [(usize, f64); 5] = [
    (1, 10.0),
    (10, 10.0),
    (100, 10.0),
    (1_000, 5.0),
    (10_000, 1.0),
];

/// How long an observation serves, by default.
const TTL: Duration = Duration::from_secs(5);

/// About each object, while there are replicas.
const CALLS_A_SECOND: f64 = 18.0 / 60.0;

const MEMORY_MAX_MIB: f64 = 250.0;

/// What one size came to, in a cluster's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) objects: usize,
    /// Of one core.
    pub(crate) cpu: f64,
    pub(crate) calls_per_second: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p99: Duration,
    pub(crate) memory_mib: f64,
}

pub(crate) async fn scale() {
    println!(
        "{:>8} {:>10} {:>14} {:>18} {:>12} {:>10}",
        "objects", "% of core", "calls/s", "SQS requests/s", "p99", "MiB"
    );
    let mut costs = Vec::new();
    for (objects, speed) in SIZES {
        let cost = measure(objects, Speed(speed)).await;
        println!(
            "{objects:>8} {:>10.3} {:>14.2} {:>18.2} {:>9.2} ms {:>10.1}",
            cost.cpu * 100.0,
            cost.calls_per_second,
            cost.requests_per_second,
            cost.p99.as_secs_f64() * 1e3,
            cost.memory_mib
        );
        let wanted = objects as f64 * CALLS_A_SECOND;
        assert!(
            cost.calls_per_second > 0.9 * wanted,
            "the machine is too busy for {wanted} calls a second"
        );
        costs.push(cost);
    }
    let (few, many) = (costs[2], costs[4]);
    let per_object = |cost: Cost| cost.cpu / cost.objects as f64;
    tell(&many);
    row(
        "processor time an object, with 10,000 over with 100",
        &format!("{:.2}", per_object(many) / per_object(few)),
        "at most 1: linear or better",
    );
    assert!(
        many.memory_mib < MEMORY_MAX_MIB,
        "{:.0} MiB",
        many.memory_mib
    );
    chart::draw(&costs);
    assert_all_answered();
}

fn tell(cost: &Cost) {
    let what = format!("{} objects over half as many queues", cost.objects);
    let cpu = format!(
        "{:.0} % at {:.0} calls/s",
        cost.cpu * 100.0,
        cost.calls_per_second
    );
    row(&format!("{what}: of one core"), &cpu, "");
    let memory = format!("{:.0} MiB", cost.memory_mib);
    row(&format!("{what}: resident"), &memory, "below 250 MiB");
    row(&format!("{what}: p99 of calls"), &millis(cost.p99), "");
    let requests = format!("{:.0} a second", cost.requests_per_second);
    row(&format!("{what}: requests to SQS"), &requests, "");
}

async fn measure(objects: usize, speed: Speed) -> Cost {
    let queues = objects.div_ceil(2);
    let sqs = given_sqs(queues).await;
    sqs.fill(queues, 3);
    let ttl = format!("--cache-ttl-seconds={}", speed.of(TTL).as_secs_f64());
    let scaler = given_scaler("127.0.0.1:0", &[&ttl]).await;
    let (client, (took, mut times)) = (scaler.client(), unbounded_channel());
    let mut objects_asked = JoinSet::new();
    for object in 0..objects {
        let asked = Asked {
            reference: sqs.reference(object, object % queues),
            request: sqs.metrics_request(object, object % queues),
        };
        objects_asked.spawn(ask(
            client.clone(),
            asked,
            (Asks::Both, speed),
            took.clone(),
        ));
    }
    // By then each object has been asked about once.
    sleep(speed.of(POLLS_EVERY)).await;
    drain(&mut times);
    let (began, cpu, asked) = (Instant::now(), scaler.cpu(), sqs.asked());
    // Whole periods of polls, and long enough to see processor time in ticks of 10 ms.
    sleep(speed.of(POLLS_EVERY).mul_f64(speed.0.sqrt().ceil())).await;
    let seconds = began.elapsed().as_secs_f64() * speed.0;
    let mut times = drain(&mut times);
    times.sort();
    let cost = Cost {
        objects,
        cpu: scaler.cpu_since(cpu).as_secs_f64() / seconds,
        calls_per_second: times.len() as f64 / seconds,
        requests_per_second: (sqs.asked() - asked) as f64 / seconds,
        p99: quantile(&times, 0.99),
        memory_mib: scaler.memory_mib(),
    };
    objects_asked.shutdown().await;
    scaler.stop().await;
    cost
}

fn drain(times: &mut UnboundedReceiver<Duration>) -> Vec<Duration> {
    std::iter::from_fn(|| times.try_recv().ok()).collect()
}
