//! `sluice doctor` against a local AWS with each fault planted: it finds the fault and names the remedy.

use std::{path::Path, process::Output, time::Duration};

use aws_sdk_sqs::config::{Credentials, Region};
use axum::{Router, routing::get};
use sluice::{
    clock::EpochClock,
    doctor::{Doctor, Report, Severity},
    local::{Control, FaultAction, FaultRule, LocalServer},
    queue::{
        AwsConfig,
        cloudwatch::{CloudWatchEndpoint, CloudWatchSource},
    },
    scaling::Trigger,
    tls::{TlsFeed, TlsSettings},
};
use tokio::{
    process::Command,
    time::{Instant, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::*;

/// A local AWS with one queue that nothing is wrong with.
struct Account {
    control: Control,
    endpoint: String,
    queue: String,
    _stop: DropGuard,
}

async fn given_account() -> Account {
    let server = LocalServer::bind(LOOPBACK).await.expect("a free port");
    let (control, endpoint) = (server.control(), server.endpoint());
    control.create_queue("orders-dead", &[]).expect("a name");
    let redrive = "{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:orders-dead\",\"maxReceiveCount\":5}";
    let attributes = [
        ("ReceiveMessageWaitTimeSeconds", "20"),
        ("RedrivePolicy", redrive),
    ];
    let queue = control.create_queue(QUEUE, &attributes).expect("a name");
    let stop = CancellationToken::new();
    tokio::spawn(server.serve(stop.clone()));
    Account {
        control,
        endpoint,
        queue,
        _stop: stop.drop_guard(),
    }
}

impl Account {
    fn fault(&self, operation: &str, action: FaultAction) {
        self.control.set_fault(FaultRule::on(operation, action));
    }

    fn fault_of_queue(queue: &str, action: FaultAction) -> FaultRule {
        let queue = Some(queue.to_owned());
        FaultRule {
            queue,
            ..FaultRule::on("GetQueueAttributes", action)
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command
            .args(["doctor", "--json", "--watch-seconds", "0.2"])
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIALOCAL")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env_remove("KUBERNETES_SERVICE_HOST");
        command
    }

    async fn doctor(&self, arguments: &[&str]) -> (Report, Option<i32>) {
        report(&self.command(arguments).output().await.expect("the binary"))
    }

    async fn of_queue(&self) -> (Report, Option<i32>) {
        self.doctor(&["--queue", &self.queue]).await
    }
}

fn report(output: &Output) -> (Report, Option<i32>) {
    let log = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout);
    (report.expect(&log), output.status.code())
}

#[track_caller]
fn assert_found(report: &Report, check: &str, severity: Severity, remedy: &str) {
    let found = report.findings.iter().any(|finding| {
        let says = finding.remedy.as_deref().unwrap_or_default();
        finding.check == check && finding.severity == severity && says.contains(remedy)
    });
    assert!(
        found,
        "no {severity:?} of {check} that says {remedy:?}:\n{report}"
    );
}

#[tokio::test]
async fn where_nothing_is_wrong_nothing_is_found() {
    let account = given_account().await;
    let (report, code) = account.of_queue().await;
    assert_eq!(
        (report.problems, report.warnings, code),
        (0, 0, Some(0)),
        "{report}"
    );
    for check in [
        "credentials",
        "clock",
        "queue",
        "cloudwatch",
        "long-polling",
        "dead-letters",
    ] {
        assert_found(&report, check, Severity::Ok, "");
    }
    assert_eq!(account.control.requests("ReceiveMessage"), 0);
}

#[tokio::test]
async fn permissions_that_are_missing_are_found_by_trying() {
    let account = given_account().await;
    account.fault("GetCallerIdentity", FaultAction::AccessDenied);
    account.fault("GetMetricData", FaultAction::AccessDenied);
    account
        .control
        .set_fault(Account::fault_of_queue(QUEUE, FaultAction::AccessDenied));
    let (report, code) = account.of_queue().await;
    assert_eq!(code, Some(1));
    assert_found(&report, "credentials", Severity::Problem, "aws sso login");
    assert_found(
        &report,
        "queue",
        Severity::Problem,
        "\"Action\": \"sqs:GetQueueAttributes\"",
    );
    assert_found(
        &report,
        "cloudwatch",
        Severity::Warning,
        "cloudwatch:GetMetricData",
    );

    account.control.clear_faults();
    account.control.set_fault(Account::fault_of_queue(
        "orders-dead",
        FaultAction::AccessDenied,
    ));
    let (report, code) = account.of_queue().await;
    assert_eq!(code, Some(0));
    let arn = "arn:aws:sqs:eu-west-1:000000000000:orders-dead";
    assert_found(&report, "dead-letters", Severity::Unknown, arn);
}

#[tokio::test]
async fn credentials_that_are_not_there_are_told_from_those_that_are_refused() {
    let account = given_account().await;
    let mut command = account.command(&["--queue", &account.queue]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("AWS_CONFIG_FILE", "/nonexistent");
    let (report, code) = report(&command.output().await.expect("the binary"));
    assert_eq!(code, Some(1));
    assert_found(
        &report,
        "credentials",
        Severity::Problem,
        "eks.amazonaws.com/role-arn",
    );
    assert_found(
        &report,
        "queue",
        Severity::Problem,
        "finding about credentials",
    );
    assert_found(&report, "clock", Severity::Unknown, "");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_found() {
    let account = given_account().await;
    for (skew, severity) in [(400, Severity::Problem), (-60, Severity::Warning)] {
        account.control.clear_faults();
        account
            .control
            .set_fault(FaultRule::always(FaultAction::ClockSkew(skew)));
        let (report, _) = account.of_queue().await;
        assert_found(&report, "clock", severity, "NTP");
    }
}

#[tokio::test]
async fn a_queue_that_is_not_there_or_elsewhere_is_found() {
    let account = given_account().await;
    let nothing = account.queue.replace(QUEUE, "nothing");
    let (report, code) = account.doctor(&["--queue", &nothing]).await;
    assert_eq!(code, Some(1));
    assert_found(
        &report,
        "queue",
        Severity::Problem,
        "aws sqs get-queue-url --queue-name nothing",
    );

    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doctor-region.yaml");
    let text = "kind: ScaledObject\nspec:\n  triggers:\n    - type: aws-sqs-queue\n      metadata:\n        queueURL: \
                https://sqs.us-east-1.amazonaws.com/000000000000/orders\n        awsRegion: eu-west-1\n";
    std::fs::write(&path, text).expect("a file");
    let (report, _) = account.doctor(&[path.to_str().unwrap()]).await;
    assert_found(
        &report,
        "region",
        Severity::Problem,
        "set awsRegion to us-east-1",
    );
}

#[tokio::test]
async fn a_queue_that_is_set_badly_is_found() {
    let account = given_account().await;
    let plain = account.control.create_queue("plain", &[]).expect("a name");
    let (report, code) = account.doctor(&["--queue", &plain]).await;
    assert_eq!((report.warnings, code), (2, Some(0)), "{report}");
    assert_found(&report, "dead-letters", Severity::Warning, "RedrivePolicy=");
    assert_found(
        &report,
        "long-polling",
        Severity::Warning,
        "ReceiveMessageWaitTimeSeconds=20",
    );
}

#[tokio::test]
async fn dead_letters_that_grow_are_found_by_two_looks() {
    let account = given_account().await;
    for _ in 0..3 {
        account.control.send("orders-dead", "{}").expect("a queue");
    }
    let (report, _) = account.of_queue().await;
    assert_found(
        &report,
        "dead-letters",
        Severity::Warning,
        "sluice-worker redrive",
    );
    // The first look finds none yet.
    let rule = Account::fault_of_queue("orders-dead", FaultAction::ZeroCounts);
    account.control.set_fault(rule.times(1));
    let (report, code) = account.of_queue().await;
    assert_eq!(code, Some(1));
    assert_found(
        &report,
        "dead-letters",
        Severity::Problem,
        "mend the consumer",
    );
}

/// Thirty messages are in flight for a minute and more, with a timeout of 30 s.
#[tokio::test]
async fn work_that_outlasts_the_visibility_timeout_is_found_by_what_cloudwatch_measures() {
    let account = given_account().await;
    let keys = Credentials::new("AKIALOCAL", SECRET, None, None, "a test");
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version_latest()
        .region(Region::new("eu-west-1"))
        .credentials_provider(keys)
        .endpoint_url(&account.endpoint)
        .build();
    let client = aws_sdk_sqs::Client::from_conf(config);
    let mut handles = Vec::new();
    for _ in 0..30 {
        account.control.send(QUEUE, "{}").expect("a queue");
    }
    for _ in 0..3 {
        let receive = client.receive_message().queue_url(&account.queue);
        let answer = receive
            .max_number_of_messages(10)
            .visibility_timeout(600)
            .send()
            .await;
        let messages = answer.expect("messages").messages.unwrap_or_default();
        handles.extend(
            messages
                .into_iter()
                .filter_map(|message| message.receipt_handle),
        );
    }
    assert_eq!(handles.len(), 30);
    account.control.set_metric_delay(Duration::ZERO);
    account.control.advance_clock(Duration::from_mins(3));
    for handle in handles {
        let delete = client.delete_message().queue_url(&account.queue);
        delete
            .receipt_handle(handle)
            .send()
            .await
            .expect("a deletion");
    }
    account.control.advance_clock(Duration::from_mins(2));

    let aws = AwsConfig::from_environment().await;
    let minutes = CloudWatchSource::new(aws.clone(), CloudWatchEndpoint::Trigger);
    let clock = EpochClock::anchored(Instant::now(), account.control.now());
    let metadata = pairs(&[
        ("queueURL", &account.queue),
        ("awsRegion", "eu-west-1"),
        ("awsEndpoint", &account.endpoint),
        ("awsAccessKeyID", "AKIALOCAL"),
        ("awsSecretAccessKeyFromEnv", SECRET),
    ]);
    let queue = Trigger::parse(&metadata).expect("good metadata").queue;
    let findings = Doctor::new(aws, Some(minutes), clock)
        .examine_queue(queue)
        .await;
    let found = findings
        .iter()
        .find(|finding| finding.check == "visibility-timeout");
    let found = found.expect("a finding");
    assert_eq!(found.severity, Severity::Warning, "{found}");
    assert!(found.to_string().contains("VisibilityTimeout="), "{found}");
}

#[tokio::test]
async fn aws_that_cannot_be_reached_is_found() {
    let account = given_account().await;
    let mut command = account.command(&["--queue", &account.queue]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let (report, code) = report(&command.output().await.expect("the binary"));
    assert_eq!(code, Some(1));
    assert_found(
        &report,
        "queue",
        Severity::Problem,
        "allow egress to sqs.eu-west-1.amazonaws.com:443",
    );
    assert_found(
        &report,
        "credentials",
        Severity::Warning,
        "com.amazonaws.<region>.sts",
    );
    assert_found(
        &report,
        "cloudwatch",
        Severity::Warning,
        "monitoring.<region>.amazonaws.com:443",
    );
}

#[tokio::test]
async fn a_server_is_asked_whether_keda_calls_it_and_how_it_is_answered() {
    let (account, sqs) = (given_account().await, given_sqs().await);
    let scaler = given_scaler(given_settings()).await;
    let server = format!("http://{}", scaler.http);
    let (report, code) = account.doctor(&["--server", &server]).await;
    assert_eq!(code, Some(1));
    assert_found(&report, "server", Severity::Ok, "");
    assert_found(
        &report,
        "keda-connection",
        Severity::Problem,
        "scalerAddress",
    );
    assert_found(&report, "keda-version", Severity::Unknown, "--keda-metrics");
    assert_found(&report, "certificate", Severity::Unknown, "NetworkPolicy");

    scaler.value(&sqs.metadata).await.expect("a value");
    sqs.fault(FaultAction::AccessDenied);
    let (report, _) = account.doctor(&["--server", &server]).await;
    assert_found(&report, "keda-connection", Severity::Ok, "");
    // Its queue was looked at as well, by the address that the trigger has.
    assert_found(
        &report,
        "queue",
        Severity::Problem,
        "sqs:GetQueueAttributes",
    );

    let (report, _) = account.doctor(&["--server", "http://127.0.0.1:1"]).await;
    assert_found(&report, "server", Severity::Problem, "port-forward");
}

#[tokio::test]
async fn kedas_own_metrics_tell_its_version() {
    let account = given_account().await;
    let page = "keda_build_info{goversion=\"go1.24\",version=\"2.16.1\"} 1\n";
    let listener = tokio::net::TcpListener::bind(LOOPBACK)
        .await
        .expect("a free port");
    let keda = format!("http://{}", listener.local_addr().expect("an address"));
    let routes = Router::new().route("/metrics", get(move || async move { page }));
    // It ends with the runtime of this test.
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let arguments = ["--queue", &account.queue, "--keda-metrics", &keda];
    let (report, _) = account.doctor(&arguments).await;
    assert_found(
        &report,
        "keda-version",
        Severity::Warning,
        "upgrade KEDA to 2.20",
    );
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_found() {
    let account = given_account().await;
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/certificates/expired.pem"
    );
    let (report, code) = account
        .doctor(&["--queue", &account.queue, "--certificate", file])
        .await;
    assert_eq!(code, Some(1));
    assert_found(&report, "certificate", Severity::Problem, "renew it");
}

#[tokio::test]
async fn the_certificate_that_a_server_speaks_with_is_looked_at() {
    let account = given_account().await;
    let mut params = rcgen::CertificateParams::new(vec!["sluice.keda.svc".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let settings = TlsSettings {
        certificate: folder.join("doctor.crt"),
        key: folder.join("doctor.key"),
        client_ca: None,
        client_names: Vec::new(),
    };
    std::fs::write(&settings.certificate, certificate.pem()).expect("a file");
    std::fs::write(&settings.key, key.serialize_pem()).expect("a file");
    let (_, http) = given_secured_scaler(TlsFeed::load(settings).expect("a pair")).await;
    // The server tells when its certificate ends once it has looked at it.
    let told = async {
        loop {
            let page = http_get(http, "/metrics").await.expect("a page").1;
            let expiry = "sluice_tls_certificate_expiry_timestamp_seconds";
            if page.lines().any(|line| line.starts_with(expiry)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), told)
        .await
        .expect("an expiry");
    let server = format!("http://{http}");
    let (report, _) = account.doctor(&["--server", &server]).await;
    assert_found(&report, "certificate", Severity::Ok, "");
}

#[tokio::test]
async fn what_cannot_be_done_ends_with_2_and_findings_are_words_too() {
    let account = given_account().await;
    for arguments in [
        &[][..],
        &["none.yaml"],
        &["--queue", "https://h/"],
        &["--watch-seconds=0"],
    ] {
        let output = account
            .command(arguments)
            .output()
            .await
            .expect("the binary");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    let plain = account.control.create_queue("plain", &[]).expect("a name");
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args([
            "doctor",
            "--watch-seconds=0.1",
            "--region=eu-west-1",
            "--queue",
            &plain,
        ])
        .env("AWS_ENDPOINT_URL", &account.endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIALOCAL")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .output()
        .await
        .expect("the binary");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("warning  "), "{text}");
    assert!(text.contains("\nok       clock: right\n"), "{text}");
    assert!(text.contains("warning  long-polling plain: off: ReceiveMessageWaitTimeSeconds is 0\n         -> unless"), "{text}");
    assert!(
        text.ends_with("\n0 problems, 2 warnings, 5 others\n"),
        "{text}"
    );
}
