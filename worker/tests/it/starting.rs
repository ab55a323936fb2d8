//! Settings and ports that end the worker before it asks SQS for anything.

use tokio::net::TcpListener;

use crate::scripted_sqs::{RECEIVE, ScriptedSqs};
use crate::worker::Worker;

#[tokio::test]
async fn wrong_settings_end_it_with_code_two_and_one_line_each() {
    let variables = [
        ("SQS_MAX_MESSAGES", "11"),
        ("SQS_WAIT_TIME_SECONDS", "21"),
        ("SQS_VISIBILITY_TIMEOUT", "43201"),
        ("HEALTH_HOST", ""),
        ("HEALTH_PORT", "65536"),
        ("RUST_LOG", "info,=loud="),
        ("SLUICE_WORKER_CONCURRENCY", "0"),
        ("SLUICE_WORKER_WORK_MILLISECONDS", "-5"),
        ("SLUICE_WORKER_DRAIN_SECONDS", "25s"),
        ("SLUICE_WORKER_DEADLINE_SECONDS", "0"),
        ("SLUICE_WORKER_RETRY_SECONDS_MAX", "43201"),
        ("SLUICE_WORKER_IDLE_SECONDS", "-1"),
        ("TOT_MSGS_TO_PROCESS", "all"),
        ("SLUICE_WORKER_HTTP_TIMEOUT_SECONDS", "0"),
        ("SLUICE_WORKER_HTTP_URL", "ftp://host"),
        ("SLUICE_WORKER_HANDLER", "http"),
        ("SLUICE_WORKER_LOG_FORMAT", "xml"),
        ("SLUICE_WORKER_COMMAND_TAKES", "some"),
        ("SLUICE_WORKER_DELETION_COST", "maybe"),
        ("SLUICE_WORKER_KUBERNETES_URL", "proxy"),
        ("POD_NAMESPACE", "Shop/.."),
        ("COUNTER_KILL_URL", "kill"),
    ];
    let ended = Worker::start_bare(&variables).end().await;
    assert_eq!(ended.code, Some(2));
    let mut named: Vec<_> = ended
        .stderr
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    named.sort_unstable();
    let names = variables.iter().map(|(name, _)| *name);
    let mut expected: Vec<_> = names
        .filter(|name| *name != "SLUICE_WORKER_HANDLER")
        .collect();
    expected.push("SQS_QUEUE_URL");
    expected.sort_unstable();
    assert_eq!(named, expected);
    let line = r#"SQS_WAIT_TIME_SECONDS: expected a whole number from 0 to 20, found "21""#;
    assert!(
        ended.stderr.iter().any(|found| found == line),
        "{:?}",
        ended.stderr
    );
}

type Variables = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn every_mode_tells_its_faults_in_the_same_way() {
    let queue = ("SQS_QUEUE_URL", "http://127.0.0.1:1/123456789012/orders");
    let table: [(&str, Variables, &str); 4] = [
        (
            "produce",
            &[
                ("SLUICE_WORKER_SHAPE", "round"),
                ("TOT_MSGS_TO_PRODUCE", "100000001"),
                ("WAIT_SECS_BETWEEN_MSGS", "86401"),
                ("SLUICE_WORKER_RATE", "100001"),
                ("SLUICE_WORKER_BAD_PERCENT", "101"),
                ("SLUICE_WORKER_DUPLICATE_PERCENT", "-1"),
                ("SLUICE_WORKER_SEED", "x"),
                ("TRIGGER_RANDOM_FAILURES", "perhaps"),
            ],
            r#"SLUICE_WORKER_SHAPE: expected one of events, numbered, hello, uuid, found "round""#,
        ),
        (
            "analyze",
            &[("HEALTH_HOST", ""), ("HEALTH_PORT", "65536")],
            r#"HEALTH_PORT: expected a whole number from 0 to 65535, found "65536""#,
        ),
        (
            "redrive",
            &[("SQS_QUEUE_URL", "orders")],
            r#"SQS_QUEUE_URL: expected the URL of a queue, as https://sqs.<region>.amazonaws.com/<account>/<name>, found "orders""#,
        ),
        (
            "send",
            &[
                ("SLUICE_WORKER_AUTHENTICATION", "oauth"),
                ("SLUICE_WORKER_USER", "a:b"),
                ("SLUICE_WORKER_PASSWORD", "short"),
                ("SLUICE_WORKER_AUTOSCALER", "a/b"),
            ],
            "SLUICE_WORKER_PASSWORD: expected 12 letters or more, or SLUICE_WORKER_AUTHENTICATION none, found 5",
        ),
    ];
    for (mode, variables, line) in table {
        let mut all = vec![queue];
        all.extend(variables);
        let ended = Worker::mode(&[mode], "", &all).end().await;
        assert_eq!(ended.code, Some(2), "{mode}: {:?}", ended.stderr);
        let named = ended
            .stderr
            .iter()
            .map(|line| line.split(':').next().unwrap());
        let mut named: Vec<_> = named.collect();
        let mut expected: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
        named.sort_unstable();
        expected.sort_unstable();
        assert_eq!(named, expected, "{mode}");
        assert!(
            ended.stderr.iter().any(|found| found == line),
            "{:?}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn a_handler_without_what_it_needs_says_what_that_is() {
    let queue = ("SQS_QUEUE_URL", "http://127.0.0.1:1/123456789012/orders");
    let table = [
        ("command", "SLUICE_WORKER_COMMAND: expected a program"),
        (
            "http",
            "SLUICE_WORKER_HTTP_URL: expected an http or https URL",
        ),
        ("s3", "STORE_EVENTS_BKT: expected the name of a bucket"),
    ];
    for (handler, expected) in table {
        let variables = [queue, ("SLUICE_WORKER_HANDLER", handler)];
        let ended = Worker::start_bare(&variables).end().await;
        assert_eq!((ended.code, ended.stderr.len()), (Some(2), 1));
        assert!(ended.stderr[0].starts_with(expected), "{:?}", ended.stderr);
    }
}

#[tokio::test]
async fn a_health_port_in_use_is_fatal_before_anything_is_received() {
    let sqs = ScriptedSqs::start().await;
    let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = Worker::start(&sqs, &[("HEALTH_PORT", &port)]).end().await;
    assert_eq!(ended.code, Some(1));
    let expected = format!(
        "cannot bind the health server to HEALTH_HOST \"127.0.0.1\" and HEALTH_PORT {port}: "
    );
    assert!(
        ended.stderr.last().unwrap().starts_with(&expected),
        "{:?}",
        ended.stderr
    );
    assert!(sqs.requests(RECEIVE).is_empty());
}
