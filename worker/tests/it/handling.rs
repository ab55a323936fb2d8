//! The handlers that ask others: programs, URLs, S3.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use http_body_util::Full;
use sluice_worker::web::{Answered, Web};
use tokio::net::TcpListener;

use crate::local_sqs::LocalSqs;
use crate::worker::eventually;

const NO_WAIT: (&str, &str) = ("SLUICE_WORKER_RETRY_SECONDS_MAX", "0");

#[tokio::test]
async fn a_program_that_fails_gets_its_message_again_and_then_it_is_a_dead_letter() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue_with_dead_letters("orders", 2);
    let program =
        r#"["sh", "-c", "read -r body; echo $body $SQS_RECEIVE_COUNT; test $body != bad"]"#;
    let variables = [
        NO_WAIT,
        ("SLUICE_WORKER_HANDLER", "command"),
        ("SLUICE_WORKER_COMMAND", program),
    ];
    let worker = sqs.worker(&url, &variables);
    sqs.control.send("orders", "bad\n").unwrap();
    sqs.control.send("orders", "good\n").unwrap();
    eventually("one is done and one is dead", || {
        let queue = sqs.queue("orders");
        (queue.deleted, queue.moved_to_dead_letters) == (1, 1)
    })
    .await;
    let mut ended = worker.terminate().await;
    ended.assert_drained();
    ended.stdout.sort();
    assert_eq!(ended.stdout, ["bad 1", "bad 2", "good 1"]);
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_its_children() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue_with_dead_letters("orders", 1);
    let program = r#"["sh", "-c", "sleep 637 & echo $!; wait"]"#;
    let variables = [
        NO_WAIT,
        ("SLUICE_WORKER_HANDLER", "command"),
        ("SLUICE_WORKER_COMMAND", program),
        // Time enough for a busy machine to start the program.
        ("SLUICE_WORKER_DEADLINE_SECONDS", "5"),
    ];
    let worker = sqs.worker(&url, &variables);
    sqs.control.send("orders", "long").unwrap();
    eventually("it is a dead letter", || {
        sqs.queue("orders").moved_to_dead_letters == 1
    })
    .await;
    let ended = worker.terminate().await;
    ended.assert_drained();
    let child = format!("/proc/{}/stat", ended.stdout[0]);
    let is_gone = || std::fs::read_to_string(&child).map_or(true, |stat| stat.contains(" Z "));
    eventually("its child is gone", is_gone).await;
    let says_why = |line: &String| line.contains("not done within its deadline of 5 s");
    assert!(ended.stderr.iter().any(says_why), "{:?}", ended.stderr);
}

#[tokio::test]
async fn a_program_for_batches_settles_each_message_by_its_name() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue_with_dead_letters("orders", 1);
    for number in 0..10 {
        let body = if number == 4 { "bad" } else { "good" };
        sqs.control.send("orders", body).unwrap();
    }
    let script = r#"grep '"bad"' | sed 's/.*"messageId":"\([^"]*\)".*/{"batchItemFailures":[{"itemIdentifier":"\1"}]}/'"#;
    let program = serde_json::to_string(&["sh", "-c", script]).unwrap();
    let variables = [
        NO_WAIT,
        ("SLUICE_WORKER_HANDLER", "command"),
        ("SLUICE_WORKER_COMMAND", &program),
        ("SLUICE_WORKER_COMMAND_TAKES", "batch"),
    ];
    let worker = sqs.worker(&url, &variables);
    eventually("nine are done and one is dead", || {
        let queue = sqs.queue("orders");
        (queue.deleted, queue.moved_to_dead_letters) == (9, 1)
    })
    .await;
    worker.terminate().await.assert_drained();
}

type Posts = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Answers with the status that the body names; to `3..` with a redirect to `/trap`.
async fn given_server() -> (String, Posts, Posts) {
    let (posts, trapped) = (Posts::default(), Posts::default());
    let keep = |posts: &Posts| {
        let posts = posts.clone();
        post(async move |headers: HeaderMap, body: String| {
            let status = body.split('#').next().unwrap().parse().unwrap_or(200);
            if status == 599 {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            posts.lock().unwrap().push((headers, body));
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("location", "/trap")], "as the test wants")
        })
    };
    let routes = Router::new()
        .route("/orders", keep(&posts))
        .route("/trap", keep(&trapped));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    (url, posts, trapped)
}

