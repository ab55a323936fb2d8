//! A fair queue that one tenant floods: what the scaler senses of it over real HTTP, and what it answers then.

use std::{collections::HashMap, time::Duration};

use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::{DeleteMessageBatchRequestEntry, Message, SendMessageBatchRequestEntry},
};
use sluice::queue::cloudwatch::CloudWatchEndpoint;

use super::{
    MINUTE,
    minutes::{given_hasty_settings, given_sensing},
};
use crate::{status::trigger, support::*};

/// A flood whose drain within the target takes far more replicas than are found at work.
const FLOOD: usize = 2_000;
const QUIET: usize = 20;

fn given_client(sqs: &Sqs) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(&sqs.metadata["awsEndpoint"]);
    Client::from_conf(config.build())
}

async fn send(client: &Client, group: &str, messages: usize) {
    for first in (0..messages).step_by(10) {
        let entries = (first..messages.min(first + 10)).map(|id| {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string());
            let entry = entry.message_body("hello").message_group_id(group);
            entry.build().unwrap()
        });
        let request = client.send_message_batch().queue_url(QUEUE);
        let request = request.set_entries(Some(entries.collect()));
        request.send().await.unwrap();
    }
}

async fn receive_ten(client: &Client) -> Vec<Message> {
    let request = client.receive_message().queue_url(QUEUE);
    let request = request.max_number_of_messages(10).visibility_timeout(3_600);
    request.send().await.unwrap().messages.unwrap_or_default()
}

async fn work_off(client: &Client, messages: usize) {
    for _ in (0..messages).step_by(10) {
        let entries = receive_ten(client).await.into_iter().enumerate();
        let entries = entries.map(|(id, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
            let entry = entry.receipt_handle(message.receipt_handle.unwrap());
            entry.build().unwrap()
        });
        let request = client.delete_message_batch().queue_url(QUEUE);
        let request = request.set_entries(Some(entries.collect()));
        request.send().await.unwrap();
    }
}

/// One tenant floods a queue on which 1,200 messages a minute were done, by 40 at a time; the others wait.
async fn given_a_flooded_queue() -> Sqs {
    let sqs = given_sqs().await;
    let client = given_client(&sqs);
    send(&client, "shop", 1_200).await;
    work_off(&client, 1_200).await;
    send(&client, "flood", FLOOD).await;
    for _ in 0..4 {
        receive_ten(&client).await;
    }
    send(&client, "shop", QUIET).await;
    sqs.control.set_metric_delay(Duration::ZERO);
    sqs.control.advance_clock(MINUTE);
    sqs
}

async fn answer(scaler: &Scaler, metadata: &HashMap<String, String>) -> f64 {
    scaler.metrics(metadata).await.unwrap().metric_values[0].metric_value_float
}

#[tokio::test]
async fn a_flood_that_may_wait_is_told_from_the_others_and_buys_less() {
    let sqs = given_a_flooded_queue().await;
    let settings = given_hasty_settings();
    let (scaler, _) = given_sensing(&sqs, settings, CloudWatchEndpoint::Trigger).await;
    let strict = [
        ("targetWaitSeconds", "60"),
        ("messageSeconds", "2"),
        ("concurrency", "1"),
    ];
    let urgent = answer(&scaler, &sqs.metadata(&strict)).await;
    assert!(
        urgent > 5.0 * 90.0,
        "{urgent}: two thousand within a minute"
    );

    let (scaler, _) = given_sensing(&sqs, settings, CloudWatchEndpoint::Trigger).await;
    let patient = [&strict[..], &[("noisyWaitSeconds", "7200")]].concat();
    let patient = sqs.metadata(&patient);
    eventually(|| async { answer(&scaler, &patient).await < urgent / 2.0 }).await;
    let told = trigger(&scaler).await;
    let estimate = told.estimate.unwrap();
    assert_eq!(told.policy.noisy_wait_seconds, Some(7_200.0));
    assert_eq!(estimate.noisy_groups, Some(1.0));
    assert_eq!(estimate.noisy_visible_messages, Some(1_960.0));
    let explanation = told.decision.unwrap().explanation;
    assert!(
        explanation.contains("but for 1960 messages of 1 noisy groups"),
        "{explanation}"
    );
}
