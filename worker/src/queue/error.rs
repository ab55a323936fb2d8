//! What went wrong with a request to SQS: whether waiting helps, and what a person can do. Asks nothing itself.

use std::error::Error;
use std::time::Duration;

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error as ThisError;

use crate::remedy::{Reason, Remedy};

/// Why SQS did not do what it was asked.
#[derive(Debug, ThisError)]
pub enum QueueError {
    #[error("queue {url:?} does not exist in this account and region")]
    Missing {
        url: String,
        #[source]
        source: BoxError,
    },
    #[error("not allowed to {operation} queue {url:?}: grant {grant}")]
    Denied {
        operation: &'static str,
        url: String,
        grant: &'static str,
        #[source]
        source: BoxError,
    },
    #[error("AWS does not accept the credentials that {operation} queue {url:?} was asked with")]
    Credentials {
        operation: &'static str,
        url: String,
        #[source]
        source: BoxError,
    },
    #[error("SQS does not {operation} queue {url:?} as it is set up")]
    Invalid {
        operation: &'static str,
        url: String,
        #[source]
        source: BoxError,
    },
    #[error("cannot {operation} queue {url:?}")]
    Failed {
        operation: &'static str,
        url: String,
        remedy: Remedy,
        #[source]
        source: BoxError,
    },
    /// It may have been done all the same.
    #[error("no clear answer when asked to {operation} queue {url:?}")]
    Unanswered {
        operation: &'static str,
        url: String,
        #[source]
        source: BoxError,
    },
}

type BoxError = Box<dyn Error + Send + Sync>;

impl QueueError {
    /// Whether only a person can help: waiting does not create a queue or a permission.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::Unanswered { .. })
    }

    /// How long to wait before asking again, after this many failures in a row.
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        let remedy = match self {
            Self::Failed { remedy, .. } => *remedy,
            Self::Unanswered { .. } => Remedy::Retry,
            _ => Remedy::BackOff,
        };
        remedy.wait(failures, chance)
    }

    /// Of a request about the queue at `url`.
    pub(super) fn of<E>(
        operation: &'static str,
        url: &str,
        error: SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let url = url.to_owned();
        let remedy = Remedy::of(error.code());
        // SQS gives each of its errors a code; one without was lost on its way here, or an answer of success was.
        let may_be_done =
            error.code().is_none() && !matches!(error, SdkError::ConstructionFailure(_));
        let source = cause(error);
        if may_be_done {
            return Self::Unanswered {
                operation,
                url,
                source,
            };
        }
        match remedy {
            Remedy::Fatal(Reason::Missing) => Self::Missing { url, source },
            Remedy::Fatal(Reason::Denied) => Self::Denied {
                operation,
                url,
                grant: grant(operation),
                source,
            },
            Remedy::Fatal(Reason::Credentials) => Self::Credentials {
                operation,
                url,
                source,
            },
            Remedy::Fatal(Reason::Invalid) => Self::Invalid {
                operation,
                url,
                source,
            },
            Remedy::Retry | Remedy::BackOff => Self::Failed {
                operation,
                url,
                remedy,
                source,
            },
        }
    }
}

/// What an operation needs to be allowed.
fn grant(operation: &str) -> &'static str {
    match operation {
        "send to" => "sqs:SendMessage",
        "look up the URL of" => "sqs:GetQueueUrl, or set SQS_QUEUE_URL",
        "look up the ARN of" | "count the messages of" => "sqs:GetQueueAttributes",
        "move messages from" | "stop moving messages from" | "look at the moves from" => {
            "sqs:StartMessageMoveTask, sqs:ListMessageMoveTasks and sqs:CancelMessageMoveTask"
        }
        _ => "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility",
    }
}

/// What SQS answered, or why no answer came. The SDK's own chain says an answer twice.
fn cause<E>(error: SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match (&error, error.code()) {
        (SdkError::ServiceError(_), Some(code)) => {
            format!("{code}: {}", error.message().unwrap_or("no explanation")).into()
        }
        _ => error.into(),
    }
}
