//! SQS down, slow, throttling, talking nonsense: answered in time, from the cache while that is
//! knowledge, and then as an error that names queue and cause. Never 0, never false.

use std::time::Duration;

use sluice::{cache::CacheSettings, local::FaultAction};
use tokio::{task::JoinSet, time::Instant};
use tonic::Code;

use crate::support::*;

/// Answers within the deadline of an RPC, which is 1 s, on a busy machine.
const IN_TIME: Duration = Duration::from_millis(1_500);

async fn assert_unavailable(scaler: &Scaler, sqs: &Sqs, cause: &str) {
    for _ in 0..2 {
        let started = Instant::now();
        assert_status(
            scaler.value(&sqs.metadata).await,
            Code::Unavailable,
            &[QUEUE, cause],
        );
        assert_status(
            scaler.is_active(&sqs.metadata).await,
            Code::Unavailable,
            &[QUEUE, cause],
        );
        assert!(started.elapsed() < 2 * IN_TIME, "{:?}", started.elapsed());
    }
    assert!(
        scaler.spec(&sqs.metadata).await.is_ok(),
        "the spec needs no SQS"
    );
}

#[tokio::test]
async fn every_kind_of_outage_is_an_error_that_names_queue_and_cause() {
    let outages = [
        (FaultAction::Throttle, "Throttl"),
        (FaultAction::ServerError(500), "500"),
        (FaultAction::ServerError(503), "503"),
        (FaultAction::Garbage, "no answer"),
        (FaultAction::DropConnection, "cannot be reached"),
        (FaultAction::Hang, "has not answered"),
    ];
    for (action, cause) in outages {
        let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
        sqs.fault(action.clone());
        assert_unavailable(&scaler, &sqs, cause).await;
    }
}

#[tokio::test]
async fn an_sqs_that_is_down_is_an_error() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let nobody = tokio::net::TcpListener::bind(LOOPBACK)
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let down = sqs.metadata(&[("awsEndpoint", &format!("http://{nobody}"))]);
    assert_status(
        scaler.value(&down).await,
        Code::Unavailable,
        &["cannot be reached", QUEUE],
    );
    assert_status(
        scaler.is_active(&down).await,
        Code::Unavailable,
        &["cannot be reached"],
    );
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_not_found() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let absent = sqs.metadata(&[("queueURL", "http://h/000000000000/absent")]);
    assert_status(
        scaler.is_active(&absent).await,
        Code::NotFound,
        &["absent", "does not exist"],
    );
}

#[tokio::test]
async fn the_last_good_answer_covers_a_short_outage_and_no_longer() {
    let cache = CacheSettings {
        ttl: Duration::from_millis(50),
        staleness_bound: Duration::from_secs(2),
        failure_memory: Duration::from_millis(50),
        ..CacheSettings::default()
    };
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings_with(cache)).await;
    sqs.report(40, 0, 0);
    let seen = Instant::now();
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 40);
    sqs.control.clear_faults();
    sqs.fault(FaultAction::ServerError(500));
    // Poll as KEDA does until the answer is an error; it must come, and not before its time.
    let status = loop {
        match scaler.value(&sqs.metadata).await {
            Ok(value) => assert_eq!(value, 40),
            Err(status) => break status,
        }
        assert!(
            seen.elapsed() < Duration::from_secs(20),
            "stale knowledge must become an error"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(seen.elapsed() >= cache.staleness_bound);
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_poll_whose_value_is_unknown_is_not_active_by_what_an_earlier_one_knew() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    sqs.report(4, 0, 0);
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 4);
    sqs.control.clear_faults();
    sqs.fault(FaultAction::ServerError(500));
    assert_status(
        scaler.value(&sqs.metadata).await,
        Code::Unavailable,
        &["500"],
    );
    assert_status(
        scaler.is_active(&sqs.metadata).await,
        Code::Unavailable,
        &["500"],
    );
}

#[tokio::test]
async fn a_slow_sqs_is_answered_from_the_last_good_answer_in_time() {
    let cache = CacheSettings {
        ttl: Duration::ZERO,
        ..CacheSettings::default()
    };
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings_with(cache)).await;
    sqs.report(7, 0, 0);
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 7);
    sqs.fault(FaultAction::Latency(Duration::from_secs(3)));
    let started = Instant::now();
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 7);
    assert!(started.elapsed() < IN_TIME, "{:?}", started.elapsed());
}

#[tokio::test]
async fn sixty_four_askers_after_expiry_are_one_request() {
    let cache = CacheSettings {
        ttl: Duration::from_millis(300),
        ..CacheSettings::default()
    };
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings_with(cache)).await;
    sqs.report(7, 0, 0);
    scaler.value(&sqs.metadata).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let before = sqs.asked();
    // Slow enough that all of them find the request under way.
    sqs.fault(FaultAction::Latency(Duration::from_secs(1)));
    let mut askers = JoinSet::new();
    for _ in 0..64 {
        let (client, metadata) = (scaler.client.clone(), sqs.metadata.clone());
        askers.spawn(async move {
            let request = sluice::grpc::proto::GetMetricsRequest {
                scaled_object_ref: Some(reference(&metadata)),
                metric_name: METRIC.to_owned(),
            };
            client.clone().get_metrics(request).await
        });
    }
    for answer in askers.join_all().await {
        assert_eq!(
            answer.unwrap().into_inner().metric_values[0].metric_value,
            7
        );
    }
    assert_eq!(sqs.asked() - before, 1);
}

#[tokio::test]
async fn a_failing_queue_is_not_asked_in_a_storm() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    sqs.fault(FaultAction::ServerError(500));
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        assert!(scaler.is_active(&sqs.metadata).await.is_err());
    }
    // One fetch is at most two attempts, and its failure is remembered for a second.
    assert!(sqs.asked() <= 4, "{} requests", sqs.asked());
}

/// An SQS that gives everybody this one answer.
async fn given_answer(status: u16, body: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let status = http::StatusCode::from_u16(status).unwrap();
    let answer = axum::Router::new().fallback(move || async move { (status, body) });
    tokio::spawn(async move { axum::serve(listener, answer).await });
    endpoint
}

#[tokio::test]
async fn a_missing_permission_is_an_error_in_the_words_of_aws() {
    let body = r#"{"__type":"com.amazon.coral.service#AccessDeniedException",
        "Message":"User: arn:aws:sts::1:role/x is not authorized to perform: sqs:getqueueattributes"}"#;
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let refused = sqs.metadata(&[("awsEndpoint", &given_answer(403, body).await)]);
    let parts = [
        "403 AccessDenied",
        "not authorized to perform: sqs:getqueueattributes",
    ];
    assert_status(scaler.value(&refused).await, Code::Unavailable, &parts);
}

#[tokio::test]
async fn an_answer_without_attributes_is_an_error_not_zero() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let empty = sqs.metadata(&[("awsEndpoint", &given_answer(200, "{}").await)]);
    let missing = "metric ApproximateNumberOfMessages not found in SQS queue attributes";
    assert_status(scaler.value(&empty).await, Code::Unavailable, &[missing]);
    assert_status(
        scaler.is_active(&empty).await,
        Code::Unavailable,
        &[missing],
    );
}
