//! Between the types of the SDK and those of the worker. Asks SQS nothing.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, Message as SqsMessage, MessageAttributeValue, MessageSystemAttributeName,
};
use tracing::error;

use crate::batch::{Rejection, Reply};
use crate::message::{Message, Receipt};
use crate::produce::events::Outgoing;

/// What a handler, the metrics and the order of a FIFO queue need to know of a message.
pub(super) const SYSTEM_ATTRIBUTES: [MessageSystemAttributeName; 4] = [
    MessageSystemAttributeName::ApproximateReceiveCount,
    MessageSystemAttributeName::SentTimestamp,
    MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
    MessageSystemAttributeName::MessageGroupId,
];

/// SQS always names a message and its receipt; without them nothing could ever be done with it.
pub(super) fn message(received: SqsMessage) -> Option<Message> {
    let (Some(id), Some(handle)) = (received.message_id, received.receipt_handle) else {
        error!("SQS gave out a message without an id or a receipt handle; it comes again later");
        return None;
    };
    let system = received.attributes.unwrap_or_default();
    let milliseconds = |name| number(&system, &name).map(Duration::from_millis);
    let attributes = received.message_attributes.unwrap_or_default();
    Some(Message {
        id,
        body: received.body.unwrap_or_default(),
        attributes: attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.string_value?)))
            .collect(),
        group: system
            .get(&MessageSystemAttributeName::MessageGroupId)
            .cloned(),
        receive_count: number(
            &system,
            &MessageSystemAttributeName::ApproximateReceiveCount,
        ),
        sent_at: milliseconds(MessageSystemAttributeName::SentTimestamp),
        first_received_at: milliseconds(
            MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
        ),
        receipt: Receipt::new(&handle),
    })
}

fn number<N: FromStr>(
    attributes: &HashMap<MessageSystemAttributeName, String>,
    name: &MessageSystemAttributeName,
) -> Option<N> {
    attributes.get(name)?.parse().ok()
}

pub(super) fn attributes(message: &Outgoing) -> HashMap<String, MessageAttributeValue> {
    let values = message.attributes.iter().map(|(name, text)| {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(text);
        Some(((*name).to_owned(), value.build().ok()?))
    });
    values.flatten().collect()
}

pub(super) fn reply(
    accepted: impl Iterator<Item = String>,
    failed: Vec<BatchResultErrorEntry>,
) -> Reply {
    let rejected = failed.into_iter().map(|entry| Rejection {
        id: entry.id,
        code: entry.code,
        is_sender_fault: entry.sender_fault,
    });
    Reply {
        accepted: accepted.collect(),
        rejected: rejected.collect(),
    }
}

pub(super) fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
