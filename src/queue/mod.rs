//! Where observations come from. The rest of the scaler sees a [`QueueSource`], not SQS.

pub mod attributes;
mod budget;
pub mod cloudwatch;
mod credentials;
mod endpoint;
mod minute_source;
mod minutes;
mod place_state;
mod poller;
mod resolver;
mod sqs;

use std::{error::Error, fmt::Display, future::Future, time::Duration};

pub(crate) use poller::minute_feed;
pub use {
    attributes::QueueDetails,
    credentials::AwsConfig,
    endpoint::{EndpointKind, LoopbackEndpoints},
    minute_source::{FetchError, Metric, MinuteCall, MinuteSource, Place, recent_minutes},
    minutes::{MinuteFeed, MinutesSeen, SensingState},
    poller::MinuteSettings,
    sqs::SqsSource,
};

use crate::{
    scaling::{Observation, QueueRef},
    telemetry,
};

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

impl ObserveError {
    /// Whether SQS got too many requests, by its own account.
    pub fn is_throttling(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => *status == 429 || code.contains("Throttl"),
            _ => false,
        }
    }
}

/// A message of AWS may quote the request; so much of it says what is wrong.
const MESSAGE_CHARACTERS: usize = 300;

/// An error with all that caused it, in one line: what the SDK says first tells the least.
fn chain_of_causes(error: &dyn Error) -> String {
    shortened(&telemetry::chain(error))
}

fn shortened(text: &str) -> String {
    text.chars().take(MESSAGE_CHARACTERS).collect()
}

/// A duration as people read it in an error: `0.9 s`, `5 s`.
struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} s", self.0.as_secs_f64())
    }
}
