//! The status board over HTTP, as `sluice explain` and the page read it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use sluice::{
    grpc::proto::{GetMetricsRequest, external_scaler_client::ExternalScalerClient},
    http::StatusPage,
    local::FaultAction,
    queue::SqsSource,
    service::{Sensors, Service, ServiceSettings},
    status::{
        PolicyMode, QueueList, ScaledObjectList, ScaledObjectReport, TriggerReport, Trouble,
        WarningKind,
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// The page at `path`, as what it is documented to be.
async fn read<T: DeserializeOwned>(scaler: &Scaler, path: &str) -> T {
    let (status, body) = scaler.page(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error} in {body}"))
}

/// The one trigger of the object that the tests ask for.
pub(crate) async fn trigger(scaler: &Scaler) -> TriggerReport {
    let path = "/api/v1/scaledobjects/shop/worker";
    let mut object: ScaledObjectReport = read(scaler, path).await;
    assert_eq!(object.triggers.len(), 1);
    object.triggers.remove(0)
}

#[tokio::test]
async fn what_was_seen_and_decided_is_on_the_board() {
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings_without_cache()).await;
    sqs.report(200, 12, 0);
    let metadata = sqs.metadata(&[
        ("targetWaitSeconds", "60"),
        ("concurrency", "10"),
        ("mode", "shadow"),
        ("targetWaitSecond", "60"),
    ]);
    scaler.value(&metadata).await.unwrap();
    let trigger = trigger(&scaler).await;
    assert_eq!(trigger.queue.name, QUEUE);
    assert_eq!(trigger.policy.mode, PolicyMode::Shadow);
    assert_eq!(trigger.policy.target_wait_seconds, Some(60.0));
    let observation = trigger.observation.unwrap();
    assert_eq!(observation.visible_messages, Some(200));
    assert_eq!(observation.in_flight_messages, Some(12));
    assert_eq!(observation.visibility_timeout_seconds, Some(30));
    assert!(observation.age_seconds >= 0.0);
    let decision = trigger.decision.unwrap();
    assert_eq!(
        (decision.replicas, decision.plain.replicas),
        (Some(43.0), Some(43.0))
    );
    assert_eq!(decision.bound_by, "queue_length");
    assert!(decision.law_replicas.unwrap() < 43.0);
    assert!(
        decision
            .law_explanation
            .unwrap()
            .contains("a replica works on 10.0 at once")
    );
    assert!((trigger.estimate.unwrap().concurrency - 10.0).abs() < 0.1);
    assert_eq!(trigger.history.len(), 1);
    let kinds: Vec<WarningKind> = trigger
        .warnings
        .iter()
        .map(|warning| warning.kind)
        .collect();
    let expected = [
        WarningKind::Metadata,
        WarningKind::NoDeadLetters,
        WarningKind::CloudWatch,
    ];
    assert_eq!(kinds, expected);
    assert!(
        trigger.warnings[0]
            .text
            .contains("did you mean \"targetWaitSeconds\"?")
    );
}

#[tokio::test]
async fn a_queue_that_cannot_be_observed_is_shown_with_the_cause_until_it_can() {
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings_without_cache()).await;
    sqs.send(3);
    scaler.value(&sqs.metadata).await.unwrap();
    sqs.fault(FaultAction::AccessDenied);
    scaler.value(&sqs.metadata).await.unwrap_err();
    let dark = trigger(&scaler).await;
    assert_eq!(dark.trouble, Trouble::CannotObserve);
    assert!(dark.failure.unwrap().cause.contains("AccessDenied"));
    assert_eq!(dark.observation.unwrap().visible_messages, Some(3));
    sqs.control.clear_faults();
    scaler.value(&sqs.metadata).await.unwrap();
    let seen = trigger(&scaler).await;
    assert_eq!((seen.trouble, seen.failure), (Trouble::Working, None));
}

