//! An SQS for tests: gives out messages, remembers every request, and fails when told to. It has no clock: what it gave
//! out stays hidden until it is deleted or handed back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

pub(crate) const RECEIVE: &str = "ReceiveMessage";
pub(crate) const DELETE: &str = "DeleteMessageBatch";
pub(crate) const CHANGE: &str = "ChangeMessageVisibilityBatch";

/// How a request fails.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// The whole request, with this status and error code.
    Request(StatusCode, &'static str),
    /// Each entry of a batch, and not by the sender's fault.
    Entries,
    /// A batch is carried out, and the answer cannot be read.
    Answer,
}

#[derive(Clone, Default)]
pub(crate) struct ScriptedSqs {
    state: Arc<Mutex<Inner>>,
    changed: Arc<Notify>,
    endpoint: String,
}

#[derive(Default)]
struct Inner {
    visible: VecDeque<Given>,
    hidden: BTreeMap<String, Given>,
    deleted: Vec<String>,
    requests: Vec<(String, Value)>,
    faults: VecDeque<(&'static str, Fault)>,
    outage: Option<(&'static str, Fault)>,
    unanswered_receives: usize,
}

#[derive(Clone)]
struct Given {
    id: String,
    body: String,
    receive_count: u32,
}

type Answer = (StatusCode, Json<Value>);

impl ScriptedSqs {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let sqs = Self {
            endpoint,
            ..Self::default()
        };
        let routes = Router::new()
            .route("/", post(answer))
            .with_state(sqs.clone());
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        sqs
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn given_messages(&self, count: usize) {
        for number in 0..count {
            let body = json!({ "messageNumber": number.to_string() }).to_string();
            let given = Given {
                id: format!("message-{number}"),
                body,
                receive_count: 0,
            };
            self.lock().visible.push_back(given);
        }
        self.changed.notify_waiters();
    }

    /// The next request of this operation fails; each call adds one failure.
    pub(crate) fn given_fault(&self, operation: &'static str, fault: Fault) {
        self.lock().faults.push_back((operation, fault));
    }

    /// Every request of this operation fails until the outage is over.
    pub(crate) fn given_outage(&self, operation: &'static str, fault: Fault) {
        self.lock().outage = Some((operation, fault));
    }

    pub(crate) fn outage_is_over(&self) {
        self.lock().outage = None;
    }

    /// Receives that still wait for a message.
    pub(crate) fn unanswered_receives(&self) -> usize {
        self.lock().unanswered_receives
    }

    pub(crate) fn visible(&self) -> usize {
        self.lock().visible.len()
    }

    pub(crate) fn hidden(&self) -> usize {
        self.lock().hidden.len()
    }

    pub(crate) fn deleted(&self) -> Vec<String> {
        self.lock().deleted.clone()
    }

    /// The bodies of all requests of an operation so far.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Value> {
        let requests = &self.lock().requests;
        let matching = requests.iter().filter(|(name, _)| name == operation);
        matching.map(|(_, body)| body.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }

    fn fault(&self, operation: &str) -> Option<Fault> {
        let mut state = self.lock();
        if let Some((name, fault)) = state.outage
            && name == operation
        {
            return Some(fault);
        }
        let position = state
            .faults
            .iter()
            .position(|(name, _)| *name == operation)?;
        state.faults.remove(position).map(|(_, fault)| fault)
    }

    async fn receive(&self, request: &Value) -> Answer {
        let wait = Duration::from_secs(request["WaitTimeSeconds"].as_u64().unwrap());
        let changed = self.changed.notified();
        if self.visible() == 0 {
            self.lock().unanswered_receives += 1;
            let _ = timeout(wait, changed).await;
            self.lock().unanswered_receives -= 1;
        }
        let max = usize::try_from(request["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
        let messages = self.lock().give_out(max);
        (StatusCode::OK, Json(json!({ "Messages": messages })))
    }
}

async fn answer(
    State(sqs): State<ScriptedSqs>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Answer {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.strip_prefix("AmazonSQS.").unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap();
    sqs.lock()
        .requests
        .push((operation.to_owned(), request.clone()));
    match (sqs.fault(operation), operation) {
        (Some(Fault::Request(status, code)), _) => (
            status,
            Json(json!({ "__type": code, "message": "as the test wants" })),
        ),
        (Some(Fault::Entries), _) => settled(&request, |_| false),
        (Some(Fault::Answer), operation) => {
            assert_eq!(operation, CHANGE, "only needed there");
            let (status, _) = settled(&request, |entry| sqs.lock().change(entry));
            (status, Json(json!("garbled")))
        }
        // A task of its own: SQS does not take messages back from a client that hangs up.
        (None, RECEIVE) => tokio::spawn(async move { sqs.receive(&request).await })
            .await
            .unwrap(),
        (None, DELETE) => settled(&request, |entry| sqs.lock().delete(entry)),
        (None, CHANGE) => settled(&request, |entry| sqs.lock().change(entry)),
        (None, other) => panic!("the worker asked for {other}"),
    }
}

/// The answer to a batch, each entry carried out or failed.
fn settled(request: &Value, carry_out: impl Fn(&Value) -> bool) -> Answer {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in request["Entries"].as_array().unwrap() {
        if carry_out(entry) {
            successful.push(json!({ "Id": entry["Id"] }));
        } else {
            failed
                .push(json!({ "Id": entry["Id"], "Code": "InternalError", "SenderFault": false }));
        }
    }
    (
        StatusCode::OK,
        Json(json!({ "Successful": successful, "Failed": failed })),
    )
}

impl Inner {
    fn give_out(&mut self, max: usize) -> Vec<Value> {
        let count = max.min(self.visible.len());
        let given: Vec<_> = self.visible.drain(..count).collect();
        given
            .into_iter()
            .map(|message| self.hide(message))
            .collect()
    }

    fn hide(&mut self, mut message: Given) -> Value {
        message.receive_count += 1;
        let handle = format!("{}/{}", message.id, message.receive_count);
        self.hidden.insert(handle.clone(), message.clone());
        json!({
            "MessageId": message.id,
            "ReceiptHandle": handle,
            "Body": message.body,
            "Attributes": { "ApproximateReceiveCount": message.receive_count.to_string() },
        })
    }

    fn delete(&mut self, entry: &Value) -> bool {
        let message = self.hidden.remove(entry["ReceiptHandle"].as_str().unwrap());
        message
            .map(|message| self.deleted.push(message.id))
            .is_some()
    }

    fn change(&mut self, entry: &Value) -> bool {
        let handle = entry["ReceiptHandle"].as_str().unwrap();
        if entry["VisibilityTimeout"] != 0 {
            return self.hidden.contains_key(handle);
        }
        let message = self.hidden.remove(handle);
        message
            .map(|message| self.visible.push_back(message))
            .is_some()
    }
}
