//! What is asked over HTTP: the page, its counts as JSON, and sending. A count that is not known is answered with 503 and
//! the reason, never with zero.
//!
//! `GET /get_message_count`, `/get_pods` and `/get_sqs_queue_avg` tell, `POST /` (a form with `number`) sends and shows the
//! page, `POST /send_messages_async` (JSON with `number`) sends in the background. `/health/live` and `/health/ready` need
//! no password.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::authentication::{self, Authentication};
use super::counts::{Counts, Known};
use super::page::{self, Note, Shown};
use super::sender::{MESSAGES_MAX, Sender};

/// A form with one number.
const BODY_BYTES_MAX: usize = 4_096;
/// The page asks for nothing from elsewhere, and cannot be framed.
const POLICY: &str = "default-src 'none'; img-src data:; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What requests are answered from.
#[derive(Debug, Clone)]
pub struct Desk {
    pub queue_url: String,
    /// Where this runs.
    pub pod: String,
    pub counts: Counts,
    pub sender: Sender,
}

/// Every path, with its headers and its guard.
pub fn routes(desk: Desk, authentication: Authentication) -> Router {
    let guard = middleware::from_fn_with_state(authentication, authentication::check);
    Router::new()
        .route("/", get(show).post(send_and_show))
        .route("/page.css", get(style))
        .route("/page.js", get(script))
        .route("/get_pods", get(pods))
        .route("/get_message_count", get(message_count))
        .route("/get_sqs_queue_avg", get(average))
        .route("/send_messages_async", post(send_in_background))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(guard)
        .layer(middleware::map_response(guarded))
        .route("/health/live", get(StatusCode::OK))
        .route("/health/ready", get(StatusCode::OK))
        .with_state(desk)
}

async fn guarded(mut response: Response) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE).into_response()
}

async fn script() -> Response {
    (
        [(CONTENT_TYPE, "text/javascript; charset=utf-8")],
        page::SCRIPT,
    )
        .into_response()
}

async fn show(State(desk): State<Desk>) -> Response {
    desk.page(StatusCode::OK, None).await
}

/// Waits until everything is sent.
async fn send_and_show(State(desk): State<Desk>, body: Bytes) -> Response {
    let mut fields = form_urlencoded::parse(&body);
    let number = fields.find(|(name, _)| name == "number");
    let number = number.map_or(Value::Null, |(_, text)| Value::String(text.into_owned()));
    let (status, note) = match allowed(&number) {
        Ok(messages) => desk.send(messages).await,
        Err(refusal) => (StatusCode::BAD_REQUEST, Note::Failed(refusal)),
    };
    desk.page(status, Some(note)).await
}

async fn send_in_background(State(desk): State<Desk>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let messages = match allowed(body.get("number").unwrap_or(&Value::Null)) {
        Ok(messages) => messages,
        Err(refusal) => return refused(StatusCode::BAD_REQUEST, &refusal),
    };
    match desk.sender.leave() {
        Err(error) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        Ok(leave) => {
            // It goes on by itself; the log tells how it ended.
            drop(desk.sender.send(messages, leave));
            let told = json!({
                "status": "started",
                "message": format!("Sending {messages} messages in background"),
                "max_messages": messages,
                "pod": desk.pod,
            });
            (StatusCode::ACCEPTED, Json(told)).into_response()
        }
    }
}

async fn pods(State(desk): State<Desk>) -> Response {
    told(
        desk.counts.pods().await,
        |names| json!({ "pod_count": names.len(), "pod_names": names }),
    )
}

/// A string, as it has always been.
async fn message_count(State(desk): State<Desk>) -> Response {
    told(
        desk.counts.messages().await,
        |count| json!({ "message_count": count.to_string() }),
    )
}

/// Zero while the autoscaler has no metric.
async fn average(State(desk): State<Desk>) -> Response {
    told(
        desk.counts.average().await,
        |average| json!({ "sqs_queue_avg": average.unwrap_or(0.0) }),
    )
}

fn told<T>(known: Known<T>, tell: impl FnOnce(T) -> Value) -> Response {
    match known {
        Ok(known) => Json(tell(known)).into_response(),
        Err(reason) => refused(StatusCode::SERVICE_UNAVAILABLE, &reason),
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// A number, or a string that is one.
fn allowed(number: &Value) -> Result<u64, String> {
    let number = match number {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_i64(),
    };
    let number = number.ok_or("Invalid number format")?;
    let number = u64::try_from(number).unwrap_or(0);
    if (1..=MESSAGES_MAX).contains(&number) {
        Ok(number)
    } else {
        Err(format!(
            "Invalid number of messages (must be 1-{MESSAGES_MAX})"
        ))
    }
}

impl Desk {
    async fn send(&self, messages: u64) -> (StatusCode, Note) {
        let leave = match self.sender.leave() {
            Ok(leave) => leave,
            Err(error) => {
                let note = Note::Failed(error.to_string());
                return (StatusCode::SERVICE_UNAVAILABLE, note);
            }
        };
        match self.sender.send(messages, leave).await {
            0 => {
                let told = format!("Sent {messages} messages.");
                (StatusCode::OK, Note::Done(told))
            }
            failed => {
                let told =
                    format!("SQS did not take {failed} of {messages} messages; the log says why.");
                (StatusCode::BAD_GATEWAY, Note::Failed(told))
            }
        }
    }

    async fn page(&self, status: StatusCode, note: Option<Note>) -> Response {
        let (messages, pods, average) = tokio::join!(
            Box::pin(self.counts.messages()),
            Box::pin(self.counts.pods()),
            Box::pin(self.counts.average())
        );
        let shown = Shown {
            queue_url: &self.queue_url,
            messages,
            pods,
            average,
            note,
        };
        (status, Html(page::html(&shown).into_string())).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_numbers_or_as_text() {
        let range = "Invalid number of messages (must be 1-100000)";
        let format = "Invalid number format";
        let table = [
            (json!(7), Ok(7)),
            (json!("100000"), Ok(100_000)),
            (json!(0), Err(range)),
            (json!("-3"), Err(range)),
            (json!(100_001), Err(range)),
            (json!("seven"), Err(format)),
            (json!(1.5), Err(format)),
            (Value::Null, Err(format)),
        ];
        for (number, expected) in table {
            let expected = expected.map_err(ToOwned::to_owned);
            assert_eq!(allowed(&number), expected, "{number}");
        }
    }
}
