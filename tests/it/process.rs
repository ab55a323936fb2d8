//! The binary as a process: signals, exit codes, and what it prints.

use std::{fmt::Write, net::SocketAddr, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use sluice::grpc::proto::external_scaler_client::ExternalScalerClient;
use tokio::{
    process::{Child, Command},
    time::{Instant, timeout},
};

use crate::{planted::log::Log, support::*};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Process {
    child: Child,
    log: Log,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
}

pub(crate) async fn given_process(arguments: &[&str]) -> Process {
    given_process_in(&[], arguments).await
}

/// A process for triggers of stand-ins on this machine, with these variables in its environment.
pub(crate) async fn given_process_in(variables: &[(&str, &str)], arguments: &[&str]) -> Process {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluice"))
        // The more is said, the more is looked at for secrets.
        .env("SLUICE_LOG", "trace")
        .envs(variables.iter().copied())
        .args([
            "serve",
            "--grpc-listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
            "--loopback-endpoints",
        ])
        .args(arguments)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary");
    let pipe = child.stderr.take().expect("a pipe").into_owned_fd();
    let (line, log) = Log::with_line(pipe.expect("a pipe"), "serving").await;
    let (grpc, http) = (address(&line, "grpc"), address(&line, "http"));
    Process {
        child,
        log,
        grpc,
        http,
    }
}

fn address(line: &str, key: &str) -> SocketAddr {
    let (_, after) = line.split_once(key).expect("an address in the line");
    // `grpc=ADDRESS` as text, `"grpc":"ADDRESS"` as JSON.
    let text = after.trim_start_matches(['=', '"', ':']);
    let end = text.find([' ', '"', '\n']).unwrap_or(text.len());
    text[..end].parse().expect("an address")
}

impl Process {
    pub(crate) async fn scaler(&self) -> Scaler {
        scaler_at(self.grpc, self.http).await
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().expect("a running process")).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .expect("an end")
            .unwrap();
        (status.code(), self.log.whole())
    }
}

#[tokio::test]
async fn sigterm_ends_a_hundred_streams_with_ok_and_the_process_within_two_seconds() {
    let (sqs, process) = (given_sqs().await, given_process(&[]).await);
    let mut client = ExternalScalerClient::new(connect(process.grpc).await);
    let mut streams = Vec::new();
    for object in 0..100 {
        let request = reference_of(object, &sqs.metadata);
        let mut stream = client.stream_is_active(request).await.unwrap().into_inner();
        assert!(!stream.message().await.unwrap().expect("the state").result);
        streams.push(stream);
    }
    let started = Instant::now();
    process.signal(Signal::TERM);
    for mut stream in streams {
        let end = timeout(PATIENCE, stream.message()).await.expect("an end");
        assert!(end.expect("OK, not an error").is_none());
    }
    let (code, log) = process.ended().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_decision_that_changes_is_a_line_in_the_log_and_a_poll_that_changes_nothing_is_none() {
    for format in ["text", "json"] {
        let sqs = given_sqs().await;
        let arguments = ["--cache-ttl-seconds", "0", "--log-format", format];
        let process = given_process(&arguments).await;
        let mut client = ExternalScalerClient::new(connect(process.grpc).await);
        for visible in [12, 12, 11, 12, 0, 0] {
            sqs.report(visible, 0, 0);
            let request = sluice::grpc::proto::GetMetricsRequest {
                scaled_object_ref: Some(reference(&sqs.metadata)),
                metric_name: METRIC.to_owned(),
            };
            client.get_metrics(request).await.unwrap();
            client.is_active(reference(&sqs.metadata)).await.unwrap();
        }
        process.signal(Signal::TERM);
        let (_, log) = process.ended().await;
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("bound_by"))
            .collect();
        assert_eq!(lines.len(), 2, "{log}");
        assert!(lines[0].contains("3 replicas at queueLength 5"), "{log}");
        assert!(lines[1].contains("the queue is empty"), "{log}");
        if format == "json" {
            let line: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
            let told = [
                "namespace",
                "name",
                "visible",
                "replicas",
                "bound_by",
                "active",
            ];
            let told: Vec<String> = told.iter().map(|key| line[key].to_string()).collect();
            let expected = [
                "\"shop\"",
                "\"worker\"",
                "12",
                "3.0",
                "\"queue_length\"",
                "true",
            ];
            assert_eq!(told, expected, "{}", lines[0]);
        }
    }
}

