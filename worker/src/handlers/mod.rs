//! What is done with a message. A handler knows no queue: it says whether the message is done, and that decides whether
//! it is deleted.

mod builtin;
mod command;
mod http;
mod print;
mod s3;
mod sleep;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

pub use builtin::Builtin;
pub use command::Command;
pub use http::Http;
pub use print::Print;
pub use s3::{Place, S3};
pub use sleep::Sleep;

use crate::message::Message;

/// Why a message is not done. It stays in the queue and comes again, or goes to the dead-letter queue.
pub type HandlerError = Box<dyn Error + Send + Sync>;

/// What one call of a handler takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    Message,
    /// What one receive brought; of a FIFO queue, what it brought of one group, in order.
    Batch,
}

/// Does the work of one message, or of a batch.
///
/// The future is dropped at its next await when the deadline has passed or the drain time is over. A message can come
/// more than once, so the work must bear being repeated. Every async function of an `Arc<Message>` is a handler.
pub trait Handler: Send + Sync + 'static {
    fn handle(
        &self,
        message: Arc<Message>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Which of the two methods is called.
    fn takes(&self) -> Takes {
        Takes::Message
    }

    /// One result for each message, in their order: those that are done are deleted, the others come again. A message
    /// without a result has failed.
    fn handle_batch(
        &self,
        messages: Vec<Arc<Message>>,
    ) -> impl Future<Output = Vec<Result<(), HandlerError>>> + Send {
        async move {
            let mut results = Vec::with_capacity(messages.len());
            for message in messages {
                results.push(self.handle(message).await);
            }
            results
        }
    }
}

impl<F, Work> Handler for F
where
    F: Fn(Arc<Message>) -> Work + Send + Sync + 'static,
    Work: Future<Output = Result<(), HandlerError>> + Send,
{
    fn handle(
        &self,
        message: Arc<Message>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        self(message)
    }
}
