//! From an HTTP request to the service it means, through the faults that are set, and back.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use serde_json::{Map, Value};

use super::{
    faults::FaultAction,
    server::App,
    sqs::{self, SqsError, partial},
};

const TARGET: &str = "x-amz-target";
const SQS_PREFIX: &str = "AmazonSQS.";
const JSON_1_0: &str = "application/x-amz-json-1.0";

/// Answers everything that is not an administrative endpoint.
pub(crate) async fn answer(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = headers
        .get(TARGET)
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    match target.strip_prefix(SQS_PREFIX) {
        Some(operation) => answer_sqs(&app, operation, host, body).await,
        None => failed(&SqsError::UnknownOperation(target.to_owned())),
    }
}

async fn answer_sqs(app: &App, operation: &str, host: &str, body: Bytes) -> Response<Body> {
    let Some(known) = sqs::OPERATIONS
        .into_iter()
        .find(|known| *known == operation)
    else {
        return failed(&SqsError::UnknownOperation(operation.to_owned()));
    };
    *app.shared.requests().entry(known).or_default() += 1;
    let call = SqsCall {
        app,
        operation,
        host,
    };
    if app.shared.faults().is_empty() {
        return respond(sqs::answer(app, operation, host, &body).await);
    }
    call.answer_through_faults(&body).await
}

struct SqsCall<'a> {
    app: &'a App,
    operation: &'a str,
    host: &'a str,
}

impl SqsCall<'_> {
    async fn answer_through_faults(&self, body: &[u8]) -> Response<Body> {
        let queue = sqs::queue_name_in(body);
        let now = self.app.shared.now();
        let actions = self
            .app
            .shared
            .faults()
            .take(now, self.operation, queue.as_deref());
        for action in &actions {
            if let Some(response) = interrupt(self.app, action).await {
                return response;
            }
        }
        let answer = if actions.contains(&FaultAction::PartialBatchFailure) {
            partial::answer(self.app, self.operation, self.host, body).await
        } else {
            sqs::answer(self.app, self.operation, self.host, body).await
        };
        let distortions: Vec<_> = actions.iter().filter(|action| action.distorts()).collect();
        if distortions.is_empty() || self.operation != "GetQueueAttributes" {
            return respond(answer);
        }
        respond(answer.map(|answer| self.distort(&answer, queue.as_deref(), &distortions)))
    }

    fn distort(&self, answer: &[u8], queue: Option<&str>, actions: &[&FaultAction]) -> Vec<u8> {
        let mut answer: Map<String, Value> = serde_json::from_slice(answer).unwrap_or_default();
        if let Some(Value::Object(attributes)) = answer.get_mut("Attributes") {
            if actions.contains(&&FaultAction::StaleCounts) {
                self.app
                    .shared
                    .faults()
                    .freeze(queue.unwrap_or_default(), attributes);
            }
            for action in actions {
                action.distort(attributes);
            }
        }
        Value::Object(answer).to_string().into_bytes()
    }
}

/// What a fault does instead of the answer, if it does.
async fn interrupt(app: &App, action: &FaultAction) -> Option<Response<Body>> {
    match action {
        FaultAction::Throttle => Some(failed(&SqsError::Throttling)),
        FaultAction::ServerError(status) => Some(failed(&SqsError::Failure(*status))),
        FaultAction::Garbage => Some(json_response(StatusCode::OK, b"<not json>".to_vec())),
        FaultAction::DropConnection => Some(broken()),
        FaultAction::Latency(delay) => {
            pause(app, *delay).await;
            None
        }
        FaultAction::Hang => {
            app.shutdown.cancelled().await;
            Some(failed(&SqsError::Failure(503)))
        }
        _ => None,
    }
}

async fn pause(app: &App, delay: Duration) {
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = app.shutdown.cancelled() => {}
    }
}

fn respond(answer: Result<Vec<u8>, SqsError>) -> Response<Body> {
    match answer {
        Ok(body) => json_response(StatusCode::OK, body),
        Err(error) => failed(&error),
    }
}

/// An error as current SDKs read it: the type in the body, the older code in a header.
fn failed(error: &SqsError) -> Response<Body> {
    let shape = error.shape();
    let status = StatusCode::from_u16(shape.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fault = if error.is_senders_fault() {
        "Sender"
    } else {
        "Receiver"
    };
    let mut response = json_response(status, sqs::error_body(error));
    if let Ok(code) = HeaderValue::try_from(format!("{};{fault}", shape.query_code)) {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON_1_0));
    headers.insert(
        "x-amzn-requestid",
        HeaderValue::from_static("00000000-0000-0000-0000-000000000000"),
    );
    response
}

/// An answer that promises a body and breaks off before it comes.
fn broken() -> Response<Body> {
    let cut = tokio_stream::once(Err::<Bytes, _>(std::io::Error::from(
        std::io::ErrorKind::ConnectionReset,
    )));
    Response::new(Body::from_stream(cut))
}
