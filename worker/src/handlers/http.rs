//! Posts each message to a URL; the status of the answer decides.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, Request, Uri};
use http_body_util::Full;
use tokio::time::timeout;

use super::{Handler, HandlerError};
use crate::message::Message;
use crate::web::Web;

/// Any 2xx is done; every other status, and no answer in time, is a failure. Redirects are not followed: where a message
/// goes is the operator's to say.
#[derive(Debug, Clone)]
pub struct Http {
    pub web: Web,
    pub url: Uri,
    pub timeout: Duration,
}

impl Handler for Http {
    async fn handle(&self, message: Arc<Message>) -> Result<(), HandlerError> {
        let request = request(&self.url, &message)?;
        let seconds = self.timeout.as_secs();
        let answered = timeout(self.timeout, self.web.send(request))
            .await
            .map_err(|_| format!("{} did not answer within {seconds} s", self.url))??;
        answered.check(&self.url.to_string())
    }
}

/// The body as it is; what else is known of the message in headers.
fn request(url: &Uri, message: &Message) -> Result<Request<Full<Bytes>>, HandlerError> {
    let mut request = Request::new(Full::new(Bytes::from(message.body.clone())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.clone();
    let is_json = serde_json::from_str::<serde_json::Value>(&message.body).is_ok();
    let content_type = if is_json {
        "application/json"
    } else {
        "text/plain; charset=utf-8"
    };
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let count = message.receive_count.map(|count| count.to_string());
    let known = [
        ("message-id", Some(&message.id)),
        ("receive-count", count.as_ref()),
        ("group", message.group.as_ref()),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            let name = HeaderName::try_from(format!("x-sqs-{name}"))?;
            headers.insert(name, HeaderValue::from_str(value)?);
        }
    }
    for (name, value) in &message.attributes {
        let name = HeaderName::try_from(format!("x-sqs-attribute-{name}"));
        // A value that no header can carry is a malformed message, not one to guess at.
        headers.insert(name?, HeaderValue::from_str(value)?);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_message(body: &str, attribute: &str) -> Message {
        Message {
            attributes: [("event_type".to_owned(), attribute.to_owned())].into(),
            receive_count: Some(3),
            ..Message::new("m-1", body)
        }
    }

    #[test]
    fn a_message_becomes_a_post_that_says_what_is_known_of_it() {
        let url = Uri::from_static("http://charge.internal/orders");
        let request = request(&url, &given_message("{}", "sale_event")).unwrap();
        let headers = request.headers();
        assert_eq!((request.method(), request.uri()), (&Method::POST, &url));
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["x-sqs-message-id"], "m-1");
        assert_eq!(headers["x-sqs-receive-count"], "3");
        assert_eq!(headers["x-sqs-attribute-event_type"], "sale_event");
    }

    #[test]
    fn an_attribute_that_would_break_the_request_is_refused() {
        let url = Uri::from_static("http://charge.internal/orders");
        assert!(request(&url, &given_message("{}", "a\r\nhost: b")).is_err());
    }
}
