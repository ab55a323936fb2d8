//! Messages that are done.

use std::time::Duration;

use serde::Deserialize;

use super::{
    Call, Empty, SqsError,
    address::receipt_of,
    batch::{BatchAnswer, DoneEntry, answer_each, check_ids},
};
use crate::local::{account::Account, local_queue::LocalQueue, queue::ReceiptError};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessageBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    receipt_handle: String,
}

pub(super) fn delete_message(
    account: &mut Account,
    call: &Call,
    request: DeleteMessage,
) -> Result<Empty, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    delete(queue, call.now, &request.receipt_handle)?;
    queue.arrivals.notify_waiters();
    Ok(Empty {})
}

pub(super) fn delete_message_batch(
    account: &mut Account,
    call: &Call,
    request: DeleteMessageBatch,
) -> Result<BatchAnswer<DoneEntry>, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    check_ids(
        "DeleteMessageBatchRequestEntry",
        request.entries.iter().map(|entry| &entry.id),
    )?;
    let entries = request
        .entries
        .into_iter()
        .map(|entry| (entry.id, entry.receipt_handle))
        .collect();
    let answer = answer_each(entries, |id, handle: String| {
        delete(queue, call.now, &handle).map(|()| DoneEntry { id })
    });
    // A FIFO group goes on as soon as its message is gone.
    queue.arrivals.notify_waiters();
    Ok(answer)
}

fn delete(queue: &mut LocalQueue, now: Duration, handle: &str) -> Result<(), SqsError> {
    let receipt = receipt_of(queue.id, handle)?;
    match queue.messages.delete(now, receipt) {
        Ok(_) => Ok(()),
        Err(error) => Err(of_receipt(error, handle)),
    }
}

/// The error that SQS gives for a receipt that was of no use.
pub(super) fn of_receipt(error: ReceiptError, handle: &str) -> SqsError {
    let reason = match error {
        ReceiptError::NotInFlight => return SqsError::MessageNotInflight,
        ReceiptError::Expired => "The receipt handle has expired.",
        ReceiptError::Gone => {
            "Message does not exist or is not available for visibility timeout change."
        }
        ReceiptError::TooLong => {
            return SqsError::InvalidParameterValue(
                "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
                    .to_owned(),
            );
        }
    };
    SqsError::invalid("ReceiptHandle", handle, reason)
}
