//! What is wrong between the scaler and AWS: permissions, credentials, the clock, the network.

use sluice::{
    doctor::Severity,
    local::{FaultAction, FaultRule},
};

use super::{Account, assert_found, given_account, report_of};
use crate::support::*;

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
    let (report, code) = report_of(command).await;
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
async fn aws_that_cannot_be_reached_is_found() {
    let account = given_account().await;
    let mut command = account.command(&["--queue", &account.queue]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let (report, code) = report_of(command).await;
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
