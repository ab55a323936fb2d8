//! The protocol: long polls, errors, digests, dead letters, shutdown.

use std::time::Duration;

use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    primitives::Blob,
    types::{MessageAttributeValue, MessageSystemAttributeName, SendMessageBatchRequestEntry},
};
use tokio::time::{Instant, timeout};

use crate::support::{counts, given_a_server};

#[tokio::test]
async fn the_sdk_sends_receives_and_deletes_with_every_digest_checked() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    let text = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("red")
        .build()
        .unwrap();
    let bytes = MessageAttributeValue::builder()
        .data_type("Binary")
        .binary_value(Blob::new([0_u8, 255, 7]))
        .build()
        .unwrap();
    let request = server
        .sqs
        .send_message()
        .queue_url(&url)
        .message_body("hello");
    let sent = request
        .message_attributes("colour", text)
        .message_attributes("bytes", bytes)
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent.md5_of_message_body(),
        Some("5d41402abc4b2a76b9719d911017c592")
    );
    assert!(sent.md5_of_message_attributes().is_some());
    assert_eq!(counts(&server.sqs, &url).await, ["1", "0", "0"]);

    let request = server
        .sqs
        .receive_message()
        .queue_url(&url)
        .message_attribute_names("All");
    let received = request
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await
        .unwrap();
    let message = &received.messages()[0];
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(
        message.md5_of_message_attributes(),
        sent.md5_of_message_attributes()
    );
    let system = message.attributes().unwrap();
    assert_eq!(
        system[&MessageSystemAttributeName::ApproximateReceiveCount],
        "1"
    );
    assert_eq!(counts(&server.sqs, &url).await, ["0", "1", "0"]);

    let handle = message.receipt_handle().unwrap();
    server
        .sqs
        .delete_message()
        .queue_url(&url)
        .receipt_handle(handle)
        .send()
        .await
        .unwrap();
    assert_eq!(counts(&server.sqs, &url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_missing_queue_is_the_error_that_sdks_know() {
    let server = given_a_server().await;
    for url in ["http://elsewhere:1/000000000000/absent", "absent"] {
        let request = server.sqs.get_queue_attributes().queue_url(url);
        let error = request.send().await.unwrap_err().into_service_error();
        assert!(error.is_queue_does_not_exist(), "{error:?}");
        assert_eq!(
            error.code(),
            Some("AWS.SimpleQueueService.NonExistentQueue")
        );
    }
    assert_eq!(server.control.requests("GetQueueAttributes"), 2);
}

#[tokio::test]
async fn a_long_poll_is_woken_by_a_send() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    let send = async {
        server.is_polled().await;
        server.send_hello(&url).await;
    };
    let both = Box::pin(async { tokio::join!(server.poll(&url), send).0 });
    let received = timeout(Duration::from_secs(10), both).await.unwrap();
    assert_eq!(received.messages().len(), 1);
}

#[tokio::test]
async fn a_long_poll_is_woken_when_a_visibility_timeout_ends() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[("VisibilityTimeout", "1")]);
    server.send_hello(&url).await;
    server.receive(&url).await;
    let received = timeout(Duration::from_secs(10), server.poll(&url)).await;
    let received = received.unwrap();
    assert_eq!(received.messages().len(), 1);
}

#[tokio::test]
async fn a_long_poll_is_woken_by_an_advanced_clock() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[("DelaySeconds", "900")]);
    server.send_hello(&url).await;
    assert_eq!(counts(&server.sqs, &url).await, ["0", "0", "1"]);
    server.control.advance_clock(Duration::from_mins(15));
    assert_eq!(counts(&server.sqs, &url).await, ["1", "0", "0"]);
    assert_eq!(server.control.queue("orders").unwrap().visible, 1);
}

#[tokio::test]
async fn shutdown_ends_long_polls_at_once() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    let stop = async {
        server.is_polled().await;
        server.shutdown.cancel();
    };
    let started = Instant::now();
    let (received, ()) = tokio::join!(server.poll(&url), stop);
    assert!(received.messages().is_empty());
    server.assert_ends().await;
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_message_that_keeps_failing_moves_to_the_dead_letter_queue() {
    let server = given_a_server().await;
    let dead = server.given_a_queue("dead", &[]);
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":"1"}"#;
    let url = server.given_a_queue(
        "orders",
        &[("RedrivePolicy", policy), ("VisibilityTimeout", "30")],
    );
    let sent = server
        .sqs
        .send_message()
        .queue_url(&url)
        .message_body("poison")
        .send()
        .await
        .unwrap();
    server.receive(&url).await;
    server.control.advance_clock(Duration::from_secs(30));
    let again = server.receive(&url).await;
    assert!(again.messages().is_empty());
    assert_eq!(counts(&server.sqs, &dead).await, ["1", "0", "0"]);
    let request = server.sqs.receive_message().queue_url(&dead);
    let received = request
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await
        .unwrap();
    let message = &received.messages()[0];
    assert_eq!(message.message_id(), sent.message_id());
    let source =
        &message.attributes().unwrap()[&MessageSystemAttributeName::DeadLetterQueueSourceArn];
    assert!(source.ends_with(":orders"), "{source}");
}

#[tokio::test]
async fn a_batch_answers_for_each_entry() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(body)
            .build()
            .unwrap()
    };
    let request = server.sqs.send_message_batch().queue_url(&url);
    let answer = request
        .entries(entry("good", "hello"))
        .entries(entry("bad", "\u{1}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.successful()[0].id(), "good");
    assert_eq!(
        (answer.failed()[0].id(), answer.failed()[0].code()),
        ("bad", "InvalidMessageContents")
    );
}
