//! What a queue is set to and how it is at the moment.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Call, Empty, SqsError};
use crate::local::{account::Account, attributes::QueueAttributes, local_queue::LocalQueue};

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

pub(super) fn get_queue_attributes(
    account: &mut Account,
    call: &Call,
    request: GetQueueAttributes,
) -> Result<AttributeMap, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    let mut attributes = queue.attributes.to_map();
    attributes.extend(momentary(queue, call.now));
    if !request.attribute_names.iter().any(|name| name == "All") {
        check_names(&request.attribute_names)?;
        attributes.retain(|name, _| request.attribute_names.contains(name));
    }
    Ok(AttributeMap { attributes })
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

/// The attributes that describe the queue at this moment.
fn momentary(queue: &mut LocalQueue, now: Duration) -> [(String, String); 6] {
    let counts = queue.messages.counts(now);
    [
        ("QueueArn", queue.arn.clone()),
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        (
            "ApproximateNumberOfMessagesNotVisible",
            counts.in_flight.to_string(),
        ),
        (
            "ApproximateNumberOfMessagesDelayed",
            counts.delayed.to_string(),
        ),
        ("CreatedTimestamp", queue.created_at.as_secs().to_string()),
        (
            "LastModifiedTimestamp",
            queue.modified_at.as_secs().to_string(),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

/// Refuses names that SQS does not have; those that this queue merely lacks are left out of the answer.
fn check_names(names: &[String]) -> Result<(), SqsError> {
    const MOMENTARY: [&str; 6] = [
        "QueueArn",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
    ];
    for name in names
        .iter()
        .filter(|name| !MOMENTARY.contains(&name.as_str()))
    {
        let probe = QueueAttributes::default().set(name, "");
        if let Err(unknown @ SqsError::InvalidAttributeName(_)) = probe {
            return Err(unknown);
        }
    }
    Ok(())
}
