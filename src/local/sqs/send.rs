//! Messages on their way in: checked, digested, stored.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Call, SqsError,
    address::sequence_number,
    batch::{BatchAnswer, answer_each, check_ids},
    content::{self, Attributes, Content},
    in_range,
};
use crate::local::{
    account::Account,
    attributes::{MESSAGE_BYTES_MAX, QueueAttributes},
    local_queue::LocalQueue,
    queue::NewMessage,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    message: Draft,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessageBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(flatten)]
    message: Draft,
}

/// A message as its sender wrote it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Draft {
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Attributes,
    #[serde(default)]
    message_system_attributes: Attributes,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentMessage {
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_body: String,
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_attributes: Option<String>,
    #[serde(
        rename = "MD5OfMessageSystemAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_system_attributes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentEntry {
    id: String,
    #[serde(flatten)]
    sent: SentMessage,
}

pub(super) fn send_message(
    account: &mut Account,
    call: &Call,
    request: SendMessage,
) -> Result<SentMessage, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    let sent = store(queue, call.now, request.message)?;
    queue.arrivals.notify_waiters();
    Ok(sent)
}

pub(super) fn send_message_batch(
    account: &mut Account,
    call: &Call,
    request: SendMessageBatch,
) -> Result<BatchAnswer<SentEntry>, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    check_ids(
        "SendMessageBatchRequestEntry",
        request.entries.iter().map(|entry| &entry.id),
    )?;
    let bytes: usize = request
        .entries
        .iter()
        .map(|entry| entry.message.size_bytes())
        .sum();
    if bytes > usize::try_from(MESSAGE_BYTES_MAX).unwrap_or(usize::MAX) {
        return Err(SqsError::BatchRequestTooLong(bytes));
    }
    let entries = request
        .entries
        .into_iter()
        .map(|entry| (entry.id, entry.message))
        .collect();
    let answer = answer_each(entries, |id, message| {
        Ok(SentEntry {
            id,
            sent: store(queue, call.now, message)?,
        })
    });
    queue.arrivals.notify_waiters();
    Ok(answer)
}

/// Sends a message that has nothing but a body.
pub(crate) fn send_body(queue: &mut LocalQueue, now: Duration, body: &str) -> Result<(), SqsError> {
    store(queue, now, Draft::of(body))?;
    queue.arrivals.notify_waiters();
    Ok(())
}

fn store(queue: &mut LocalQueue, now: Duration, message: Draft) -> Result<SentMessage, SqsError> {
    message.check(&queue.attributes)?;
    let delay = in_range("DelaySeconds", message.delay_seconds, 0..=900)?.map(Duration::from_secs);
    let deduplication = message.deduplication(&queue.attributes)?;
    let group = message.message_group_id.as_deref().map(Arc::from);
    let size = message.size_bytes();
    let md5_of_attributes = content::attributes_md5(&message.message_attributes);
    let md5_of_system_attributes = content::attributes_md5(&message.message_system_attributes);
    let payload = Arc::new(message.into_content());
    let md5_of_body = payload.body_md5.clone();
    let sent = queue.messages.send(
        now,
        NewMessage {
            payload,
            delay,
            group,
            deduplication,
        },
    );
    if !sent.is_duplicate {
        queue.traffic.add_sent(size);
    }
    Ok(SentMessage {
        message_id: queue.message_id(sent.key),
        md5_of_body,
        md5_of_attributes,
        md5_of_system_attributes,
        sequence_number: queue.attributes.is_fifo.then(|| sequence_number(sent.key)),
    })
}

impl Draft {
    fn of(body: &str) -> Self {
        Self {
            message_body: body.to_owned(),
            delay_seconds: None,
            message_attributes: Attributes::default(),
            message_system_attributes: Attributes::default(),
            message_group_id: None,
            message_deduplication_id: None,
        }
    }

    fn size_bytes(&self) -> usize {
        content::size_bytes(&self.message_body, &self.message_attributes)
    }

    fn check(&self, queue: &QueueAttributes) -> Result<(), SqsError> {
        if self.message_body.is_empty() {
            return Err(SqsError::MissingParameter("MessageBody"));
        }
        content::check_attributes(&self.message_attributes)?;
        if !content::is_valid_text(&self.message_body) {
            return Err(SqsError::InvalidMessageContents);
        }
        let bytes_max = queue.message_bytes_max;
        if u64::try_from(self.size_bytes()).is_ok_and(|bytes| bytes > bytes_max) {
            return Err(SqsError::InvalidParameterValue(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes."
            )));
        }
        if queue.is_fifo {
            self.check_fifo()
        } else {
            self.check_standard()
        }
    }

    fn check_fifo(&self) -> Result<(), SqsError> {
        check_id(
            "MessageDeduplicationId",
            self.message_deduplication_id.as_deref(),
        )?;
        match (&self.message_group_id, self.delay_seconds) {
            (None, _) => Err(SqsError::MissingParameter("MessageGroupId")),
            (_, Some(delay)) if delay != 0 => Err(not_for_this_queue("DelaySeconds", delay)),
            (group, _) => check_id("MessageGroupId", group.as_deref()),
        }
    }

    fn check_standard(&self) -> Result<(), SqsError> {
        match &self.message_deduplication_id {
            Some(id) => Err(not_for_this_queue("MessageDeduplicationId", id)),
            None => check_id("MessageGroupId", self.message_group_id.as_deref()),
        }
    }

    /// By which id a FIFO queue knows this message again; the one that was given comes first.
    fn deduplication(&self, queue: &QueueAttributes) -> Result<Option<String>, SqsError> {
        if !queue.is_fifo {
            return Ok(None);
        }
        let id = match &self.message_deduplication_id {
            Some(id) => id.clone(),
            None if queue.deduplicates_content => content::body_sha256(&self.message_body),
            None => {
                return Err(SqsError::InvalidParameterValue(
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly".to_owned(),
                ));
            }
        };
        let group = self.message_group_id.as_deref().unwrap_or_default();
        Ok(Some(if queue.deduplicates_per_group {
            format!("{group} {id}")
        } else {
            id
        }))
    }

    fn into_content(self) -> Content {
        let mut system = BTreeMap::new();
        let trace = self.message_system_attributes.get("AWSTraceHeader");
        for (name, value) in [
            ("MessageGroupId", self.message_group_id),
            ("MessageDeduplicationId", self.message_deduplication_id),
            (
                "AWSTraceHeader",
                trace.and_then(|header| header.string_value.clone()),
            ),
        ] {
            system.extend(value.map(|value| (name, value)));
        }
        Content {
            id: None,
            body_md5: content::body_md5(&self.message_body),
            body: self.message_body,
            attributes: self.message_attributes,
            system,
        }
    }
}

fn check_id(parameter: &'static str, id: Option<&str>) -> Result<(), SqsError> {
    let is_fit = |id: &str| {
        (1..=128).contains(&id.len()) && id.chars().all(|letter| letter.is_ascii_graphic())
    };
    match id {
        Some(id) if !is_fit(id) => Err(SqsError::invalid(
            parameter,
            id,
            &format!(
                "{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            ),
        )),
        _ => Ok(()),
    }
}

fn not_for_this_queue(parameter: &str, value: impl std::fmt::Display) -> SqsError {
    SqsError::invalid(
        parameter,
        value,
        "The request include parameter that is not valid for this queue type",
    )
}
