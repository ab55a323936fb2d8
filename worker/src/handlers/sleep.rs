//! Pretends work, for demonstrations: waits, then lets another handler finish.

use std::time::Duration;

use super::{Handler, HandlerError};
use crate::message::Message;

/// Waits `work` on each message before `then` handles it.
#[derive(Debug, Clone, Copy)]
pub struct Sleep<H> {
    pub work: Duration,
    pub then: H,
}

impl<H: Handler> Handler for Sleep<H> {
    async fn handle(&self, message: &Message) -> Result<(), HandlerError> {
        tokio::time::sleep(self.work).await;
        self.then.handle(message).await
    }
}
