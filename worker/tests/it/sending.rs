//! The page that sends, over HTTP: what it shows, what it tells, and whom.

use axum::body::Bytes;
use axum::http::Request;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use serde_json::{Value, json};
use sluice_worker::web::Web;

use crate::api_server::ApiServer;
use crate::local_sqs::LocalSqs;
use crate::worker::Worker;

const PASSWORD: &str = "correct horse battery";

struct Page {
    address: String,
    /// Of every request.
    headers: Vec<(&'static str, String)>,
}

impl Page {
    async fn of(worker: &Worker) -> Self {
        let known = BASE64_STANDARD.encode(format!("sluice:{PASSWORD}"));
        Self {
            address: worker.address().await,
            headers: vec![("authorization", format!("Basic {known}"))],
        }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned())));
        let answered = Web::new().unwrap().send(request.unwrap()).await.unwrap();
        (answered.status.as_u16(), answered.text)
    }

    async fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, text) = self.ask(method, path, body).await;
        (status, serde_json::from_str(&text).expect(&text))
    }
}

fn given_page(sqs: &LocalSqs, variables: &[(&str, &str)]) -> Worker {
    let mut all = vec![
        ("SQS_QUEUE_NAME", "orders"),
        ("SLUICE_WORKER_PASSWORD", PASSWORD),
    ];
    all.extend(variables);
    Worker::mode(&["send"], &sqs.endpoint, &all)
}

