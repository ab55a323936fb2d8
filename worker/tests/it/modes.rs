//! Producing messages, and keeping results.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use http_body_util::Full;
use serde_json::Value;
use sluice_worker::web::Web;

use crate::local_sqs::LocalSqs;
use crate::worker::{Worker, eventually};

#[tokio::test]
async fn events_are_sent_with_their_attributes_and_counted() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("events", &[]);
    let variables = [
        ("RELIABLE_QUEUE_NAME", "events"),
        ("TOT_MSGS_TO_PRODUCE", "95"),
        ("SLUICE_WORKER_BAD_PERCENT", "20"),
        ("SLUICE_WORKER_DUPLICATE_PERCENT", "10"),
        ("SLUICE_WORKER_SEED", "4"),
    ];
    let ended = Worker::mode(&["produce"], &sqs.endpoint, &variables)
        .end()
        .await;
    ended.assert_drained();
    let told: Value = serde_json::from_str(ended.stdout.last().unwrap()).unwrap();
    let told = &told["resp"];
    assert_eq!(
        (&told["status"], &told["tot_msgs"]),
        (&true.into(), &95.into())
    );
    let sent = sqs.queue("events").sent;
    assert!((96..=130).contains(&sent), "{sent} with duplicates");
    assert!(sqs.control.requests("SendMessageBatch") <= 20);
    let received = sqs.client.receive_message().queue_url(&url);
    let received = received
        .message_attribute_names("All")
        .max_number_of_messages(10);
    for message in received.send().await.unwrap().messages() {
        let body: Value = serde_json::from_str(message.body().unwrap()).unwrap();
        assert_eq!(body["store_id"].is_null(), body["bad_msg"] == true);
        let attributes = message.message_attributes().unwrap();
        let event_type = attributes["event_type"].string_value().unwrap();
        assert!(["sale_event", "inventory_event"].contains(&event_type));
    }
}

#[tokio::test]
async fn a_rate_is_kept_and_a_missing_queue_is_told() {
    let sqs = LocalSqs::start().await;
    sqs.given_queue("orders", &[]);
    let variables = [
        ("SQS_QUEUE_NAME", "orders"),
        ("SLUICE_WORKER_SHAPE", "numbered"),
        ("MESSAGE_COUNT", "20"),
        ("SLUICE_WORKER_RATE", "10"),
    ];
    let ended = Worker::mode(&["produce"], &sqs.endpoint, &variables)
        .end()
        .await;
    ended.assert_drained();
    assert!(
        ended.took > Duration::from_millis(1_500),
        "{:?}",
        ended.took
    );
    assert_eq!(sqs.queue("orders").visible, 20);
    let missing = [("SQS_QUEUE_NAME", "nowhere")];
    let ended = Worker::mode(&["produce"], &sqs.endpoint, &missing)
        .end()
        .await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.last().unwrap().contains("does not exist"));
}

#[tokio::test]
async fn dead_letters_go_back_to_their_queue_with_a_line_that_says_how_many() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue_with_dead_letters("orders", 1);
    for number in 0..12 {
        sqs.control.send("orders", &number.to_string()).unwrap();
    }
    let failing = [
        ("SLUICE_WORKER_HANDLER", "command"),
        ("SLUICE_WORKER_COMMAND", "false"),
        ("SLUICE_WORKER_RETRY_SECONDS_MAX", "0"),
    ];
    let worker = sqs.worker(&url, &failing);
    eventually("all are dead letters", || {
        sqs.queue("orders-dead").visible == 12
    })
    .await;
    worker.terminate().await.assert_drained();
    let dead = [("SQS_QUEUE_NAME", "orders-dead")];
    let ended = Worker::mode(&["redrive"], &sqs.endpoint, &dead).end().await;
    ended.assert_drained();
    let told = ended.stdout.last().unwrap();
    assert!(told.starts_with("status=COMPLETED moved=12"), "{told}");
    assert_eq!(
        (
            sqs.queue("orders").visible,
            sqs.queue("orders-dead").visible
        ),
        (12, 0)
    );
}

async fn ask(method: &str, worker: &Worker, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", worker.address().await);
    let request = Request::builder().method(method).uri(url);
    let request = request.body(Full::new(Bytes::new())).unwrap();
    let answered = Web::new().unwrap().send(request).await.unwrap();
    (answered.status.as_u16(), answered.text)
}

/// A file of its own for each test, away when the test is over.
struct Database(PathBuf);

impl Database {
    fn new(name: &str) -> Self {
        let file = format!("sluice-worker-{name}-{}.sqlite", std::process::id());
        Self(std::env::temp_dir().join(file))
    }

    fn analyzer(&self) -> Worker {
        let file = self.0.to_str().unwrap();
        Worker::mode(&["analyze"], "", &[("SLUICE_WORKER_DATABASE", file)])
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn results_survive_a_kill() {
    let database = Database::new("kill");
    let first = database.analyzer();
    let created = ask("POST", &first, "/create/count").await;
    assert_eq!(created, (200, r#"{"message":"Count incremented"}"#.into()));
    let killed = ask("POST", &first, "/kill/count").await;
    assert_eq!(killed, (200, r#"{"message":"Kill incremented"}"#.into()));
    first.signal("KILL").await;
    assert_eq!(first.end().await.code, None);
    let second = database.analyzer();
    ask("POST", &second, "/create/count").await;
    let lines: Vec<String> =
        serde_json::from_str(&ask("GET", &second, "/get/count").await.1).unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| line.split_once(" - ").unwrap().1)
        .collect();
    assert_eq!(
        told,
        ["processed count 1", "kill count 1", "processed count 2"]
    );
    let metrics = ask("GET", &second, "/metrics").await.1;
    assert!(
        metrics.contains("sluice_worker_results_processed 2"),
        "{metrics}"
    );
    assert_eq!(ask("GET", &second, "/other").await.0, 404);
    let reset = ask("POST", &second, "/reset").await;
    assert_eq!(reset, (200, r#"{"message":"Reset Successfully"}"#.into()));
    assert_eq!(ask("GET", &second, "/get/count").await.1, "[]");
    second.terminate().await.assert_drained();
}

#[tokio::test]
async fn a_worker_can_report_what_it_did_by_posting_it() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    let database = Database::new("report");
    let analyzer = database.analyzer();
    let counted = format!("http://{}/create/count", analyzer.address().await);
    let variables = [
        ("SLUICE_WORKER_HANDLER", "http"),
        ("SLUICE_WORKER_HTTP_URL", counted.as_str()),
    ];
    let worker = sqs.worker(&url, &variables);
    for number in 0..10 {
        sqs.control.send("orders", &number.to_string()).unwrap();
    }
    eventually("all are deleted", || sqs.queue("orders").deleted == 10).await;
    worker.terminate().await.assert_drained();
    let lines = ask("GET", &analyzer, "/get/count").await.1;
    assert!(
        lines.contains("processed count 10") && !lines.contains("count 11"),
        "{lines}"
    );
    analyzer.terminate().await.assert_drained();
}
