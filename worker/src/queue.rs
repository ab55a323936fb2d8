//! SQS through its SDK, which only this module names. It tells what happened, and neither repeats nor decides.

mod counting;
mod moving;

use std::collections::HashMap;
use std::error::Error;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Config, Region, http::HttpResponse};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, Message as SqsMessage, MessageAttributeValue,
    MessageSystemAttributeName, SendMessageBatchRequestEntry,
};
use thiserror::Error as ThisError;
use tracing::error;

pub use self::moving::MoveProgress;
use crate::batch::{Rejection, Reply, entry_id};
use crate::message::{Message, Receipt};
use crate::produce::events::Outgoing;
use crate::remedy::{Reason, Remedy};
use crate::settings::QueueSettings;

/// A request that does not wait is answered in tens of milliseconds; after this it has been lost on the way.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than its own wait a receive may take before it is given up.
pub const RECEIVE_MARGIN: Duration = Duration::from_secs(10);

/// What a handler, the metrics and the order of a FIFO queue need to know of a message.
const SYSTEM_ATTRIBUTES: [MessageSystemAttributeName; 4] = [
    MessageSystemAttributeName::ApproximateReceiveCount,
    MessageSystemAttributeName::SentTimestamp,
    MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
    MessageSystemAttributeName::MessageGroupId,
];

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: Arc<str>,
    visibility_timeout: Duration,
}

/// A message to be hidden for this long from now; zero makes it visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibilityChange {
    pub receipt: Receipt,
    pub visibility: Duration,
    pub purpose: Purpose,
}

/// Why a message is to be hidden for another time than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is worked on.
    Keep,
    /// Another consumer may have it then.
    Release,
}

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
}

impl Queue {
    /// A client of the queue, with the AWS configuration of the environment. Asks SQS only for the URL of a queue that
    /// has but a name.
    pub async fn connect(settings: &QueueSettings) -> Result<Self, QueueError> {
        let queue = Self::with_client(Client::new(&aws(settings).await), settings);
        if settings.url.contains("://") {
            Ok(queue)
        } else {
            queue.named().await
        }
    }

