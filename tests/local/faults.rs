//! Every fault as the SDK sees it.

use std::time::Duration;

use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_queue_attributes::GetQueueAttributesError,
    types::{SendMessageBatchRequestEntry, SendMessageBatchResultEntry},
};
use sluice::local::{FaultAction, FaultRule};
use tokio::time::{Instant, timeout};

use crate::support::{Running, counts, given_a_server};

const ATTRIBUTES: &str = "GetQueueAttributes";

/// A server with three messages in one queue and a fault for its attributes.
async fn given_a_fault(action: FaultAction) -> (Running, String) {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    for _ in 0..3 {
        server.send_hello(&url).await;
    }
    server.control.set_fault(FaultRule::on(ATTRIBUTES, action));
    (server, url)
}

async fn refused(server: &Running, url: &str) -> SdkError<GetQueueAttributesError, HttpResponse> {
    let request = server.sqs.get_queue_attributes().queue_url(url);
    request.send().await.unwrap_err()
}

async fn error_code(server: &Running, url: &str) -> (Option<String>, u16) {
    let error = refused(server, url).await;
    let status = error
        .raw_response()
        .map_or(0, |response| response.status().as_u16());
    (error.code().map(str::to_owned), status)
}

#[tokio::test]
async fn throttling_is_what_the_sdk_calls_throttling() {
    let (server, url) = given_a_fault(FaultAction::Throttle).await;
    assert_eq!(
        error_code(&server, &url).await,
        (Some("ThrottlingException".to_owned()), 400)
    );
    server.control.clear_faults();
    assert_eq!(counts(&server.sqs, &url).await, ["3", "0", "0"]);
}

#[tokio::test]
async fn a_server_error_has_the_status_asked_for() {
    for status in [500, 503] {
        let (server, url) = given_a_fault(FaultAction::ServerError(status)).await;
        assert_eq!(
            error_code(&server, &url).await,
            (Some("InternalFailure".to_owned()), status)
        );
    }
}

#[tokio::test]
async fn a_rule_for_one_request_ends_after_it() {
    let (server, url) = given_a_fault(FaultAction::Latency(Duration::ZERO)).await;
    server.control.clear_faults();
    server
        .control
        .set_fault(FaultRule::on(ATTRIBUTES, FaultAction::Throttle).times(1));
    assert_eq!(error_code(&server, &url).await.1, 400);
    assert_eq!(counts(&server.sqs, &url).await, ["3", "0", "0"]);
}

#[tokio::test]
async fn latency_delays_a_true_answer() {
    let (server, url) = given_a_fault(FaultAction::Latency(Duration::from_millis(300))).await;
    let started = Instant::now();
    assert_eq!(counts(&server.sqs, &url).await, ["3", "0", "0"]);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_hanging_request_has_no_answer_until_shutdown() {
    let (server, url) = given_a_fault(FaultAction::Hang).await;
    let mut hanging = Box::pin(server.sqs.get_queue_attributes().queue_url(&url).send());
    assert!(
        timeout(Duration::from_millis(300), &mut hanging)
            .await
            .is_err()
    );
    server.shutdown.cancel();
    assert!(
        timeout(Duration::from_secs(10), hanging)
            .await
            .unwrap()
            .is_err()
    );
    server.assert_ends().await;
}

#[tokio::test]
async fn garbage_is_no_answer_that_the_sdk_can_read() {
    let (server, url) = given_a_fault(FaultAction::Garbage).await;
    let error = refused(&server, &url).await;
    assert_eq!(
        error
            .raw_response()
            .map(|response| response.status().as_u16()),
        Some(200)
    );
    assert_eq!(error.code(), None, "{error:?}");
}

#[tokio::test]
async fn a_dropped_connection_is_no_answer() {
    let (server, url) = given_a_fault(FaultAction::DropConnection).await;
    let error = refused(&server, &url).await;
    assert!(error.as_service_error().is_none(), "{error:?}");
}

#[tokio::test]
async fn a_missing_attribute_is_missing() {
    let missing = FaultAction::MissingAttribute("ApproximateNumberOfMessagesDelayed".to_owned());
    let (server, url) = given_a_fault(missing).await;
    assert_eq!(counts(&server.sqs, &url).await, ["3", "0", "-"]);
}

#[tokio::test]
async fn an_attribute_can_be_given_any_value() {
    let (name, value) = (
        "ApproximateNumberOfMessages".to_owned(),
        "NotInt".to_owned(),
    );
    let (server, url) = given_a_fault(FaultAction::AttributeValue { name, value }).await;
    assert_eq!(counts(&server.sqs, &url).await, ["NotInt", "0", "0"]);
}

#[tokio::test]
async fn stale_counts_stay_while_the_queue_changes() {
    let (server, url) = given_a_fault(FaultAction::StaleCounts).await;
    assert_eq!(counts(&server.sqs, &url).await, ["3", "0", "0"]);
    server.receive(&url).await;
    assert_eq!(counts(&server.sqs, &url).await, ["3", "0", "0"]);
    server.control.clear_faults();
    assert_eq!(counts(&server.sqs, &url).await, ["2", "1", "0"]);
}

#[tokio::test]
async fn zero_counts_hide_every_message() {
    let (server, url) = given_a_fault(FaultAction::ZeroCounts).await;
    assert_eq!(counts(&server.sqs, &url).await, ["0", "0", "0"]);
    assert_eq!(server.control.queue("orders").unwrap().visible, 3);
}

#[tokio::test]
async fn a_batch_can_fail_in_part() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    server
        .control
        .set_fault(FaultRule::always(FaultAction::PartialBatchFailure));
    let mut request = server.sqs.send_message_batch().queue_url(&url);
    for id in ["a", "b", "c"] {
        let entry = SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(id)
            .build();
        request = request.entries(entry.unwrap());
    }
    let answer = request.send().await.unwrap();
    assert_eq!(
        answer
            .successful()
            .iter()
            .map(SendMessageBatchResultEntry::id)
            .collect::<Vec<_>>(),
        ["b"]
    );
    let failed = answer
        .failed()
        .iter()
        .map(|entry| (entry.id(), entry.sender_fault()));
    assert_eq!(failed.collect::<Vec<_>>(), [("a", false), ("c", false)]);
    assert_eq!(server.control.queue("orders").unwrap().visible, 1);
}
