//! What a queue is set to and how it is at the moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, Empty, SqsError};
use crate::local::{
    account::Account, attributes::QueueAttributes, local_queue::LocalQueue, queue::Counts,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeMap {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

/// The attributes that describe a queue at the moment.
const MOMENTARY: [&str; 6] = [
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
];

/// Gives what was asked for; names that this queue merely lacks are left out.
pub(super) fn get_queue_attributes(
    account: &mut Account,
    call: &Call,
    request: GetQueueAttributes,
) -> Result<AttributeMap, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    let counts = queue.messages.counts(call.now);
    let value = |name: &str| momentary(queue, counts, name).or_else(|| queue.attributes.get(name));
    let known = || MOMENTARY.into_iter().chain(QueueAttributes::names());
    let asked = request.attribute_names;
    if asked.iter().any(|name| name == "All") {
        let all = known().filter_map(|name| Some((name.to_owned(), value(name)?)));
        return Ok(AttributeMap {
            attributes: all.collect(),
        });
    }
    if let Some(unknown) = asked
        .iter()
        .find(|name| !known().any(|known| known == name.as_str()))
    {
        return Err(SqsError::InvalidAttributeName(unknown.clone()));
    }
    let given = asked
        .into_iter()
        .filter_map(|name| value(&name).map(|value| (name, value)));
    Ok(AttributeMap {
        attributes: given.collect(),
    })
}

pub(super) fn set_queue_attributes(
    account: &mut Account,
    call: &Call,
    request: SetQueueAttributes,
) -> Result<Empty, SqsError> {
    let known = &account.queue(&request.queue_url)?.attributes;
    let mut attributes = known.clone();
    for (name, value) in &request.attributes {
        attributes.set(name, value)?;
    }
    if attributes.is_fifo != known.is_fifo {
        return Err(SqsError::InvalidAttributeName("FifoQueue".to_owned()));
    }
    if request.attributes.contains_key("RedrivePolicy") {
        account.check_redrive(&attributes)?;
    }
    let queue = account.queue(&request.queue_url)?;
    queue.apply(call.now, attributes);
    queue.arrivals.notify_waiters();
    Ok(Empty {})
}

fn momentary(queue: &LocalQueue, counts: Counts, name: &str) -> Option<String> {
    match name {
        "QueueArn" => Some(queue.arn.clone()),
        "ApproximateNumberOfMessages" => Some(counts.visible.to_string()),
        "ApproximateNumberOfMessagesNotVisible" => Some(counts.in_flight.to_string()),
        "ApproximateNumberOfMessagesDelayed" => Some(counts.delayed.to_string()),
        "CreatedTimestamp" => Some(queue.created_at.as_secs().to_string()),
        "LastModifiedTimestamp" => Some(queue.modified_at.as_secs().to_string()),
        _ => None,
    }
}
