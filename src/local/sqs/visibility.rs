//! Messages in flight that need more time, or none.

use std::time::Duration;

use serde::Deserialize;

use super::{
    Call, Empty, SqsError,
    address::receipt_of,
    batch::{BatchAnswer, DoneEntry, answer_each, check_ids},
    delete::of_receipt,
    in_range,
};
use crate::local::{account::Account, local_queue::LocalQueue};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeVisibility {
    queue_url: String,
    #[serde(flatten)]
    change: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeVisibilityBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(flatten)]
    change: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

pub(super) fn change_message_visibility(
    account: &mut Account,
    call: &Call,
    request: ChangeVisibility,
) -> Result<Empty, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    change(queue, call.now, &request.change)?;
    queue.arrivals.notify_waiters();
    Ok(Empty {})
}

pub(super) fn change_message_visibility_batch(
    account: &mut Account,
    call: &Call,
    request: ChangeVisibilityBatch,
) -> Result<BatchAnswer<DoneEntry>, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    let ids = request.entries.iter().map(|entry| &entry.id);
    check_ids("ChangeMessageVisibilityBatchRequestEntry", ids)?;
    let entries = request
        .entries
        .into_iter()
        .map(|entry| (entry.id, entry.change))
        .collect();
    let answer = answer_each(entries, |id, entry| {
        change(queue, call.now, &entry).map(|()| DoneEntry { id })
    });
    queue.arrivals.notify_waiters();
    Ok(answer)
}

fn change(queue: &mut LocalQueue, now: Duration, change: &Change) -> Result<(), SqsError> {
    let timeout = in_range("VisibilityTimeout", change.visibility_timeout, 0..=43_200)?
        .ok_or(SqsError::MissingParameter("VisibilityTimeout"))?;
    let receipt = receipt_of(queue.id, &change.receipt_handle)?;
    queue
        .messages
        .change_visibility(now, receipt, Duration::from_secs(timeout))
        .map_err(|error| of_receipt(error, &change.receipt_handle))
}
