//! `sluice doctor` against a local AWS with each fault planted: it finds the fault and names the remedy.

mod account;
mod queues;
mod server;

use sluice::{
    doctor::{Report, Severity},
    local::{Control, FaultAction, FaultRule, LocalServer},
};
use tokio::process::Command;
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
        report_of(self.command(arguments)).await
    }

    async fn of_queue(&self) -> (Report, Option<i32>) {
        self.doctor(&["--queue", &self.queue]).await
    }
}

async fn report_of(mut command: Command) -> (Report, Option<i32>) {
    let output = command.output().await.map(looked_at).expect("the binary");
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
            .map(looked_at)
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
        .map(looked_at)
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