    /// The same queue by the URL that its name has in the account.
    async fn named(self) -> Result<Self, QueueError> {
        let request = self.client.get_queue_url().queue_name(&*self.url);
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.error("look up the URL of", error))?;
        let url = answer.queue_url.unwrap_or_default().into();
        Ok(Self { url, ..self })
    }

    /// With a client of the caller's own, whose region and retries count then.
    pub fn with_client(client: Client, settings: &QueueSettings) -> Self {
        Self {
            client,
            url: settings.url.as_str().into(),
            visibility_timeout: settings.visibility_timeout,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long a receive hides a message.
    pub fn visibility_timeout(&self) -> Duration {
        self.visibility_timeout
    }

    /// Whether the queue keeps messages of a group in order; SQS demands the ending.
    pub fn is_fifo(&self) -> bool {
        self.url.ends_with(".fifo")
    }

    /// Receives up to `messages_max` messages, waiting up to `wait` for the first.
    pub async fn receive(
        &self,
        messages_max: usize,
        wait: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(wait + RECEIVE_MARGIN)
            .build();
        let received = self
            .client
            .receive_message()
            .queue_url(&*self.url)
            .max_number_of_messages(i32::try_from(messages_max).unwrap_or(i32::MAX))
            .wait_time_seconds(whole_seconds(wait))
            .visibility_timeout(whole_seconds(self.visibility_timeout))
            .set_message_system_attribute_names(Some(SYSTEM_ATTRIBUTES.to_vec()))
            .message_attribute_names("All")
            .customize()
            .config_override(Config::builder().timeout_config(timeouts))
            .send()
            .await
            .map_err(|error| self.error("receive from", error))?;
        Ok(received
            .messages
            .unwrap_or_default()
            .into_iter()
            .filter_map(message)
            .collect())
    }

    /// Sends up to ten messages.
    pub async fn send(&self, messages: &[Outgoing]) -> Result<Reply, QueueError> {
        let entries = messages.iter().enumerate().map(|(position, message)| {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(entry_id(position))
                .message_body(&message.body)
                .set_message_attributes(Some(attributes(message)));
            let entry = if self.is_fifo() {
                entry
                    .message_group_id(&message.group)
                    .message_deduplication_id(&message.id)
            } else {
                entry
            };
            entry.build()
        });
        let answer = self
            .client
            .send_message_batch()
            .queue_url(&*self.url)
            // As in `delete`.
            .set_entries(Some(entries.flatten().collect()))
            .send()
            .await
            .map_err(|error| self.error("send to", error))?;
        let accepted = answer.successful.into_iter().map(|entry| entry.id);
        Ok(reply(accepted, answer.failed))
    }

    /// Deletes up to ten messages.
    pub async fn delete(&self, receipts: &[Receipt]) -> Result<Reply, QueueError> {
        let entries = receipts.iter().enumerate().map(|(position, receipt)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(entry_id(position))
                .receipt_handle(receipt.as_str())
                .build()
        });
        let answer = self
            .client
            .delete_message_batch()
            .queue_url(&*self.url)
            // Every field is set; were one not, the entry would count as not answered.
            .set_entries(Some(entries.flatten().collect()))
            .send()
            .await
            .map_err(|error| self.error("delete from", error))?;
        let accepted = answer.successful.into_iter().map(|entry| entry.id);
        Ok(reply(accepted, answer.failed))
    }

    /// Changes how long up to ten messages stay hidden.
    pub async fn change_visibility(
        &self,
        changes: &[VisibilityChange],
    ) -> Result<Reply, QueueError> {
        let entries = changes.iter().enumerate().map(|(position, change)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(entry_id(position))
                .receipt_handle(change.receipt.as_str())
                .visibility_timeout(whole_seconds(change.visibility))
                .build()
        });
        let answer = self
            .client
            .change_message_visibility_batch()
            .queue_url(&*self.url)
            // As in `delete`.
            .set_entries(Some(entries.flatten().collect()))
            .send()
            .await
            .map_err(|error| self.error("change visibility in", error))?;
        let accepted = answer.successful.into_iter().map(|entry| entry.id);
        Ok(reply(accepted, answer.failed))
    }

    fn error<E>(&self, operation: &'static str, error: SdkError<E, HttpResponse>) -> QueueError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let url = self.url.to_string();
        let remedy = Remedy::of(error.code());
        // SQS gives each of its errors a code; one without was lost on its way here, or an answer of success was.
        let may_be_done =
            error.code().is_none() && !matches!(error, SdkError::ConstructionFailure(_));
        let source = cause(error);
        if may_be_done {
            return QueueError::Unanswered {
                operation,
                url,
                source,
            };
        }
        match remedy {
            Remedy::Fatal(Reason::Missing) => QueueError::Missing { url, source },
            Remedy::Fatal(Reason::Denied) => QueueError::Denied {
                operation,
                url,
                grant: grant(operation),
                source,
            },
            Remedy::Fatal(Reason::Credentials) => QueueError::Credentials {
                operation,
                url,
                source,
            },
            Remedy::Fatal(Reason::Invalid) => QueueError::Invalid {
                operation,
                url,
                source,
            },
            Remedy::Retry | Remedy::BackOff => QueueError::Failed {
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

/// The AWS configuration of the environment, in the queue's region.
pub async fn aws(settings: &QueueSettings) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(REQUEST_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        // The receive loop and the outbox repeat, each in its own way; twice would multiply the waits.
        .retry_config(RetryConfig::disabled());
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader.load().await
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

/// SQS always names a message and its receipt; without them nothing could ever be done with it.
fn message(received: SqsMessage) -> Option<Message> {
    let (Some(id), Some(handle)) = (received.message_id, received.receipt_handle) else {
        error!("SQS gave out a message without an id or a receipt handle; it comes again later");
        return None;
    };
    let system = received.attributes.unwrap_or_default();
    let milliseconds = |name| number(&system, &name).map(Duration::from_millis);
    let attributes = received.message_attributes.unwrap_or_default();
    Some(Message {
        id,
        body: received.body.unwrap_or_default(),
        attributes: attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.string_value?)))
            .collect(),
        group: system
            .get(&MessageSystemAttributeName::MessageGroupId)
            .cloned(),
        receive_count: number(
            &system,
            &MessageSystemAttributeName::ApproximateReceiveCount,
        ),
        sent_at: milliseconds(MessageSystemAttributeName::SentTimestamp),
        first_received_at: milliseconds(
            MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
        ),
        receipt: Receipt::new(&handle),
    })
}

fn number<N: FromStr>(
    attributes: &HashMap<MessageSystemAttributeName, String>,
    name: &MessageSystemAttributeName,
) -> Option<N> {
    attributes.get(name)?.parse().ok()
}

fn attributes(message: &Outgoing) -> HashMap<String, MessageAttributeValue> {
    let values = message.attributes.iter().map(|(name, text)| {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(text);
        Some(((*name).to_owned(), value.build().ok()?))
    });
    values.flatten().collect()
}

fn reply(accepted: impl Iterator<Item = String>, failed: Vec<BatchResultErrorEntry>) -> Reply {
    let rejected = failed.into_iter().map(|entry| Rejection {
        id: entry.id,
        code: entry.code,
        is_sender_fault: entry.sender_fault,
    });
    Reply {
        accepted: accepted.collect(),
        rejected: rejected.collect(),
    }
}

fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
