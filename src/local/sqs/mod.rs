//! SQS over JSON: one function an operation, from its request to its answer. It knows no HTTP.

#![allow(
    clippy::needless_pass_by_value,
    reason = "every operation takes its request by value, so that one way to run them fits all"
)]

mod address;
mod batch;
mod content;
mod delete;
mod error;
mod move_tasks;
pub(crate) mod partial;
mod queue_attributes;
mod queues;
mod receive;
mod send;
mod tags;
mod visibility;

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

pub use self::error::SqsError;
pub(crate) use self::{
    address::{ACCOUNT, check_name, message_id, name_in_arn, name_in_url, queue_arn, queue_url},
    content::{Content, hex},
    move_tasks::MoveTasks,
    send::send_body,
};
use super::{account::Account, server::App};

/// The operations this server answers; requests are counted by these names.
pub(crate) const OPERATIONS: [&str; 21] = [
    "CancelMessageMoveTask",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "CreateQueue",
    "DeleteMessage",
    "DeleteMessageBatch",
    "DeleteQueue",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "ListMessageMoveTasks",
    "ListQueueTags",
    "ListQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
    "SendMessageBatch",
    "SetQueueAttributes",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
];

/// When and through which host name a request came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) now: Duration,
    pub(crate) host: String,
}

/// Answers one operation with the bytes of its JSON body.
pub(crate) async fn answer(
    app: &App,
    operation: &str,
    host: &str,
    body: &[u8],
) -> Result<Vec<u8>, SqsError> {
    let run = Run { app, host, body };
    match operation {
        "ReceiveMessage" => encode(&receive::receive_message(app, decode(body)?).await?),
        "CreateQueue" => run.with(queues::create_queue),
        "DeleteQueue" => run.with(queues::delete_queue),
        "PurgeQueue" => run.with(queues::purge_queue),
        "ListQueues" => run.with(queues::list_queues),
        "GetQueueUrl" => run.with(queues::get_queue_url),
        "GetQueueAttributes" => run.with(queue_attributes::get_queue_attributes),
        "SetQueueAttributes" => run.with(queue_attributes::set_queue_attributes),
        "ListDeadLetterSourceQueues" => run.with(queues::list_dead_letter_source_queues),
        "SendMessage" => run.with(send::send_message),
        "SendMessageBatch" => run.with(send::send_message_batch),
        "DeleteMessage" => run.with(delete::delete_message),
        "DeleteMessageBatch" => run.with(delete::delete_message_batch),
        "ChangeMessageVisibility" => run.with(visibility::change_message_visibility),
        "ChangeMessageVisibilityBatch" => run.with(visibility::change_message_visibility_batch),
        "TagQueue" => run.with(tags::tag_queue),
        "UntagQueue" => run.with(tags::untag_queue),
        "ListQueueTags" => run.with(tags::list_queue_tags),
        "StartMessageMoveTask" => run.with(move_tasks::start),
        "ListMessageMoveTasks" => run.with(move_tasks::list),
        "CancelMessageMoveTask" => run.with(move_tasks::cancel),
        other => Err(SqsError::UnknownOperation(other.to_owned())),
    }
}

/// The queue a request is about, read from its body alone.
pub(crate) fn queue_name_in(body: &[u8]) -> Option<String> {
    let request: serde_json::Value = serde_json::from_slice(body).ok()?;
    let queue = request
        .get("QueueUrl")
        .or_else(|| request.get("QueueName"))?;
    name_in_url(queue.as_str()?).ok().map(str::to_owned)
}

/// An answer that says nothing but that it worked.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

struct Run<'a> {
    app: &'a App,
    host: &'a str,
    body: &'a [u8],
}

impl Run<'_> {
    /// Decodes and encodes outside the lock that the operation itself runs under.
    fn with<Q: DeserializeOwned, A: Serialize>(
        &self,
        operation: impl FnOnce(&mut Account, &Call, Q) -> Result<A, SqsError>,
    ) -> Result<Vec<u8>, SqsError> {
        let request = decode(self.body)?;
        let call = Call {
            now: self.app.shared.now(),
            host: self.host.to_owned(),
        };
        let answer = operation(&mut self.app.shared.account(), &call, request)?;
        encode(&answer)
    }
}

fn decode<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, SqsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| SqsError::Serialization(error.to_string()))
}

fn encode(answer: &impl Serialize) -> Result<Vec<u8>, SqsError> {
    serde_json::to_vec(answer).map_err(|error| SqsError::Serialization(error.to_string()))
}

/// The JSON body of an error.
pub(crate) fn error_body(error: &SqsError) -> Vec<u8> {
    json!({ "__type": error.shape().type_name, "message": error.to_string() })
        .to_string()
        .into_bytes()
}

/// A number within the range that SQS allows for it, or nothing when none was given.
fn in_range(
    parameter: &str,
    value: Option<i64>,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, SqsError> {
    let Some(given) = value else { return Ok(None) };
    let (min, max) = (range.start(), range.end());
    u64::try_from(given)
        .ok()
        .filter(|value| range.contains(value))
        .map(Some)
        .ok_or_else(|| {
            SqsError::invalid(
                parameter,
                given,
                &format!("Must be >= {min} and <= {max}, if provided."),
            )
        })
}
