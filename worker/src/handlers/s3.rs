//! Stores each event as an object in S3, under the same key however often its message comes.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use axum::body::Bytes;
use axum::http::{Method, Request};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::timeout;

use super::{Handler, HandlerError};
use crate::date::path_date;
use crate::message::Message;
use crate::s3_signer::Signer;
use crate::web::Web;

/// An event is at most 1 MiB; S3 takes that in well under a second.
const TIMEOUT: Duration = Duration::from_secs(20);

/// All but the unreserved characters and the slash, as S3 wants a path in its signature.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Stores `<prefix>/event_type=<event type>/dt=<YYYY_MM_DD>/<message id>.json`. The date is that of the sending, in UTC,
/// so that a message that comes again replaces its own object and no other.
#[derive(Debug)]
pub struct S3 {
    web: Web,
    signer: Signer,
    /// The URL that every key follows.
    base: String,
    prefix: String,
}

impl S3 {
    /// A bucket of the region and endpoint of the AWS configuration, or of an endpoint of its own.
    pub fn new(web: Web, aws: &SdkConfig, place: &Place) -> Result<Self, HandlerError> {
        let signer = Signer::new(aws)?;
        let endpoint = place.endpoint.as_deref().or(aws.endpoint_url());
        Ok(Self {
            base: base(endpoint, &place.bucket, signer.region()),
            prefix: place.prefix.trim_matches('/').to_owned(),
            web,
            signer,
        })
    }
}

/// Where events are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub bucket: String,
    pub prefix: String,
    pub endpoint: Option<String>,
}

impl Handler for S3 {
    async fn handle(&self, message: Arc<Message>) -> Result<(), HandlerError> {
        let key = key(&self.prefix, &message)?;
        let url = format!("{}/{}", self.base, escaped(&key));
        let body = Bytes::from(message.body.clone());
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = url.parse()?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json".parse()?);
        self.signer.sign(&mut request, &body).await?;
        let answered = timeout(TIMEOUT, self.web.send(request)).await;
        let seconds = TIMEOUT.as_secs();
        answered
            .map_err(|_| format!("S3 did not answer within {seconds} s"))??
            .check(&url)
    }
}

/// Path style where an endpoint is given, as servers other than S3 want it.
fn base(endpoint: Option<&str>, bucket: &str, region: &str) -> String {
    match endpoint {
        Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
    }
}

/// What makes a message an event: a JSON object with a store, an attribute `event_type`, and a moment of its sending.
fn key(prefix: &str, message: &Message) -> Result<String, HandlerError> {
    let body: Value = serde_json::from_str(&message.body)
        .map_err(|cause| format!("malformed event: the body is no JSON: {cause}"))?;
    let fields = body
        .as_object()
        .ok_or("malformed event: the body is no JSON object")?;
    if !fields.contains_key("store_id") {
        return Err("malformed event: the body has no \"store_id\"".into());
    }
    let event_type = message
        .attributes
        .get("event_type")
        .ok_or("malformed event: the message has no attribute \"event_type\"")?;
    let is_name = |text: &str| {
        let mut characters = text.chars();
        !text.is_empty() && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    if !is_name(event_type) {
        return Err(format!("malformed event: {event_type:?} is no name of an event type").into());
    }
    let sent_at = message
        .sent_at
        .ok_or("SQS did not say when the message was sent")?;
    let (date, id) = (path_date(sent_at), &message.id);
    let slash = if prefix.is_empty() { "" } else { "/" };
    Ok(format!(
        "{prefix}{slash}event_type={event_type}/dt={date}/{id}.json"
    ))
}

fn escaped(key: &str) -> String {
    utf8_percent_encode(key, &ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_event(body: &str) -> Message {
        Message {
            attributes: [("event_type".to_owned(), "sale_event".to_owned())].into(),
            sent_at: Some(Duration::from_hours(498_696)),
            ..Message::new("0b8e3f44-9d35", body)
        }
    }

    #[test]
    fn the_key_names_the_event_its_day_and_its_message() {
        assert_eq!(
            key("store_events", &given_event(r#"{"store_id":1}"#)).unwrap(),
            "store_events/event_type=sale_event/dt=2026_11_22/0b8e3f44-9d35.json"
        );
    }

    #[test]
    fn what_is_no_event_has_no_key() {
        let table = [
            ("not json", "no JSON"),
            ("[1]", "no JSON object"),
            (r#"{"bad_msg":true}"#, "store_id"),
        ];
        for (body, expected) in table {
            let error = key("p", &given_event(body)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let mut elsewhere = given_event(r#"{"store_id":1}"#);
        let attribute = "../../other".to_owned();
        elsewhere.attributes.insert("event_type".into(), attribute);
        assert!(key("p", &elsewhere).is_err());
    }

    #[test]
    fn a_bucket_is_a_host_at_aws_and_a_path_elsewhere() {
        let aws = "https://events.s3.eu-west-1.amazonaws.com";
        assert_eq!(base(None, "events", "eu-west-1"), aws);
        let local = base(Some("http://127.0.0.1:9/"), "events", "eu-west-1");
        assert_eq!(local, "http://127.0.0.1:9/events");
        assert_eq!(escaped("a=b/c d"), "a%3Db/c%20d");
    }
}
