//! A received message as handlers see it. It does not know SQS's SDK.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A message that this worker holds until it deletes it, hands it back, or lets its visibility timeout run out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// What its sender set beside the body; binary values are left out.
    pub attributes: BTreeMap<String, String>,
    /// The group it is kept in order with, in a FIFO queue.
    pub group: Option<String>,
    /// How often SQS has given it out, this time included; `None` when SQS did not say.
    pub receive_count: Option<u32>,
    /// When it was sent, since the Unix epoch and by the clock of SQS.
    pub sent_at: Option<Duration>,
    /// When it was first given out, by the same clock.
    pub first_received_at: Option<Duration>,
    pub receipt: Receipt,
}

impl Message {
    /// A message that came from no queue, for tests of handlers.
    pub fn new(id: &str, body: &str) -> Self {
        Self {
            id: id.into(),
            body: body.into(),
            ..Self::default()
        }
    }

    /// Whether it was given out before, here or elsewhere.
    pub fn is_redelivered(&self) -> bool {
        self.receive_count.is_some_and(|count| count > 1)
    }

    /// How long it waited in the queue for its first receive; both moments are by the clock of SQS.
    pub fn queue_wait(&self) -> Option<Duration> {
        self.first_received_at?.checked_sub(self.sent_at?)
    }
}

/// What one receive of a message is deleted or hidden by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt(Arc<str>);

impl Default for Receipt {
    fn default() -> Self {
        Self::new("")
    }
}

impl Receipt {
    pub fn new(handle: &str) -> Self {
        Self(handle.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_known_only_from_both_of_its_ends() {
        let sent = Message {
            sent_at: Some(Duration::from_secs(100)),
            ..Message::new("m-1", "")
        };
        assert_eq!(sent.queue_wait(), None);
        let received = Message {
            first_received_at: Some(Duration::from_secs(107)),
            ..sent
        };
        assert_eq!(received.queue_wait(), Some(Duration::from_secs(7)));
    }
}
