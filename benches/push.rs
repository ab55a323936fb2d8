//! How soon a push wakes, and what watching costs: `cargo bench --bench push [wake|calls|idle|restart]`.
//! A local SQS is in this process, the scaler in one of its own. README.md has the figures.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark reads the clock and may fail where it stands"
)]

use std::{
    fs,
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use sluice::{
    grpc::proto::{
        GetMetricsRequest, IsActiveResponse, ScaledObjectRef,
        external_scaler_client::ExternalScalerClient,
    },
    local::{Control, LocalServer},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};

type Client = ExternalScalerClient<Channel>;

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|name| !name.starts_with('-'))
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if is_wanted("wake") {
        wake().await;
    }
    if is_wanted("calls") {
        calls().await;
    }
    if is_wanted("idle") {
        idle(10_000, &[]).await;
        idle(
            10_000,
            &[
                "--push-interval-seconds=5",
                "--sqs-looks-per-second-max=10000",
            ],
        )
        .await;
    }
    if is_wanted("restart") {
        restart().await;
    }
}

/// A local SQS with so many queues.
struct Sqs {
    control: Control,
    endpoint: String,
    stop: CancellationToken,
}

impl Drop for Sqs {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn given_sqs(queues: usize) -> Sqs {
    let server = LocalServer::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .expect("a port");
    let (control, endpoint) = (server.control(), server.endpoint());
    let stop = CancellationToken::new();
    tokio::spawn(server.serve(stop.clone()));
    for number in 0..queues {
        control
            .create_queue(&name(number), &[])
            .expect("a valid name");
    }
    Sqs {
        control,
        endpoint,
        stop,
    }
}

fn name(number: usize) -> String {
    format!("orders-{number}")
}

impl Sqs {
    /// A trigger of object `object` for queue `number`.
    fn reference(&self, object: usize, number: usize) -> ScaledObjectRef {
        let metadata = [
            ("queueURL", name(number)),
            ("awsRegion", "eu-west-1".to_owned()),
            ("awsEndpoint", self.endpoint.clone()),
            ("awsAccessKeyIDFromEnv", "any".to_owned()),
            ("awsSecretAccessKeyFromEnv", "any".to_owned()),
        ];
        ScaledObjectRef {
            name: format!("worker-{object}"),
            namespace: "shop".to_owned(),
            scaler_metadata: metadata.map(|(key, value)| (key.to_owned(), value)).into(),
        }
    }
}

/// A scaler as a process.
struct Scaler {
    process: Child,
    address: SocketAddr,
}

async fn given_scaler(listen: &str, flags: &[&str]) -> Scaler {
    let mut process = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args([
            "serve",
            "--cloudwatch=off",
            "--http-listen=127.0.0.1:0",
            "--grpc-listen",
            listen,
        ])
        .args(flags)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary");
    let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let line = loop {
        let line = log
            .next_line()
            .await
            .expect("a log")
            .expect("a process that goes on");
        if line.contains("serving") {
            break line;
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    let (_, address) = line.split_once("grpc=").expect("an address");
    let address = address
        .split_whitespace()
        .next()
        .and_then(|text| text.parse().ok());
    Scaler {
        process,
        address: address.expect("an address"),
    }
}

impl Scaler {
    fn client(&self) -> Client {
        let endpoint =
            Endpoint::from_shared(format!("http://{}", self.address)).expect("an address");
        ExternalScalerClient::new(endpoint.connect_lazy())
    }

    /// Processor time so far: user and system, in ticks of 10 ms.
    fn cpu(&self) -> Duration {
        let id = self.process.id().expect("a process that runs");
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("Linux");
        let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
        let ticks = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap());
        Duration::from_millis(10 * ticks.sum::<u64>())
    }

    fn memory_kib(&self) -> u64 {
        let id = self.process.id().expect("a process that runs");
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("Linux");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("a size");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    async fn stop(mut self) {
        let id = i32::try_from(self.process.id().expect("a process that runs")).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
        self.process.wait().await.expect("an end");
    }
}

async fn open(mut client: Client, reference: ScaledObjectRef) -> Streaming<IsActiveResponse> {
    client
        .stream_is_active(reference)
        .await
        .expect("a stream")
        .into_inner()
}

/// Waits for this state.
async fn told(stream: &mut Streaming<IsActiveResponse>, is_active: bool) {
    while stream
        .message()
        .await
        .expect("OK")
        .expect("an open stream")
        .result
        != is_active
    {}
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = u32::try_from(sorted.len() - 1).unwrap();
    #[allow(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a small count"
    )]
    let index = (f64::from(last) * share).round() as usize;
    sorted[index]
}

fn show(what: &str, mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    let at = |share| quantile(&times, share).as_secs_f64();
    println!(
        "{what:<44} {:>4}  median {:>8.4} s  p90 {:>8.4} s  p99 {:>8.4} s  max {:>8.4} s",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    times
}

/// From `SendMessage` to `true` on the wire, side by side with polls of `IsActive`.
async fn wake() {
    const WAKE_UPS: usize = 200;
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
    assert!(
        quantile(&times, 0.5) <= Duration::from_secs(1),
        "the median"
    );
    assert!(
        quantile(&times, 0.99) <= Duration::from_millis(2_200),
        "the 99th percentile"
    );
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

/// Unary calls beside a thousand streams on the same connection.
async fn calls() {
    const STREAMS: usize = 1_000;
    const QUEUES: usize = 50;
    let (sqs, scaler) = (
        given_sqs(QUEUES).await,
        given_scaler("127.0.0.1:0", &[]).await,
    );
    let client = scaler.client();
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    call(&client, &sqs, 500).await;
    for _ in 0..5 {
        alone.extend(call(&client, &sqs, 1_000).await);
        let opened = Instant::now();
        let mut streams = Vec::new();
        for number in 0..STREAMS {
            streams.push(open(client.clone(), sqs.reference(number, number % QUEUES)).await);
        }
        for stream in &mut streams {
            told(stream, false).await;
        }
        let opened = opened.elapsed();
        sleep(Duration::from_secs(1)).await;
        beside.extend(call(&client, &sqs, 1_000).await);
        println!(
            "{STREAMS} streams opened and told in {:.2} s",
            opened.as_secs_f64()
        );
        drop(streams);
        sleep(Duration::from_secs(1)).await;
    }
    let alone = show("GetMetrics alone", alone);
    let beside = show("GetMetrics beside 1,000 streams", beside);
    let ratio = quantile(&beside, 0.99).as_secs_f64() / quantile(&alone, 0.99).as_secs_f64();
    println!("p99 beside / alone: {ratio:.2}");
}

/// Calls of `GetMetrics`, one after the other.
async fn call(client: &Client, sqs: &Sqs, times: usize) -> Vec<Duration> {
    let mut client = client.clone();
    let mut took = Vec::new();
    for number in 0..times {
        let request = GetMetricsRequest {
            scaled_object_ref: Some(sqs.reference(number % 50, number % 50)),
            metric_name: String::new(),
        };
        let asked = Instant::now();
        client.get_metrics(request).await.expect("an answer");
        took.push(asked.elapsed());
        sleep(Duration::from_millis(1)).await;
    }
    took
}

/// What it costs to watch queues that sleep, and how evenly they are asked.
async fn idle(queues: usize, flags: &[&str]) {
    const OVER: Duration = Duration::from_secs(20);
    let (sqs, scaler) = (
        given_sqs(queues).await,
        given_scaler("127.0.0.1:0", flags).await,
    );
    let client = scaler.client();
    let mut opening = JoinSet::new();
    let opened = Instant::now();
    for number in 0..queues {
        let (client, reference) = (client.clone(), sqs.reference(number, number));
        opening.spawn(async move {
            let mut stream = open(client, reference).await;
            told(&mut stream, false).await;
            stream
        });
    }
    let streams = opening.join_all().await;
    println!(
        "{queues} streams {flags:?}: opened and told in {:.1} s",
        opened.elapsed().as_secs_f64()
    );
    sleep(Duration::from_secs(15)).await;
    let asked = || sqs.control.requests("GetQueueAttributes");
    let (began, cpu, before) = (Instant::now(), scaler.cpu(), asked());
    let (mut bins, mut last) = (Vec::new(), before);
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    ticks.tick().await;
    while began.elapsed() < OVER {
        ticks.tick().await;
        let now = asked();
        bins.push(now - last);
        last = now;
    }
    let seconds = began.elapsed().as_secs_f64();
    let count = |number: u64| f64::from(u32::try_from(number).unwrap());
    let requests = count(last - before);
    let mean = requests / count(u64::try_from(bins.len()).unwrap());
    let most = count(bins.iter().copied().max().unwrap());
    println!(
        "{:.0} requests a second, one a queue each {:.1} s; per 100 ms: mean {mean:.0}, most {most:.0} ({:.2} times); {:.0} % of a core, {} MiB",
        requests / seconds,
        count(u64::try_from(queues).unwrap()) * seconds / requests,
        most / mean,
        scaler.cpu().saturating_sub(cpu).as_secs_f64() / seconds * 100.0,
        scaler.memory_kib() / 1024
    );
    drop(streams);
    scaler.stop().await;
}

/// A thousand streams when the scaler is replaced, with KEDA's pauses: 2 s after an end with OK, and
/// twice as long after each error.
async fn restart() {
    const STREAMS: usize = 1_000;
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
    assert!(
        quantile(&back, 1.0) <= Duration::from_secs(3),
        "all are back"
    );
    assert_eq!(ended_ok, STREAMS);
}
