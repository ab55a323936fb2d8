//! SQS through its SDK, which only this module names. It tells what happened, and neither repeats nor decides.

mod convert;
mod counting;
mod error;
mod moving;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Config, Region, http::HttpResponse};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    SendMessageBatchRequestEntry,
};

use self::convert::{SYSTEM_ATTRIBUTES, attributes, message, reply, whole_seconds};
pub use self::{error::QueueError, moving::MoveProgress};
use crate::batch::{Reply, entry_id};
use crate::message::{Message, Receipt};
use crate::produce::events::Outgoing;
use crate::settings::QueueSettings;

/// A request that does not wait is answered in tens of milliseconds; after this it has been lost on the way.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than its own wait a receive may take before it is given up.
pub const RECEIVE_MARGIN: Duration = Duration::from_secs(10);

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
        QueueError::of(operation, &self.url, error)
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
