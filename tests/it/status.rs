//! The status board over HTTP, as `sluice explain` and the page read it.

use serde::de::DeserializeOwned;
use sluice::{
    local::FaultAction,
    status::{
        PolicyMode, QueueList, ScaledObjectList, ScaledObjectReport, TriggerReport, Trouble,
        WarningKind,
    },
};

use crate::support::*;

/// The page at `path`, as what it is documented to be.
async fn read<T: DeserializeOwned>(scaler: &Scaler, path: &str) -> T {
    let (status, body) = scaler.page(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    assert!(!body.contains(SECRET), "a secret is on {path}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error} in {body}"))
}

/// The one trigger of the object that the tests ask for.
async fn trigger(scaler: &Scaler) -> TriggerReport {
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
    assert!((trigger.estimate.unwrap().concurrency - 10.0).abs() < 0.1);
    assert_eq!(trigger.history.len(), 1);
    let kinds: Vec<WarningKind> = trigger
        .warnings
        .iter()
        .map(|warning| warning.kind)
        .collect();
    assert_eq!(kinds, [WarningKind::Metadata, WarningKind::CloudWatch]);
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
    assert!(!page.contains(SECRET));
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
