//! Defaults, the range of every variable, and the text of every fault.

use std::time::Duration;

use super::*;
use crate::settings::{
    ConsumeSettings, EndSettings, HealthSettings, LogFormat, LogSettings, Settings,
};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";

fn given(flags: &[&str]) -> Result<Settings, Faults> {
    let typed = ["sluice-worker", "--sqs-queue-url", URL]
        .into_iter()
        .chain(flags.iter().copied());
    Arguments::try_parse_from(typed).unwrap().check()
}

fn assert_refused(flag: &str, value: &str, line: &str) {
    let faults = given(&[&format!("{flag}={value}")]).unwrap_err();
    assert_eq!(faults.to_string(), line);
}

#[test]
fn the_defaults_are_those_of_the_worker_it_replaces() {
    let settings = given(&["--rust-log=info", "--aws-region="]).unwrap();
    assert_eq!(settings.queue.url, URL);
    assert_eq!(settings.queue.region, None);
    assert_eq!(settings.queue.visibility_timeout, Duration::from_secs(30));
    assert_eq!(settings.consume.messages_per_receive_max, 10);
    assert_eq!(settings.consume.wait, Duration::from_secs(20));
    assert_eq!(
        settings.health,
        HealthSettings {
            host: "0.0.0.0".into(),
            port: 8080
        }
    );
    assert_eq!(
        settings.log,
        LogSettings {
            filter: "info".into(),
            format: LogFormat::Text
        }
    );
}

#[test]
fn one_full_receive_is_handled_at_once_and_may_finish_within_a_pods_grace() {
    let settings = given(&[]).unwrap();
    assert_eq!(settings.consume, ConsumeSettings::default());
    assert_eq!(settings.work, Duration::ZERO);
}

#[test]
fn every_number_is_accepted_at_both_ends_of_its_range_and_refused_beyond() {
    let table = [
        ("--sqs-max-messages", "SQS_MAX_MESSAGES", 1, 10),
        ("--sqs-wait-time-seconds", "SQS_WAIT_TIME_SECONDS", 0, 20),
        (
            "--sqs-visibility-timeout",
            "SQS_VISIBILITY_TIMEOUT",
            0,
            43_200,
        ),
        ("--health-port", "HEALTH_PORT", 0, 65_535),
        ("--concurrency", "SLUICE_WORKER_CONCURRENCY", 1, 1_000),
        (
            "--work-milliseconds",
            "SLUICE_WORKER_WORK_MILLISECONDS",
            0,
            43_200_000,
        ),
        ("--drain-seconds", "SLUICE_WORKER_DRAIN_SECONDS", 0, 43_200),
        ("--idle-seconds", "SLUICE_WORKER_IDLE_SECONDS", 0, 43_200),
        (
            "--tot-msgs-to-process",
            "TOT_MSGS_TO_PROCESS",
            0,
            1_000_000_000,
        ),
        (
            "--http-timeout-seconds",
            "SLUICE_WORKER_HTTP_TIMEOUT_SECONDS",
            1,
            3_600,
        ),
        ("--max-msgs-per-batch", "MAX_MSGS_PER_BATCH", 1, 10),
        ("--msg-process-delay", "MSG_PROCESS_DELAY", 0, 43_200),
        ("--process-sleep-time", "PROCESS_SLEEP_TIME", 0, 43_200),
        (
            "--deadline-seconds",
            "SLUICE_WORKER_DEADLINE_SECONDS",
            1,
            43_200,
        ),
        (
            "--retry-seconds-max",
            "SLUICE_WORKER_RETRY_SECONDS_MAX",
            0,
            43_200,
        ),
    ];
    for (flag, variable, min, max) in table {
        for allowed in [min, max] {
            given(&[&format!("{flag}={allowed}")]).unwrap();
        }
        for refused in [
            (min - 1).to_string(),
            (max + 1).to_string(),
            String::new(),
            "ten".into(),
        ] {
            let line = format!(
                "{variable}: expected a whole number from {min} to {max}, found {refused:?}"
            );
            assert_refused(flag, &refused, &line);
        }
    }
}

#[test]
fn a_queue_url_needs_scheme_host_and_name() {
    let wanted = "the URL of a queue, as https://sqs.<region>.amazonaws.com/<account>/<name>";
    for wrong in [
        "orders",
        "https://",
        "https:///orders",
        "https://host/",
        "ftp://host/orders",
    ] {
        let line = format!("SQS_QUEUE_URL: expected {wanted}, found {wrong:?}");
        assert_refused("--sqs-queue-url", wrong, &line);
    }
    assert_refused(
        "--sqs-queue-url",
        "",
        &format!("SQS_QUEUE_URL: expected {wanted}, found nothing"),
    );
    given(&["--sqs-queue-url=http://127.0.0.1:5101/123456789012/orders.fifo"]).unwrap();
}

#[test]
fn a_job_ends_after_one_message_unless_it_is_told_otherwise() {
    let end = |flags: &[&str]| {
        let typed = ["sluice-worker", "--sqs-queue-url", URL];
        let typed = typed.into_iter().chain(flags.iter().copied());
        let arguments = Arguments::try_parse_from(typed).unwrap();
        arguments.check_once().unwrap().consume.end
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let as_it_is = EndSettings {
        messages_max: Some(1),
        idle: seconds(30),
    };
    assert_eq!(end(&[]), as_it_is);
    let told = EndSettings {
        messages_max: Some(5),
        idle: seconds(9),
    };
    assert_eq!(end(&["--tot-msgs-to-process=5", "--idle-seconds=9"]), told);
}

#[test]
fn a_variable_of_our_own_wins_over_that_of_another_worker() {
    let settings = given(&["--sqs-max-messages=3", "--max-msgs-per-batch=7"]).unwrap();
    assert_eq!(settings.consume.messages_per_receive_max, 3);
    let settings = given(&["--msg-process-delay=2"]).unwrap();
    assert_eq!(settings.work, Duration::from_secs(2));
}

#[test]
fn an_empty_host_and_a_broken_log_filter_are_refused() {
    assert_refused(
        "--health-host",
        "",
        "HEALTH_HOST: expected an address or host name, found nothing",
    );
    assert_refused(
        "--rust-log",
        "info,=loud=",
        "RUST_LOG: expected a level or filter directives such as info,sluice_worker=debug, found \"info,=loud=\"",
    );
}

#[test]
fn all_faults_are_told_at_once_one_line_each() {
    let faults = given(&["--sqs-max-messages=11", "--health-port=http"]).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "SQS_MAX_MESSAGES: expected a whole number from 1 to 10, found \"11\"\n\
         HEALTH_PORT: expected a whole number from 0 to 65535, found \"http\""
    );
}

#[test]
fn the_command_line_is_consistent() {
    use clap::CommandFactory as _;
    Arguments::command().debug_assert();
}
