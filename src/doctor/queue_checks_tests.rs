//! Each fault of a queue is found, and its remedy named.

use super::*;
use crate::{doctor::Severity, scaling::QueueSettings};

fn given_queue() -> QueueRef {
    QueueRef::given("https://sqs.eu-west-1.amazonaws.com/123456789012/orders")
}

fn given_details(timeout_seconds: u64, wait_seconds: u64) -> QueueDetails {
    QueueDetails {
        observation: Observation {
            visible: Ok(3),
            in_flight: Ok(2),
            delayed: Ok(0),
            settings: QueueSettings {
                visibility_timeout: Some(Duration::from_secs(timeout_seconds)),
                ..QueueSettings::default()
            },
        },
        long_polling: Some(Duration::from_secs(wait_seconds)),
    }
}

fn refusal(code: &str) -> ObserveError {
    ObserveError::Refused {
        status: 403,
        code: code.to_owned(),
        message: "no".to_owned(),
    }
}

fn remedy(finding: &Finding) -> &str {
    finding.remedy.as_deref().unwrap_or_default()
}

#[test]
fn why_a_queue_cannot_be_read_is_told_with_what_to_do() {
    let errors = [
        (
            ObserveError::NoSuchQueue {
                code: "c".to_owned(),
                message: "m".to_owned(),
            },
            "aws sqs get-queue-url --queue-name orders --region eu-west-1",
        ),
        (
            refusal("AccessDenied"),
            "arn:aws:sqs:eu-west-1:123456789012:orders",
        ),
        (refusal("ThrottlingException"), "--cache-ttl-seconds"),
        (refusal("SignatureDoesNotMatch"), "clock and credentials"),
        (refusal("Other"), "try again"),
        (
            ObserveError::Unreachable {
                cause: "dns error".to_owned(),
            },
            "allow egress to sqs.eu-west-1.amazonaws.com:443",
        ),
        (
            ObserveError::Unreachable {
                cause: "no providers in chain provided credentials".to_owned(),
            },
            "finding about credentials",
        ),
    ];
    for (error, part) in errors {
        let finding = reading(&given_queue(), &Err(error));
        assert_eq!(finding.severity, Severity::Problem);
        assert!(remedy(&finding).contains(part), "{finding}");
    }
    let finding = reading(&given_queue(), &Ok(given_details(30, 20)));
    assert_eq!(
        finding.found,
        "it can be read: 3 visible, 2 in flight, 0 delayed"
    );
}

#[test]
fn a_queue_of_another_region_is_told() {
    assert_eq!(region(&given_queue(), Some("eu-west-1")), None);
    assert_eq!(region(&given_queue(), None), None);
    let finding = region(&given_queue(), Some("us-east-1")).unwrap();
    assert_eq!(remedy(&finding), "set awsRegion to us-east-1");
}

#[test]
fn work_that_outlasts_its_timeout_is_worse_when_messages_come_again() {
    let work = |seconds, receives| Work {
        seconds,
        told_by: "measured",
        receives,
    };
    for (work, severity) in [
        (None, Severity::Unknown),
        (Some(work(30.0, None)), Severity::Ok),
        (Some(work(31.0, Some(1.1))), Severity::Warning),
        (Some(work(31.0, Some(1.9))), Severity::Problem),
    ] {
        let found = settings(&given_queue(), &given_details(30, 20), work.as_ref());
        assert_eq!(found[0].severity, severity, "{work:?}");
        if severity < Severity::Unknown {
            assert!(
                remedy(&found[0]).contains("VisibilityTimeout=186"),
                "{}",
                found[0]
            );
        }
    }
}

#[test]
fn a_queue_without_long_polling_is_told() {
    let found = settings(&given_queue(), &given_details(30, 0), None);
    assert_eq!(found[1].severity, Severity::Warning);
    assert!(
        remedy(&found[1]).contains("ReceiveMessageWaitTimeSeconds=20"),
        "{}",
        found[1]
    );
    assert_eq!(
        settings(&given_queue(), &given_details(30, 20), None)[1].severity,
        Severity::Ok
    );
}

#[test]
fn dead_letters_that_grow_are_worse_than_those_that_lie_there() {
    let seen = |first, second| DeadLetters {
        queue: given_queue(),
        first,
        second,
        between: Duration::from_secs(10),
    };
    let missing = || ObserveError::NoSuchQueue {
        code: "c".to_owned(),
        message: "m".to_owned(),
    };
    for (seen, severity, part) in [
        (seen(Ok(0), Ok(0)), Severity::Ok, "none"),
        (seen(Ok(4), Ok(4)), Severity::Warning, "4 in orders"),
        (
            seen(Ok(4), Ok(7)),
            Severity::Problem,
            "3 more in orders within 10 s (4, then 7)",
        ),
        (
            seen(Err(refusal("AccessDenied")), Ok(0)),
            Severity::Unknown,
            "cannot be read",
        ),
        (
            seen(Ok(0), Err(missing())),
            Severity::Problem,
            "cannot be read",
        ),
    ] {
        let finding = dead_letters(&seen);
        assert_eq!(finding.severity, severity, "{finding}");
        assert!(finding.found.contains(part), "{finding}");
        assert_eq!(finding.remedy.is_none(), severity == Severity::Ok);
    }
}

#[test]
fn work_is_measured_by_little() {
    let minute = |in_flight, deleted, received| Minute {
        in_flight: Some(in_flight),
        deleted: Some(deleted),
        received: Some(received),
        ..Minute::default()
    };
    let found = work(&[
        minute(20.0, 30.0, 60.0),
        Minute::default(),
        minute(10.0, 30.0, 60.0),
    ]);
    let Work {
        seconds, receives, ..
    } = found.unwrap();
    assert!(
        (seconds - 30.0).abs() < 1e-9 && receives == Some(2.0),
        "{seconds} {receives:?}"
    );
    assert_eq!(work(&[minute(20.0, 19.0, 19.0)]), None);
}
