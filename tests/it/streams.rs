//! The streams of an `external-push` trigger.

use std::time::Duration;

use sluice::{cache::CacheSettings, grpc::proto::IsActiveResponse, service::ServiceSettings};
use tokio::time::timeout;
use tonic::Streaming;

use crate::support::*;

/// Longer than any answer takes here, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for several looks at the queue.
const QUIET: Duration = Duration::from_millis(800);

async fn given_eager_scaler() -> Scaler {
    let cache = CacheSettings {
        ttl: Duration::ZERO,
        ..CacheSettings::default()
    };
    given_scaler(ServiceSettings {
        cache,
        ..given_settings()
    })
    .await
}

async fn given_stream(scaler: &Scaler, sqs: &Sqs) -> Streaming<IsActiveResponse> {
    let request = reference(&sqs.metadata);
    scaler
        .client
        .clone()
        .stream_is_active(request)
        .await
        .unwrap()
        .into_inner()
}

async fn assert_says(stream: &mut Streaming<IsActiveResponse>, expected: bool) {
    let message = timeout(PATIENCE, stream.message())
        .await
        .expect("a message in time");
    assert_eq!(message.unwrap().expect("an open stream").result, expected);
}

async fn assert_quiet(stream: &mut Streaming<IsActiveResponse>) {
    let message = timeout(QUIET, stream.message()).await;
    assert!(message.is_err(), "nothing should be said, but: {message:?}");
}

#[tokio::test]
async fn the_state_is_said_at_once_and_then_only_edges_to_work() {
    let (sqs, scaler) = (given_sqs().await, given_eager_scaler().await);
    let mut stream = given_stream(&scaler, &sqs).await;
    assert_says(&mut stream, false).await;
    assert_quiet(&mut stream).await;
    sqs.report(3, 0, 0);
    assert_says(&mut stream, true).await;
    assert_quiet(&mut stream).await;
    sqs.report(0, 0, 0);
    // Two seconds after the edge it would have been repeated, had it held.
    assert!(
        timeout(Duration::from_secs(3), stream.message())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_outage_says_nothing() {
    let (sqs, scaler) = (given_sqs().await, given_eager_scaler().await);
    sqs.fault(sluice::local::FaultAction::ServerError(500));
    let mut stream = given_stream(&scaler, &sqs).await;
    assert_quiet(&mut stream).await;
    sqs.report(1, 0, 0);
    assert_says(&mut stream, true).await;
}

#[tokio::test]
async fn the_specs_are_streamed_once_and_equal_the_unary_ones() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let request = reference(&sqs.metadata);
    let mut client = scaler.client.clone();
    let mut stream = client
        .stream_metric_spec(request.clone())
        .await
        .unwrap()
        .into_inner();
    let streamed = timeout(PATIENCE, stream.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let unary = client.get_metric_spec(request).await.unwrap().into_inner();
    assert_eq!(streamed, unary);
    assert!(timeout(QUIET, stream.message()).await.is_err());
}

#[tokio::test]
async fn five_hundred_streams_and_unary_calls_share_one_connection() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let mut streams = Vec::new();
    for _ in 0..500 {
        let mut stream = given_stream(&scaler, &sqs).await;
        assert_says(&mut stream, false).await;
        streams.push(stream);
    }
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 0);
    let (_, page) = scaler.page("/metrics").await;
    assert!(
        page.contains("sluice_open_streams{method=\"StreamIsActive\"} 500"),
        "{page}"
    );
    // All of them look at the queue through one cache.
    assert!(sqs.asked() < 20, "{} requests", sqs.asked());
}

#[tokio::test]
async fn a_client_that_leaves_closes_its_stream() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let mut stream = given_stream(&scaler, &sqs).await;
    assert_says(&mut stream, false).await;
    drop(stream);
    let closed = "sluice_open_streams{method=\"StreamIsActive\"} 0";
    for _ in 0..100 {
        if scaler.page("/metrics").await.1.contains(closed) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the stream is still counted as open");
}
