//! SQS on HTTP: JSON in and out, through the faults that are set.

use axum::{
    body::Body,
    http::{Response, header},
};
use serde_json::{Map, Value};

use super::{
    Request,
    interruption::{Interruption, interrupt},
    response, with_query_error,
};
use crate::local::{
    faults::FaultAction,
    server::App,
    sqs::{self, SqsError, partial},
};

const JSON: &str = "application/x-amz-json-1.0";

pub(super) async fn answer(app: &App, operation: &str, request: &Request<'_>) -> Response<Body> {
    let Some(known) = sqs::OPERATIONS
        .into_iter()
        .find(|known| *known == operation)
    else {
        return unknown(operation);
    };
    app.shared.count(known);
    let exchange = Exchange {
        app,
        operation,
        host: request.header(header::HOST),
        body: request.body,
    };
    if app.shared.faults().is_empty() {
        return respond(exchange.truth().await);
    }
    exchange.answer_through_faults().await
}

pub(super) fn unknown(operation: &str) -> Response<Body> {
    failed(&SqsError::UnknownOperation(operation.to_owned()))
}

struct Exchange<'a> {
    app: &'a App,
    operation: &'a str,
    host: &'a str,
    body: &'a [u8],
}

impl Exchange<'_> {
    async fn truth(&self) -> Result<Vec<u8>, SqsError> {
        sqs::answer(self.app, self.operation, self.host, self.body).await
    }

    async fn answer_through_faults(&self) -> Response<Body> {
        let queue = sqs::queue_name_in(self.body);
        let now = self.app.shared.now();
        let actions = self
            .app
            .shared
            .faults()
            .take(now, self.operation, queue.as_deref());
        match interrupt(self.app, &actions).await {
            Some(Interruption::Throttled) => return failed(&SqsError::Throttling),
            Some(Interruption::Denied) => {
                return failed(&SqsError::AccessDenied(self.operation.to_owned()));
            }
            Some(Interruption::Failed(status)) => return failed(&SqsError::Failure(status)),
            Some(Interruption::Broken(response)) => return response,
            None => {}
        }
        let answer = if actions.contains(&FaultAction::PartialBatchFailure) {
            partial::answer(self.app, self.operation, self.host, self.body).await
        } else {
            self.truth().await
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

fn respond(answer: Result<Vec<u8>, SqsError>) -> Response<Body> {
    match answer {
        Ok(body) => response(200, JSON, body),
        Err(error) => failed(&error),
    }
}

/// An error as current SDKs read it: the type in the body, the older code in a header.
fn failed(error: &SqsError) -> Response<Body> {
    let shape = error.shape();
    let response = response(shape.status, JSON, sqs::error_body(error));
    with_query_error(response, shape.query_code, error.is_senders_fault())
}
