//! What a consumer may do with a message it received, by the receipt it got.

use std::time::Duration;

use super::{
    Queue, QueueKind,
    message::{Receipt, State},
};

/// A message cannot stay invisible for longer than this after it was received.
const VISIBILITY_TOTAL_MAX: Duration = Duration::from_hours(12);

/// Why a receipt was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// FIFO queues refuse to delete by the receipt of a receive whose visibility timeout has ended.
    #[error("the receipt handle has expired")]
    Expired,
    #[error("the message is not in flight")]
    NotInFlight,
    #[error("the message does not exist or is not available for visibility timeout change")]
    Gone,
    #[error("the total visibility timeout of the message is beyond 43200 seconds")]
    TooLong,
}

impl<P: Clone> Queue<P> {
    /// Deletes the message and returns whether it was there.
    ///
    /// SQS (`DeleteMessage`): the receipt must be the latest one of the message, "otherwise, the request
    /// succeeds, but the message will not be deleted". A standard queue takes the latest receipt even
    /// after its visibility timeout; a FIFO queue does not.
    pub fn delete(&mut self, now: Duration, receipt: Receipt) -> Result<bool, ReceiptError> {
        self.advance(now);
        let Some(message) = self.messages.get(&receipt.key) else {
            return Ok(false);
        };
        let is_held =
            message.state == State::InFlight && message.receive_count == receipt.receive_count;
        if self.settings.kind == QueueKind::Fifo && !is_held {
            return Err(ReceiptError::Expired);
        }
        if message.receive_count != receipt.receive_count {
            return Ok(false);
        }
        self.totals.deleted += 1;
        Ok(self.remove(now, receipt.key).is_some())
    }

    /// Makes the message visible again `timeout` from now, at once when it is zero.
    pub fn change_visibility(
        &mut self,
        now: Duration,
        receipt: Receipt,
        timeout: Duration,
    ) -> Result<(), ReceiptError> {
        self.advance(now);
        let message = self
            .messages
            .get_mut(&receipt.key)
            .ok_or(ReceiptError::Gone)?;
        if message.state != State::InFlight {
            return Err(ReceiptError::NotInFlight);
        }
        if message.receive_count != receipt.receive_count {
            return Err(ReceiptError::Gone);
        }
        if now + timeout > message.received_at + VISIBILITY_TOTAL_MAX {
            return Err(ReceiptError::TooLong);
        }
        message.timer += 1;
        self.timers
            .wake_at(now + timeout, receipt.key, message.timer);
        Ok(())
    }
}