#[tokio::test]
async fn objects_and_queues_are_listed_and_what_was_not_understood_too() {
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings()).await;
    scaler.value(&sqs.metadata).await.unwrap();
    scaler
        .value(&sqs.metadata(&[("queueLength", "7")]))
        .await
        .unwrap();
    let objects: ScaledObjectList = read(&scaler, "/api/v1/scaledobjects").await;
    assert_eq!(objects.scaledobjects.len(), 1);
    assert_eq!(objects.scaledobjects[0].triggers.len(), 2);
    assert!(objects.scaledobjects[0].triggers[0].history.is_empty());
    assert_eq!((objects.left_out, objects.rejected.len()), (0, 0));
    let queues: QueueList = read(&scaler, "/api/v1/queues").await;
    assert_eq!(queues.queues.len(), 1);
    assert_eq!(queues.queues[0].scaledobjects, ["shop/worker"]);
    let observation = queues.queues[0].observation.as_ref().unwrap();
    assert_eq!(observation.visible_messages, Some(0));

    let wrong = sqs.metadata(&[("queueLength", "many")]);
    scaler.value(&wrong).await.unwrap_err();
    let objects: ScaledObjectList = read(&scaler, "/api/v1/scaledobjects").await;
    assert!(objects.rejected[0].error.contains("queueLength"));
}

#[tokio::test]
async fn an_object_that_never_asked_is_not_found() {
    let scaler = given_scaler(given_settings()).await;
    let (status, body) = scaler.page("/api/v1/scaledobjects/shop/absent").await;
    assert_eq!(status, 404);
    assert!(body.contains("shop/absent has not asked"), "{body}");
}

#[tokio::test]
async fn the_board_is_among_the_metrics_each_with_help_and_a_unit() {
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings_without_cache()).await;
    sqs.report(200, 12, 0);
    let law = [
        ("targetWaitSeconds", "60"),
        ("mode", "shadow"),
        ("quueLength", "1"),
    ];
    scaler.value(&sqs.metadata(&law)).await.unwrap();
    // The same object and queue with other metadata: two series of the same labels would be refused.
    scaler.value(&sqs.metadata).await.unwrap();
    scaler.value(&sqs.metadata(&law)).await.unwrap();
    let (_, page) = scaler.page("/metrics").await;
    let labels = r#"namespace="shop",scaledobject="worker",queue="orders",region="eu-west-1""#;
    for line in [
        format!("sluice_visible_messages{{{labels}}} 200.0\n"),
        format!("sluice_plain_replicas{{{labels}}} 43.0\n"),
        format!("sluice_target_wait_seconds{{{labels}}} 60.0\n"),
        format!("sluice_bound_by{{{labels},bound_by=\"queue_length\"}} 1\n"),
        format!("sluice_warning{{{labels},kind=\"metadata\"}} 1\n"),
        "sluice_decisions_total{bound_by=\"queue_length\"} 3\n".to_owned(),
        "sluice_triggers{trouble=\"warning\"} 1\n".to_owned(),
        "sluice_triggers_left_out 0\n".to_owned(),
    ] {
        assert_eq!(page.matches(&line).count(), 1, "{line:?} in\n{page}");
    }
    let families = page.lines().filter(|line| line.starts_with("# TYPE "));
    for family in families {
        let name = family.split(' ').nth(2).unwrap();
        assert!(page.contains(&format!("# HELP {name} ")), "{name}");
    }
}

#[tokio::test]
async fn who_accepts_openmetrics_gets_it_and_others_the_older_text() {
    let scaler = given_scaler(given_settings()).await;
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    let (_, modern) = http_get_as(scaler.http, "/metrics", accept).await.unwrap();
    assert!(modern.ends_with("# EOF\n"), "{modern}");
    assert!(modern.contains("# TYPE sluice_decisions counter\n"));
    let (_, older) = scaler.page("/metrics").await;
    assert!(older.contains("# TYPE sluice_decisions_total counter\n"));
    assert!(older.contains("# TYPE sluice_build_info gauge\n"));
    assert!(!older.contains("# EOF"));
}

/// Dashboards and alerts may ask for what is in this list, and it is what there is.
#[tokio::test]
async fn the_list_of_metrics_for_dashboards_is_what_is_exported() {
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings()).await;
    let law = sqs.metadata(&[("targetWaitSeconds", "60"), ("messageSeconds", "1")]);
    scaler.value(&law).await.unwrap();
    let (_, page) = scaler.page("/metrics").await;
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let exported: Vec<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    let list = include_str!("../../deploy/observability/metrics/sluice.txt");
    let listed: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    for name in &exported {
        assert!(listed.contains(name), "{name} is not in the list");
    }
    // What has nothing to tell yet is not on the page.
    let source = include_str!("../../src/metrics.rs");
    for name in listed.iter().filter(|name| !exported.contains(name)) {
        let short = name
            .trim_start_matches("sluice_")
            .trim_end_matches("_total")
            .trim_end_matches("_seconds");
        assert!(
            source.contains(&format!("\"{short}\"")),
            "nothing exports {name}"
        );
    }
}

