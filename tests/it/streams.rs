//! The streams of an `external-push` trigger.

use std::time::Duration;

use sluice::{
    cache::CacheSettings,
    grpc::proto::{IsActiveResponse, ScaledObjectRef},
    local::{FaultAction, FaultRule},
    service::ServiceSettings,
    status::{ScaledObjectReport, Trouble},
};
use tokio::time::{Instant, timeout};
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
    given_stream_of(scaler, reference(&sqs.metadata)).await
}

async fn given_stream_of(scaler: &Scaler, request: ScaledObjectRef) -> Streaming<IsActiveResponse> {
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
    sqs.fault(FaultAction::ServerError(500));
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
    let (opened_at, mut streams) = (Instant::now(), Vec::new());
    for object in 0..500 {
        let request = reference_of(object, &sqs.metadata);
        let mut stream = given_stream_of(&scaler, request).await;
        assert_says(&mut stream, false).await;
        streams.push(stream);
    }
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 0);
    let (_, page) = scaler.page("/metrics").await;
    assert!(
        page.contains("sluice_open_streams{method=\"StreamIsActive\"} 500"),
        "{page}"
    );
    // One watcher looks for all of them, ten times a second here, and sooner once, at the start.
    let looks_max = opened_at.elapsed().as_millis() / 100 + 2;
    assert!(
        u128::from(sqs.asked()) <= looks_max,
        "{} requests, at most {looks_max} expected",
        sqs.asked()
    );
    assert!(page.contains("sluice_watched_queues 1\n"), "{page}");
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

#[tokio::test]
async fn a_lone_message_is_looked_at_twice_before_it_wakes() {
    let (sqs, scaler) = (given_sqs().await, given_eager_scaler().await);
    let mut stream = given_stream(&scaler, &sqs).await;
    assert_says(&mut stream, false).await;
    // One phantom at one look, of a queue that is looked at every 100 ms.
    sqs.control.set_fault(
        FaultRule::on(
            "GetQueueAttributes",
            FaultAction::AttributeValue {
                name: "ApproximateNumberOfMessages".to_owned(),
                value: "1".to_owned(),
            },
        )
        .times(1),
    );
    assert_quiet(&mut stream).await;
    sqs.send(1);
    assert_says(&mut stream, true).await;
}

#[tokio::test]
async fn streams_end_with_ok_when_their_connection_retires_and_the_client_comes_back() {
    let sqs = given_sqs().await;
    let scaler = given_scaler(ServiceSettings {
        connection_age: Some(Duration::from_secs(1)),
        ..given_settings()
    })
    .await;
    sqs.send(1);
    for _ in 0..3 {
        let opened_at = Instant::now();
        let mut stream = given_stream(&scaler, &sqs).await;
        let mut said = Vec::new();
        let end = timeout(PATIENCE, async {
            while let Some(message) = stream.message().await.expect("OK, not an error") {
                said.push(message.result);
            }
        });
        end.await.expect("an end in time");
        assert_eq!(said.last(), Some(&true));
        // A connection that had retired before would have ended it at once.
        let lasted = opened_at.elapsed();
        assert!(lasted > Duration::from_millis(800), "{lasted:?}");
        // The same client finds a new connection for its next call.
        assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_workload_is_kept_warm_for_polls_and_new_streams_alike() {
    let (sqs, scaler) = (given_sqs().await, given_eager_scaler().await);
    let kept = sqs.metadata(&[("emptyConfirmSeconds", "1"), ("keepWarmSeconds", "2")]);
    sqs.report(5, 0, 0);
    assert!(scaler.is_active(&kept).await.unwrap());
    sqs.report(0, 0, 0);
    let emptied = Instant::now();
    assert!(
        !scaler.is_active(&sqs.metadata).await.unwrap(),
        "without the keys"
    );
    while scaler.is_active(&kept).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let kept_for = emptied.elapsed();
    assert!(
        kept_for > Duration::from_millis(1_800) && kept_for < Duration::from_secs(4),
        "{kept_for:?}"
    );
}

/// The one trigger, as soon as the board says this of it.
async fn assert_shown(scaler: &Scaler, expected: Trouble) -> ScaledObjectReport {
    let shown = async {
        loop {
            let (_, page) = scaler.page("/api/v1/scaledobjects/shop/worker").await;
            let object: ScaledObjectReport = serde_json::from_str(&page).unwrap();
            if object.triggers[0].trouble == expected {
                return object;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, shown).await.expect("it is shown in time")
}

#[tokio::test]
async fn a_failure_that_only_a_stream_sees_is_on_the_board_until_the_queue_can_be_read() {
    let (sqs, scaler) = (given_sqs().await, given_eager_scaler().await);
    let mut stream = given_stream(&scaler, &sqs).await;
    assert_says(&mut stream, false).await;
    assert_shown(&scaler, Trouble::Idle).await;
    sqs.fault(FaultAction::AccessDenied);
    let dark = assert_shown(&scaler, Trouble::CannotObserve).await;
    let failure = dark.triggers[0].failure.as_ref().unwrap();
    assert!(failure.cause.contains("AccessDenied"), "{failure:?}");
    sqs.control.clear_faults();
    assert_shown(&scaler, Trouble::Idle).await;
}
