//! Where observations come from. The rest of the scaler sees a [`QueueSource`], not SQS.

mod attributes;
mod sqs;

use std::{future::Future, time::Duration};

pub use sqs::SqsSource;

use crate::scaling::{Observation, QueueRef};

/// Something that can look at a queue: SQS, or a stand-in for it in tests.
pub trait QueueSource: Send + Sync + 'static {
    /// Asks for the counts of `queue` once.
    fn observe(
        &self,
        queue: &QueueRef,
    ) -> impl Future<Output = Result<Observation, ObserveError>> + Send;
}

/// Why a queue could not be observed. Remembered and handed to every waiting caller, hence `Clone`
/// and texts instead of sources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObserveError {
    /// SQS says that there is no such queue.
    #[error("the queue does not exist ({code}: {message})")]
    NoSuchQueue {
        /// SQS's error code.
        code: String,
        /// SQS's message.
        message: String,
    },
    /// SQS refused the request: permissions, throttling, its own failure.
    #[error("SQS answered {status} {code}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// SQS's error code.
        code: String,
        /// SQS's message.
        message: String,
    },
    /// SQS sent something that is no answer.
    #[error("SQS answered {status} with something that is no answer: {cause}")]
    Unintelligible {
        /// The HTTP status.
        status: u16,
        /// What the client could not read.
        cause: String,
    },
    /// The request did not reach SQS, or could not be made (credentials, DNS, TLS, connection).
    #[error("SQS cannot be reached: {cause}")]
    Unreachable {
        /// The chain of causes.
        cause: String,
    },
    /// No answer in time.
    #[error("SQS has not answered for {}", Seconds(*.waited))]
    NoAnswer {
        /// How long was waited.
        waited: Duration,
    },
}

/// A duration as people read it in an error: `0.9 s`, `5 s`.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} s", self.0.as_secs_f64())
    }
}
