//! What is done with a message. A handler knows no queue: it says whether the message is done, and that decides whether
//! it is deleted.

mod print;
mod sleep;

use std::error::Error;
use std::future::Future;

pub use print::Print;
pub use sleep::Sleep;

use crate::message::Message;

/// Why a message is not done. It stays in the queue and comes again, or goes to the dead-letter queue.
pub type HandlerError = Box<dyn Error + Send + Sync>;

/// Does the work of one message.
///
/// The future is dropped at its next await when the drain time is over; the message is then handed back. A message can
/// come more than once, so the work must bear being repeated.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, message: &Message) -> impl Future<Output = Result<(), HandlerError>> + Send;
}