#[tokio::test]
async fn a_draining_process_is_not_ready_and_finishes_the_call_under_way() {
    let (sqs, process) = (given_sqs().await, given_process(&[]).await);
    assert_eq!(http_get(process.http, "/readyz").await.unwrap().0, 200);
    sqs.report(4, 0, 0);
    sqs.fault(sluice::local::FaultAction::Latency(Duration::from_millis(
        600,
    )));
    let client = ExternalScalerClient::new(connect(process.grpc).await);
    let request = reference(&sqs.metadata);
    let call = tokio::spawn(async move { client.clone().is_active(request).await });
    while sqs.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.signal(Signal::TERM);
    let not_ready = async {
        while http_get(process.http, "/readyz")
            .await
            .is_ok_and(|(status, _)| status != 503)
        {}
    };
    timeout(PATIENCE, not_ready)
        .await
        .expect("503 while draining");
    assert!(
        call.await
            .unwrap()
            .expect("the call is finished")
            .into_inner()
            .result
    );
    assert_eq!(process.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_call_that_outlasts_the_drain_deadline_is_cut_off_and_the_exit_says_so() {
    let sqs = given_sqs().await;
    let process = given_process(&[
        "--drain-deadline-seconds",
        "0.2",
        "--rpc-deadline-seconds",
        "10",
    ])
    .await;
    sqs.fault(sluice::local::FaultAction::Hang);
    let client = ExternalScalerClient::new(connect(process.grpc).await);
    let request = reference(&sqs.metadata);
    let call = tokio::spawn(async move { client.clone().is_active(request).await });
    while sqs.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.signal(Signal::TERM);
    let (code, log) = process.ended().await;
    assert_eq!(code, Some(1));
    assert!(log.contains("calls were cut off"), "{log}");
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn sigint_stops_as_sigterm_does() {
    let process = given_process(&[]).await;
    process.signal(Signal::INT);
    assert_eq!(process.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_secret_from_the_metadata_is_in_no_output() {
    let (sqs, process) = (given_sqs().await, given_process(&["--log", "trace"]).await);
    let mut client = ExternalScalerClient::new(connect(process.grpc).await);
    let mut outputs = String::new();
    sqs.fault(sluice::local::FaultAction::ServerError(500));
    for changes in [&[][..], &[("queueLenght", "1")], &[("queueLength", "a")]] {
        let request = reference(&sqs.metadata(changes));
        write!(outputs, "{:?}", client.is_active(request).await).unwrap();
    }
    outputs += &http_get(process.http, "/metrics").await.unwrap().1;
    process.signal(Signal::TERM);
    let (_, log) = process.ended().await;
    assert!(
        log.contains("did you mean \\\"queueLength\\\"")
            || log.contains("did you mean \"queueLength\""),
        "{log}"
    );
    assert_no_secret(outputs);
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_with_its_address() {
    let taken = tokio::net::TcpListener::bind(LOOPBACK).await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args([
            "serve",
            "--grpc-listen",
            &address,
            "--http-listen",
            "127.0.0.1:0",
        ])
        .output()
        .await
        .map(looked_at)
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        log.contains(&format!("cannot listen on {address} for gRPC")),
        "{log}"
    );
}

#[tokio::test]
async fn a_wrong_setting_is_said_with_its_range() {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .arg("serve")
        .env("SLUICE_CACHE_TTL_SECONDS", "soon")
        .output()
        .await
        .map(looked_at)
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        log.contains("--cache-ttl-seconds") && log.contains("from 0 to 300"),
        "{log}"
    );
}

/// Against a CloudWatch that the environment names; it knows nothing of the queue.
#[tokio::test]
async fn a_queue_without_a_past_is_said_and_nothing_is_written() {
    let sqs = given_sqs().await;
    let file = std::env::temp_dir().join(format!("sluice-no-past-{}.csv", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["simulate", "--from-cloudwatch", QUEUE, "--days", "2"])
        .arg("--save")
        .arg(&file)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ENDPOINT_URL", &sqs.metadata["awsEndpoint"])
        .env("AWS_ACCESS_KEY_ID", "AKIALOCAL")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .output()
        .await
        .map(looked_at)
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(
        log.contains("no message sent to a queue \"orders\""),
        "{log}"
    );
    assert!(log.contains("in eu-west-1 in the last 2 days"), "{log}");
    assert_eq!(sqs.control.requests("GetMetricData"), 1);
    assert!(!file.exists());
}
