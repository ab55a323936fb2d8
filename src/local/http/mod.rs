//! From an HTTP request to the service it means, and back: which one it is tell its target, path and type.

mod cloudwatch;
mod interruption;
mod sqs;

use std::time::{Duration, SystemTime};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header, request::Parts},
};

use self::interruption::{Interruption, interrupt};
use super::{cloudwatch::Format, s3, server::App, sts};

const SQS_TARGET: &str = "AmazonSQS.";
const CLOUDWATCH_TARGET: &str = "GraniteServiceVersion20100801.";
const CLOUDWATCH_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";
const FORM: &str = "application/x-www-form-urlencoded";

/// A request as all services need it.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Request<'_> {
    /// The value of a header, empty when it is missing or not text.
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Answers everything that is not an administrative endpoint.
pub(crate) async fn answer(State(app): State<App>, parts: Parts, body: Bytes) -> Response<Body> {
    let request = Request {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        body: &body,
    };
    let response = answer_on_time(&app, &request).await;
    let now = app.shared.now();
    let skew = app.shared.faults().clock_skew(now);
    match skew {
        Some(seconds) => dated(response, now, seconds),
        None => response,
    }
}

/// An answer of a server whose clock is so many seconds off.
fn dated(mut response: Response<Body>, now: Duration, skew_seconds: i64) -> Response<Body> {
    let skew = Duration::from_secs(skew_seconds.unsigned_abs());
    let then = if skew_seconds < 0 {
        now.saturating_sub(skew)
    } else {
        now.saturating_add(skew)
    };
    let date = SystemTime::UNIX_EPOCH.checked_add(then);
    let date = date.map(|date| HeaderValue::try_from(httpdate::fmt_http_date(date)));
    if let Some(Ok(date)) = date {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn answer_on_time(app: &App, request: &Request<'_>) -> Response<Body> {
    let target = request.header("x-amz-target");
    if let Some(operation) = target.strip_prefix(SQS_TARGET) {
        sqs::answer(app, operation, request).await
    } else if let Some(operation) = target.strip_prefix(CLOUDWATCH_TARGET) {
        cloudwatch::answer(app, operation, Format::Json, request).await
    } else if let Some(operation) = request.uri.path().strip_prefix(CLOUDWATCH_PATH) {
        cloudwatch::answer(app, operation, Format::Cbor, request).await
    } else if !target.is_empty() {
        sqs::unknown(target)
    } else if request.header(header::CONTENT_TYPE).starts_with(FORM) {
        credentials(app, request).await
    } else {
        s3::answer(&app.shared, request)
    }
}

/// STS, through the faults that are set.
async fn credentials(app: &App, request: &Request<'_>) -> Response<Body> {
    let action = sts::action(request.body);
    let actions = app.shared.faults().take(app.shared.now(), &action, None);
    match interrupt(app, &actions).await {
        Some(Interruption::Throttled) => sts::failed(400, "Throttling", "Rate exceeded"),
        Some(Interruption::Denied) => {
            let text =
                format!("The local server was told that this caller may not use sts:{action}.");
            sts::failed(403, "AccessDenied", &text)
        }
        Some(Interruption::Failed(status)) => sts::failed(
            status,
            "InternalFailure",
            "The local server was told to fail.",
        ),
        Some(Interruption::Broken(response)) => response,
        None => sts::answer(&app.shared, request.body),
    }
}

/// An answer of one content type, with the request id that every AWS service gives.
pub(crate) fn response(
    status: u16,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("x-amzn-requestid", HeaderValue::from_static(REQUEST_ID));
    response
}

/// Requests are not told apart; SDKs only want the header to be there.
pub(crate) const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Adds the code by which the older query protocol called an error.
fn with_query_error(
    mut response: Response<Body>,
    code: &str,
    is_senders_fault: bool,
) -> Response<Body> {
    let fault = if is_senders_fault {
        "Sender"
    } else {
        "Receiver"
    };
    if let Ok(value) = HeaderValue::try_from(format!("{code};{fault}")) {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}