#[tokio::test]
async fn a_post_is_done_by_its_status_and_follows_no_redirect() {
    let sqs = LocalSqs::start().await;
    let queue = sqs.given_queue_with_dead_letters("orders", 1);
    let (url, posts, trapped) = given_server().await;
    let variables = [
        NO_WAIT,
        ("SLUICE_WORKER_HANDLER", "http"),
        ("SLUICE_WORKER_HTTP_URL", &url),
        ("SLUICE_WORKER_HTTP_TIMEOUT_SECONDS", "5"),
    ];
    let worker = sqs.worker(&queue, &variables);
    for status in [200, 204, 307, 308, 400, 500, 599] {
        let attributes = [("event_type", "sale_event")];
        sqs.send_with(&queue, &format!("{status}#"), &attributes)
            .await;
    }
    eventually("two are done and five are dead", || {
        let queue = sqs.queue("orders");
        (queue.deleted, queue.moved_to_dead_letters) == (2, 5)
    })
    .await;
    let ended = worker.terminate().await;
    ended.assert_drained();
    assert!(trapped.lock().unwrap().is_empty());
    let posts = posts.lock().unwrap();
    assert_eq!(posts.len(), 6);
    let headers = &posts[0].0;
    assert_eq!(headers["x-sqs-attribute-event_type"], "sale_event");
    assert!(headers.contains_key("x-sqs-message-id"));
    for cause in [
        "redirects are not followed",
        "as the test wants",
        "did not answer within 5 s",
    ] {
        let says = |line: &String| line.contains(cause);
        assert!(ended.stderr.iter().any(says), "{cause}: {:?}", ended.stderr);
    }
}

async fn ask(method: &str, url: &str) -> Answered {
    let request = Request::builder().method(method).uri(url);
    let request = request.body(Full::new(Bytes::new())).unwrap();
    Web::new().unwrap().send(request).await.unwrap()
}

fn keys(listing: &str) -> Vec<String> {
    let keys = listing.split("<Key>").skip(1);
    keys.map(|key| key.split("</Key>").next().unwrap().replace("%3D", "="))
        .collect()
}

#[tokio::test]
async fn events_become_objects_once_however_often_they_come_and_what_is_none_is_a_dead_letter() {
    let sqs = LocalSqs::start().await;
    let queue = sqs.given_queue_with_dead_letters("events", 2);
    let bucket = format!("{}/events-bkt", sqs.endpoint);
    let variables = [
        NO_WAIT,
        ("SLUICE_WORKER_HANDLER", "s3"),
        ("STORE_EVENTS_BKT", "events-bkt"),
    ];
    let sale = [("event_type", "sale_event")];
    let event = r#"{"store_id":3,"ts":"2026-11-22T10:00:00"}"#;
    sqs.send_with(&queue, event, &sale).await;
    // The bucket is missing: the first receive fails, and nothing is lost by it.
    let worker = sqs.worker(&queue, &variables);
    eventually("it failed", || worker.stderr.find("NoSuchBucket").is_some()).await;
    assert_eq!(sqs.queue("events").deleted, 0);
    assert_eq!(ask("PUT", &bucket).await.status, StatusCode::OK);
    for _ in 0..4 {
        sqs.send_with(&queue, event, &sale).await;
    }
    sqs.send_with(&queue, r#"{"bad_msg":true}"#, &sale).await;
    sqs.send_with(&queue, "no json", &sale).await;
    sqs.send_with(&queue, event, &[]).await;
    eventually("everything is stored or dead", || {
        let queue = sqs.queue("events");
        queue.deleted + queue.moved_to_dead_letters == 8
    })
    .await;
    worker.terminate().await.assert_drained();
    let done = sqs.queue("events").deleted;
    assert!(done >= 4 && sqs.queue("events-dead").visible >= 3, "{done}");
    let listing = ask("GET", &format!("{bucket}?list-type=2")).await.text;
    let keys = keys(&listing);
    assert_eq!(u64::try_from(keys.len()).unwrap(), done, "{listing}");
    let key = &keys[0];
    assert!(
        key.starts_with("store_events/event_type=sale_event/dt=20"),
        "{key}"
    );
    assert_eq!(ask("GET", &format!("{bucket}/{key}")).await.text, event);
}
