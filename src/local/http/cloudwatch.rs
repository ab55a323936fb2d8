//! `CloudWatch` on HTTP: CBOR or JSON in and out, through the faults that are set.

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};

use super::{
    Request,
    interruption::{Interruption, interrupt},
    response, with_query_error,
};
use crate::local::{
    cloudwatch::{self, CloudWatchError, Format},
    server::App,
};

pub(super) async fn answer(
    app: &App,
    operation: &str,
    format: Format,
    request: &Request<'_>,
) -> Response<Body> {
    let known = cloudwatch::OPERATIONS
        .into_iter()
        .find(|known| *known == operation);
    let Some(known) = known else {
        return failed(
            &CloudWatchError::UnknownOperation(operation.to_owned()),
            format,
        );
    };
    app.shared.count(known);
    if !request.header(header::CONTENT_ENCODING).is_empty() {
        let text = "compressed bodies are not supported by the local server".to_owned();
        return failed(&CloudWatchError::Serialization(text), format);
    }
    let actions = app.shared.faults().take(app.shared.now(), operation, None);
    match interrupt(app, &actions).await {
        Some(Interruption::Throttled) => return failed(&CloudWatchError::Throttling, format),
        Some(Interruption::Denied) => {
            return failed(&CloudWatchError::AccessDenied(known), format);
        }
        Some(Interruption::Failed(status)) => {
            return failed(&CloudWatchError::Failure(status), format);
        }
        Some(Interruption::Broken(response)) => return response,
        None => {}
    }
    match cloudwatch::answer(&app.shared, operation, format, request.body) {
        Ok(body) => shaped(200, format, body),
        Err(error) => failed(&error, format),
    }
}

fn failed(error: &CloudWatchError, format: Format) -> Response<Body> {
    let body = cloudwatch::error_body(error, format);
    let status = error.status();
    with_query_error(shaped(status, format, body), error.names().1, status < 500)
}

fn shaped(status: u16, format: Format, body: Vec<u8>) -> Response<Body> {
    let mut response = response(status, format.content_type(), body);
    if format == Format::Cbor {
        response
            .headers_mut()
            .insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    response
}
