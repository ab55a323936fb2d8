//! A fair queue as the Rust SDK sees it: who is served first, and what `CloudWatch` tells of it.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, SendMessageBatchRequestEntry};

use crate::{
    cloudwatch::values,
    support::{Running, given_a_server},
};

/// The server takes a queue's name for its URL.
const QUEUE: &str = "orders";
/// Longer than a test lasts by the server's time, in seconds.
const HELD_SECONDS: i32 = 3_600;

/// Sends this many messages of a group, ten at most at once.
async fn send(server: &Running, group: &str, messages: usize, delay_seconds: i32) {
    let entries = (0..messages).map(|id| {
        let entry = SendMessageBatchRequestEntry::builder().id(id.to_string());
        let entry = entry.message_body("hello").message_group_id(group);
        entry.delay_seconds(delay_seconds).build().unwrap()
    });
    let request = server.sqs.send_message_batch().queue_url(QUEUE);
    let request = request.set_entries(Some(entries.collect()));
    request.send().await.unwrap();
}

/// Receives ten messages and returns their groups.
async fn receive_ten(server: &Running) -> Vec<String> {
    let request = server.sqs.receive_message().queue_url(QUEUE);
    let answer = request
        .max_number_of_messages(10)
        .visibility_timeout(HELD_SECONDS)
        .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
        .send()
        .await
        .unwrap();
    answer.messages().iter().map(group_of).collect()
}

fn group_of(message: &Message) -> String {
    let name = MessageSystemAttributeName::MessageGroupId;
    message.attributes().unwrap()[&name].clone()
}

/// What was published of the last minute, if anything was.
async fn last_minute(server: &Running, metric: &str) -> Option<f64> {
    values(server, metric, "Maximum", 60).await.first().copied()
}

#[tokio::test]
async fn quiet_groups_are_served_before_a_flood_and_have_metrics_of_their_own() {
    let server = given_a_server().await;
    server.given_a_queue(QUEUE, &[]);
    for _ in 0..10 {
        send(&server, "flood", 10, 0).await;
    }
    send(&server, "shop", 5, 0).await;
    let mut groups = Vec::new();
    for _ in 0..4 {
        groups.extend(receive_ten(&server).await);
    }
    let served: Vec<_> = groups
        .chunk_by(|one, other| one == other)
        .map(|run| (run[0].as_str(), run.len()))
        .collect();
    assert_eq!(served, [("flood", 30), ("shop", 5), ("flood", 5)]);

    send(&server, "shop", 2, 0).await;
    send(&server, "shop", 3, 900).await;
    send(&server, "flood", 4, 900).await;
    server.control.set_metric_delay(Duration::ZERO);
    server.control.advance_clock(Duration::from_mins(4));
    for (metric, expected) in [
        ("ApproximateNumberOfMessagesVisible", 67.0),
        ("ApproximateNumberOfMessagesNotVisible", 40.0),
        ("ApproximateNumberOfMessagesDelayed", 7.0),
        ("ApproximateNumberOfNoisyGroups", 1.0),
        ("ApproximateNumberOfMessagesVisibleInQuietGroups", 2.0),
        ("ApproximateNumberOfMessagesNotVisibleInQuietGroups", 5.0),
        ("ApproximateNumberOfMessagesDelayedInQuietGroups", 3.0),
    ] {
        let found = last_minute(&server, metric).await;
        assert_eq!(found, Some(expected), "{metric}");
    }
    let age = last_minute(&server, "ApproximateAgeOfOldestMessageInQuietGroups").await;
    assert!(
        age.is_some_and(|age| (180.0..=240.0).contains(&age)),
        "of those in flight too: {age:?}"
    );
}

#[tokio::test]
async fn a_queue_without_groups_has_no_metrics_of_groups() {
    let server = given_a_server().await;
    let url = server.given_a_queue(QUEUE, &[]);
    server.send_hello(&url).await;
    server.control.set_metric_delay(Duration::ZERO);
    server.control.advance_clock(Duration::from_mins(2));
    let noisy = last_minute(&server, "ApproximateNumberOfNoisyGroups").await;
    assert_eq!(noisy, None);
    let visible = last_minute(&server, "ApproximateNumberOfMessagesVisible").await;
    assert_eq!(visible, Some(1.0));
}
