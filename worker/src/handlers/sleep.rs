//! Pretends work, for demonstrations: waits, then lets another handler finish.

use std::sync::Arc;
use std::time::Duration;

use super::{Handler, HandlerError, Takes};
use crate::message::Message;

/// Waits `work` on each message before `then` handles it.
#[derive(Debug, Clone, Copy)]
pub struct Sleep<H> {
    pub work: Duration,
    pub then: H,
}

impl<H: Handler> Handler for Sleep<H> {
    async fn handle(&self, message: Arc<Message>) -> Result<(), HandlerError> {
        tokio::time::sleep(self.work).await;
        self.then.handle(message).await
    }

    fn takes(&self) -> Takes {
        self.then.takes()
    }

    async fn handle_batch(&self, messages: Vec<Arc<Message>>) -> Vec<Result<(), HandlerError>> {
        tokio::time::sleep(self.work).await;
        self.then.handle_batch(messages).await
    }
}
