//! The administrative endpoints, as a script would use them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Running, counts, given_a_server};

/// Sends one request and returns status and body.
pub(crate) async fn ask(server: &Running, method: &str, path: &str, body: &str) -> (u16, String) {
    let address = server.endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}

#[tokio::test]
async fn a_script_sees_queues_and_requests_and_moves_the_clock() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    server.send_hello(&url).await;
    let moved = ask(
        &server,
        "POST",
        "/_sluice/clock",
        r#"{"advance_seconds": 3600}"#,
    )
    .await;
    assert_eq!(moved.0, 200);
    let (_, queues) = ask(&server, "GET", "/_sluice/queues", "").await;
    assert!(queues.contains(r#""visible_messages":1"#), "{queues}");
    assert!(queues.contains(r#""oldest_age_seconds":36"#), "{queues}");
    let requests = ask(&server, "GET", "/_sluice/requests", "").await;
    assert_eq!(requests, (200, r#"{"SendMessage":1}"#.to_owned()));
}

#[tokio::test]
async fn a_script_sets_every_fault_and_clears_them() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    for action in [
        r#""throttle""#,
        r#""access_denied""#,
        r#"{"server_error": 503}"#,
        r#"{"latency_millis": 1}"#,
        r#""hang""#,
        r#""garbage""#,
        r#""drop_connection""#,
        r#"{"missing_attribute": "QueueArn"}"#,
        r#"{"attribute_value": {"name": "QueueArn", "value": "x"}}"#,
        r#""stale_counts""#,
        r#""zero_counts""#,
        r#""partial_batch_failure""#,
    ] {
        let rule = format!(r#"{{"operation": "GetQueueAttributes", "action": {action}}}"#);
        let (status, text) = ask(&server, "POST", "/_sluice/faults", &rule).await;
        assert_eq!(status, 204, "{action}: {text}");
    }
    assert!(
        server
            .sqs
            .get_queue_attributes()
            .queue_url(&url)
            .send()
            .await
            .is_err()
    );
    assert_eq!(ask(&server, "DELETE", "/_sluice/faults", "").await.0, 204);
    assert_eq!(counts(&server.sqs, &url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_with_the_reason() {
    let server = given_a_server().await;
    let (status, text) = ask(
        &server,
        "POST",
        "/_sluice/faults",
        r#"{"action": "explode"}"#,
    )
    .await;
    assert_eq!(status, 422);
    assert!(text.contains("explode"), "{text}");
    let far = ask(
        &server,
        "POST",
        "/_sluice/clock",
        r#"{"advance_seconds": 99999999999}"#,
    )
    .await;
    assert_eq!(far.0, 400);
}
