//! Gives messages that will not be handled here to other consumers at once, instead of when their visibility times out.

use std::time::Duration;

use tracing::{info, warn};

use crate::message::Message;
use crate::outbox::Outbox;
use crate::queue::VisibilityChange;

/// Makes messages visible again; one that cannot be is visible when its timeout has run out, so none is lost.
pub async fn hand_back(messages: &[&Message], visibility: &Outbox<VisibilityChange>) {
    let mut answers = Vec::with_capacity(messages.len());
    for message in messages {
        let change = VisibilityChange {
            receipt: message.receipt.clone(),
            visibility: Duration::ZERO,
        };
        answers.push((&message.id, visibility.submit(change).await));
    }
    for (message_id, answer) in answers {
        match answer.wait().await {
            Ok(()) => info!(message_id, "message handed back"),
            Err(cause) => {
                warn!(message_id, %cause, "message comes back only when its visibility times out");
            }
        }
    }
}
