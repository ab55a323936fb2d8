//! What is wrong with a queue: its place, its settings, its work.

use std::{path::Path, time::Duration};

use aws_sdk_sqs::config::{Credentials, Region};
use sluice::{
    clock::EpochClock,
    doctor::{Doctor, Severity},
    local::FaultAction,
    queue::{
        AwsConfig,
        cloudwatch::{CloudWatchEndpoint, CloudWatchSource},
    },
    scaling::Trigger,
};
use tokio::time::Instant;

use super::{Account, assert_found, given_account};
use crate::support::*;

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
