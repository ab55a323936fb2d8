//! The settings of a queue, which come with its counts.

use std::time::Duration;

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use sluice::{
    queue::{QueueSource, SqsSource},
    scaling::{Observation, QueueRef, QueueSettings},
};
use tokio::{net::TcpListener, sync::mpsc};

use super::{FETCH, given_queue};
use crate::support::*;

async fn observed(queue: &QueueRef) -> Observation {
    let source = SqsSource::from_environment(FETCH).await;
    source.observe(queue).await.expect("an answer")
}

#[tokio::test]
async fn the_settings_of_a_queue_come_with_its_counts_in_one_request() {
    let sqs = given_sqs().await;
    let dead = "arn:aws:sqs:us-east-1:000000000000:dead.fifo";
    let redrive = format!(r#"{{"deadLetterTargetArn":"{dead}","maxReceiveCount":"4"}}"#);
    let fifo = ("FifoQueue", "true");
    sqs.control.create_queue("dead.fifo", &[fifo]).unwrap();
    let set = [
        fifo,
        ("VisibilityTimeout", "45"),
        ("DelaySeconds", "7"),
        ("MessageRetentionPeriod", "3600"),
        ("RedrivePolicy", &redrive),
    ];
    let url = sqs.control.create_queue("jobs.fifo", &set).unwrap();
    let observation = observed(&given_queue(&url, &sqs.metadata["awsEndpoint"])).await;
    let expected = QueueSettings {
        visibility_timeout: Some(Duration::from_secs(45)),
        receives_max: Some(4),
        dead_letters: Some(dead.into()),
        is_fifo: Some(true),
        delay: Some(Duration::from_secs(7)),
        retention: Some(Duration::from_hours(1)),
    };
    assert_eq!(observation.settings, expected);
    assert_eq!((observation.visible, sqs.asked()), (Ok(0), 1));
}

/// A stand-in for SQS that knows the names of counts alone, as some do; tells what it is asked for.
async fn given_a_server_that_knows_only_counts() -> (String, mpsc::UnboundedReceiver<usize>) {
    async fn answer(
        State(asked): State<mpsc::UnboundedSender<usize>>,
        body: Bytes,
    ) -> (StatusCode, String) {
        let request: Value = serde_json::from_slice(&body).unwrap();
        let names = request["AttributeNames"].as_array().unwrap();
        asked.send(names.len()).unwrap();
        let is_count = |name: &Value| name.as_str().unwrap().starts_with("Approximate");
        if !names.iter().all(is_count) {
            let kind = "com.amazonaws.sqs#InvalidAttributeName";
            let error = json!({"__type": kind, "message": "Unknown Attribute."});
            return (StatusCode::BAD_REQUEST, error.to_string());
        }
        let counts = names.iter().map(|name| (name.as_str().unwrap(), "3"));
        let counts: serde_json::Map<String, Value> = counts
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect();
        (StatusCode::OK, json!({"Attributes": counts}).to_string())
    }
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (asked, asks) = mpsc::unbounded_channel();
    let routes = Router::new().route("/", post(answer)).with_state(asked);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (endpoint, asks)
}

#[tokio::test]
async fn a_server_that_refuses_the_names_of_settings_is_asked_for_counts_alone() {
    let (endpoint, mut asks) = given_a_server_that_knows_only_counts().await;
    let queue = given_queue("orders", &endpoint);
    let source = SqsSource::from_environment(FETCH).await;
    for _ in 0..3 {
        let observation = source.observe(&queue).await.expect("the counts");
        assert_eq!(observation.visible, Ok(3));
        let expected = QueueSettings {
            is_fifo: Some(false),
            ..QueueSettings::default()
        };
        assert_eq!(observation.settings, expected);
    }
    let mut asked = Vec::new();
    while let Ok(names) = asks.try_recv() {
        asked.push(names);
    }
    assert_eq!(asked, [7, 3, 3, 3], "the refusal is remembered");
}
