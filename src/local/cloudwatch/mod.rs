//! `CloudWatch` over RPC v2 CBOR, as the Rust SDK speaks it, and over JSON, as boto3 does. The metrics of
//! `AWS/SQS` come from the queues themselves, a minute each, and are published late as on AWS.

#![allow(
    clippy::needless_pass_by_value,
    reason = "every operation takes its request by value, so that one way to run them fits all"
)]

mod cbor;
mod error;
mod get_data;
mod get_statistics;
mod list;
mod period;
mod put;
mod samples;
mod statistics;
mod store;

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use self::samples::{MINUTE, SAMPLES_MAX, sample_all};
pub(crate) use self::{
    error::CloudWatchError, samples::Samples, statistics::Statistics, store::Metrics,
};
use super::server::Shared;

/// The operations this server answers; requests are counted by these names.
pub(crate) const OPERATIONS: [&str; 4] = [
    "GetMetricData",
    "GetMetricStatistics",
    "ListMetrics",
    "PutMetricData",
];

/// How a request was written and its answer will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Cbor,
    Json,
}

impl Format {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Cbor => "application/cbor",
            Self::Json => "application/x-amz-json-1.0",
        }
    }

    fn decode(self, body: &[u8]) -> Result<Value, CloudWatchError> {
        let unreadable = |error: String| CloudWatchError::Serialization(error);
        match self {
            Self::Cbor => cbor::to_json(body).map_err(|error| unreadable(error.to_string())),
            Self::Json => {
                serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))
            }
        }
    }

    fn encode(self, answer: &Value) -> Vec<u8> {
        match self {
            Self::Cbor => cbor::from_json(answer),
            Self::Json => answer.to_string().into_bytes(),
        }
    }
}

/// Answers one operation with the bytes of its body.
pub(crate) fn answer(
    shared: &Shared,
    operation: &str,
    format: Format,
    body: &[u8],
) -> Result<Vec<u8>, CloudWatchError> {
    shared.catch_up();
    let request = format.decode(body)?;
    let answer = match operation {
        "GetMetricData" => run(shared, request, get_data::get_metric_data),
        "GetMetricStatistics" => run(shared, request, get_statistics::get_metric_statistics),
        "ListMetrics" => run(shared, request, list::list_metrics),
        "PutMetricData" => run(shared, request, put::put_metric_data),
        other => Err(CloudWatchError::UnknownOperation(other.to_owned())),
    }?;
    Ok(format.encode(&answer))
}

/// The body of an error.
pub(crate) fn error_body(error: &CloudWatchError, format: Format) -> Vec<u8> {
    format.encode(&json!({ "__type": error.names().0, "message": error.to_string() }))
}

/// Samples every minute that has ended by `now`; of a long jump only the first one, to see what was in
/// use, and those that would be kept.
pub(crate) fn sample_until(shared: &Shared, now: Duration) {
    let mut account = shared.account();
    let mut metrics = shared.metrics();
    let kept = u32::try_from(SAMPLES_MAX).unwrap_or(u32::MAX);
    let oldest = statistics::start_of(now.saturating_sub(MINUTE * kept), MINUTE);
    while metrics.next_sample_at <= now {
        sample_all(&mut account, metrics.next_sample_at);
        metrics.next_sample_at = oldest.max(metrics.next_sample_at + MINUTE);
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    shared: &Shared,
    request: Value,
    operation: impl FnOnce(&Shared, Q) -> Result<A, CloudWatchError>,
) -> Result<Value, CloudWatchError> {
    let unreadable = |error: serde_json::Error| CloudWatchError::Serialization(error.to_string());
    let request = serde_json::from_value(request).map_err(unreadable)?;
    serde_json::to_value(operation(shared, request)?).map_err(unreadable)
}