#[tokio::test]
async fn a_form_sends_and_shows_the_counts_with_the_pods() {
    let (sqs, cluster) = (LocalSqs::start().await, ApiServer::start().await);
    sqs.given_queue("orders", &[]);
    cluster.given_pod("consumer-a", "app=sqs-consumer");
    cluster.given_pod("consumer-b", "app=sqs-consumer");
    cluster.given_pod("other", "app=other");
    cluster.given_average("4500m");
    let worker = given_page(&sqs, &cluster.told());
    let page = Page::of(&worker).await;
    let (status, shown) = page.ask("POST", "/", "number=23").await;
    assert_eq!((status, sqs.queue("orders").sent), (200, 23));
    for expected in [
        "Sent 23 messages.",
        "<li>consumer-a</li>",
        "<dd id=\"average\">4.5</dd>",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let pods = json!({ "pod_names": ["consumer-a", "consumer-b"], "pod_count": 2 });
    assert_eq!(page.json("GET", "/get_pods", "").await, (200, pods));
    let average = json!({ "sqs_queue_avg": 4.5 });
    assert_eq!(
        page.json("GET", "/get_sqs_queue_avg", "").await,
        (200, average)
    );
    // A string, and as fresh as a second ago.
    eventually_counts(&page, "23").await;
    worker.terminate().await.assert_drained();
}

async fn eventually_counts(page: &Page, expected: &str) {
    let expected = (200, json!({ "message_count": expected }));
    for _ in 0..60 {
        if page.json("GET", "/get_message_count", "").await == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let last = page.json("GET", "/get_message_count", "").await;
    assert_eq!(last, expected);
}

#[tokio::test]
async fn sending_in_the_background_is_accepted_at_once_and_ends_before_the_page_does() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    let worker = given_page(&sqs, &[("POD_NAME", "sender-1")]);
    let page = Page::of(&worker).await;
    let told = page
        .json("POST", "/send_messages_async", r#"{"number": 1234}"#)
        .await;
    let expected = json!({
        "status": "started",
        "message": "Sending 1234 messages in background",
        "max_messages": 1234,
        "pod": "sender-1",
    });
    assert_eq!(told, (202, expected));
    worker.terminate().await.assert_drained();
    assert_eq!(sqs.queue("orders").sent, 1_234);
    let received = sqs.client.receive_message().queue_url(&url).send().await;
    let received = received.unwrap();
    let body = received.messages()[0].body().unwrap();
    let (number, uuid) = body
        .strip_prefix("Message ")
        .unwrap()
        .split_once(" uuid: ")
        .unwrap();
    assert!(number.parse::<u32>().is_ok() && uuid.len() == 36, "{body}");
    assert!(received.messages()[0].message_attributes().is_none());
}

#[tokio::test]
async fn numbers_that_cannot_be_are_refused_in_the_words_of_the_page_it_replaces() {
    let sqs = LocalSqs::start().await;
    sqs.given_queue("orders", &[]);
    let worker = given_page(&sqs, &[]);
    let page = Page::of(&worker).await;
    let range = "Invalid number of messages (must be 1-100000)";
    let table = [
        (r#"{"number": 0}"#, range),
        (r#"{"number": 100001}"#, range),
        (r#"{"number": "many"}"#, "Invalid number format"),
        ("{}", "Invalid number format"),
        ("not json", "Invalid number format"),
    ];
    for (body, expected) in table {
        let told = page.json("POST", "/send_messages_async", body).await;
        assert_eq!(told, (400, json!({ "error": expected })), "{body}");
    }
    let (status, shown) = page.ask("POST", "/", "number=-1").await;
    assert!(status == 400 && shown.contains(range), "{status}: {shown}");
    assert_eq!(sqs.queue("orders").sent, 0);
    worker.terminate().await.assert_drained();
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_and_no_other_site_sends() {
    let sqs = LocalSqs::start().await;
    sqs.given_queue("orders", &[]);
    let worker = given_page(&sqs, &[]);
    let mut page = Page::of(&worker).await;
    page.headers
        .push(("origin", "https://elsewhere.example".into()));
    assert_eq!(page.ask("POST", "/", "number=5").await.0, 403);
    page.headers = vec![("authorization", "Basic c2x1aWNlOndyb25n".into())];
    let paths = [
        ("GET", "/"),
        ("GET", "/page.js"),
        ("GET", "/get_pods"),
        ("GET", "/get_message_count"),
        ("GET", "/get_sqs_queue_avg"),
        ("POST", "/"),
        ("POST", "/send_messages_async"),
    ];
    for (method, path) in paths {
        assert_eq!(page.ask(method, path, "number=5").await.0, 401, "{path}");
    }
    page.headers.clear();
    assert_eq!(page.ask("GET", "/", "").await.0, 401);
    assert_eq!(page.ask("GET", "/health/live", "").await.0, 200);
    let ended = worker.terminate().await;
    ended.assert_drained();
    assert_eq!(sqs.queue("orders").sent, 0);
    let tells = |line: &String| line.contains(PASSWORD);
    assert!(!ended.stderr.iter().any(tells), "{:?}", ended.stderr);
}

#[tokio::test]
async fn what_cannot_be_read_is_not_known_rather_than_zero() {
    let (sqs, cluster) = (LocalSqs::start().await, ApiServer::start().await);
    sqs.given_queue("orders", &[]);
    let outside = given_page(&sqs, &[]);
    let page = Page::of(&outside).await;
    let reason = "not in a Kubernetes cluster: KUBERNETES_SERVICE_HOST is not set";
    let unknown = (503, json!({ "error": reason }));
    assert_eq!(page.json("GET", "/get_pods", "").await, unknown);
    assert_eq!(page.json("GET", "/get_sqs_queue_avg", "").await, unknown);
    let (status, shown) = page.ask("GET", "/", "").await;
    assert!(status == 200 && shown.contains("not known"), "{shown}");
    outside.terminate().await.assert_drained();
    cluster.forbid(true);
    let refused = given_page(&sqs, &cluster.told());
    let page = Page::of(&refused).await;
    let (status, told) = page.json("GET", "/get_pods", "").await;
    let told = told["error"].as_str().unwrap();
    assert!(
        status == 503 && told.contains("pods is forbidden"),
        "{told}"
    );
    refused.terminate().await.assert_drained();
}

#[tokio::test]
async fn a_page_without_a_password_must_be_asked_for() {
    let queue = ("SQS_QUEUE_URL", "http://127.0.0.1:1/123456789012/orders");
    let ended = Worker::mode(&["send"], "", &[queue]).end().await;
    assert_eq!(ended.code, Some(2));
    let line = "SLUICE_WORKER_PASSWORD: expected 12 letters or more, or SLUICE_WORKER_AUTHENTICATION none, found 0";
    assert_eq!(ended.stderr, [line]);
    let sqs = LocalSqs::start().await;
    sqs.given_queue("orders", &[]);
    let open = given_page(&sqs, &[("SLUICE_WORKER_AUTHENTICATION", "none")]);
    let mut page = Page::of(&open).await;
    page.headers.clear();
    assert_eq!(page.ask("GET", "/", "").await.0, 200);
    open.terminate().await.assert_drained();
}