#[tokio::test]
async fn the_page_and_the_api_can_be_switched_off() {
    for (status_page, expected) in [
        (StatusPage::On, [200, 200]),
        (StatusPage::Api, [404, 200]),
        (StatusPage::Off, [404, 404]),
    ] {
        let settings = ServiceSettings {
            status_page,
            ..given_settings()
        };
        let scaler = given_scaler(settings).await;
        let mut found = [0; 2];
        for (status, path) in found.iter_mut().zip(["/", "/api/v1/queues"]) {
            *status = scaler.page(path).await.0;
        }
        assert_eq!(found, expected, "{status_page:?}");
        assert_eq!(scaler.page("/healthz").await.0, 200);
    }
}

/// The first event of a reader, and what the server did with the connection when it stopped.
#[tokio::test]
async fn events_tell_the_rows_and_end_with_the_scaler() {
    let sqs = given_sqs().await;
    let source = SqsSource::from_environment(Duration::from_secs(5)).await;
    let service = Service::bind(given_settings(), Sensors::of_counts(source))
        .await
        .unwrap();
    let (grpc, http) = (
        service.grpc_address().unwrap(),
        service.http_address().unwrap(),
    );
    let stop = CancellationToken::new();
    let running = tokio::spawn(service.run(stop.clone()));
    let mut client = ExternalScalerClient::new(connect(grpc).await);
    let request = GetMetricsRequest {
        scaled_object_ref: Some(reference(&sqs.metadata)),
        metric_name: METRIC.to_owned(),
    };
    client.get_metrics(request).await.unwrap();
    let mut readers = Vec::new();
    for _ in 0..32 {
        let mut reader = TcpStream::connect(http).await.unwrap();
        reader
            .write_all(b"GET /events HTTP/1.1\r\nhost: sluice\r\n\r\n")
            .await
            .unwrap();
        let mut seen = vec![0; 4_096];
        let read = reader.read(&mut seen).await.unwrap();
        assert!(seen[..read].starts_with(b"HTTP/1.1 200"));
        readers.push(reader);
    }
    let (status, text) = http_get(http, "/events").await.unwrap();
    assert_eq!(
        (status, text.as_str()),
        (503, "32 pages are open already\n")
    );
    stop.cancel();
    running.await.unwrap().unwrap();
    let mut rest = String::new();
    readers[0].read_to_string(&mut rest).await.unwrap();
    assert_no_secret(rest);
}

#[tokio::test]
async fn dead_letters_are_told_once_they_were_looked_at() {
    let sqs = given_sqs().await;
    sqs.control.create_queue("orders-dlq", &[]).unwrap();
    let arn = "arn:aws:sqs:us-east-1:000000000000:orders-dlq";
    let redrive = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"4"}}"#);
    let url = sqs
        .control
        .create_queue("jobs", &[("RedrivePolicy", &redrive)])
        .unwrap();
    for _ in 0..3 {
        sqs.control.send("orders-dlq", "{}").unwrap();
    }
    let scaler = given_scaler(given_settings_without_cache()).await;
    let jobs = sqs.metadata(&[("queueURL", &url)]);
    let request = || GetMetricsRequest {
        scaled_object_ref: Some(reference(&jobs)),
        metric_name: String::new(),
    };
    for _ in 0..100 {
        scaler.client.clone().get_metrics(request()).await.unwrap();
        let trigger = trigger(&scaler).await;
        let observation = trigger.observation.unwrap();
        assert_eq!(observation.dead_letter_queue.as_deref(), Some("orders-dlq"));
        if observation.dead_letters == Some(3) {
            assert_eq!(trigger.warnings[0].kind, WarningKind::DeadLetters);
            assert_eq!(trigger.trouble, Trouble::Warning);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the dead letters were never told");
}
