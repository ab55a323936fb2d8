//! A received message as handlers see it. It does not know SQS's SDK.

use std::sync::Arc;

/// A message that this worker holds until it deletes it, hands it back, or lets its visibility timeout run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// How often SQS has given it out, this time included; `None` when SQS did not say.
    pub receive_count: Option<u32>,
    pub receipt: Receipt,
}

/// What one receive of a message is deleted or hidden by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt(Arc<str>);

impl Receipt {
    pub fn new(handle: &str) -> Self {
        Self(handle.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
