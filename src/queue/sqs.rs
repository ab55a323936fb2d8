//! Amazon SQS, and the only file that names its SDK. Reads attributes and never a message.

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_sqs::{
    Client,
    config::{Credentials, Region, retry::RetryConfig},
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::get_queue_attributes::{GetQueueAttributesError, GetQueueAttributesOutput},
    types::QueueAttributeName,
};
use moka::sync::Cache;
use tokio::sync::Semaphore;

use super::{ObserveError, QueueSource, attributes};
use crate::scaling::{Identity, Observation, QueueRef};

/// Distinct (region, endpoint, identity) whose connections are kept; more are made anew.
const CLIENTS_MAX: u64 = 256;

/// A client that nobody has used for so long is dropped with its connections.
const CLIENT_IDLE: Duration = Duration::from_hours(1);

/// Requests under way at once per client: after a restart every queue is asked in the same second,
/// and one endpoint that hangs must not hold up the others.
const REQUESTS_PER_CLIENT: usize = 32;

/// One attempt and one more: an occasional failure is mended within the fetch, and a lasting one is
/// not answered with a storm.
const ATTEMPTS: u32 = 2;

/// The first wait before the second attempt.
const RETRY_BACKOFF: Duration = Duration::from_millis(100);

/// An SQS message may quote the request; so much of it says what is wrong.
const MESSAGE_CHARACTERS: usize = 300;

/// Asks Amazon SQS, or an SQS-compatible endpoint that a trigger names.
#[derive(Debug)]
pub struct SqsSource {
    shared: SdkConfig,
    clients: Cache<ClientKey, Arc<SqsClient>>,
}

/// What a client depends on besides the shared settings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ClientKey {
    region: String,
    endpoint: Option<String>,
    identity: Identity,
}

#[derive(Debug)]
struct SqsClient {
    sdk: Client,
    requests: Semaphore,
}

impl SqsSource {
    /// Prepares the scaler's own identity from the environment (IRSA, EKS Pod Identity, instance
    /// role, variables) without using it yet. `fetch_deadline` bounds a request with its retries.
    pub async fn from_environment(fetch_deadline: Duration) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(fetch_deadline)
            .operation_attempt_timeout(fetch_deadline.mul_f32(0.8))
            .connect_timeout(fetch_deadline.div_f32(2.0))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(RETRY_BACKOFF);
        let shared = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(retries)
            // Every trigger brings its region; asking the instance for one would cost seconds.
            .region(Region::from_static("us-east-1"))
            .load()
            .await;
        Self::new(shared)
    }

    fn new(shared: SdkConfig) -> Self {
        let clients = Cache::builder()
            .max_capacity(CLIENTS_MAX)
            .time_to_idle(CLIENT_IDLE)
            .build();
        Self { shared, clients }
    }

    fn client(&self, queue: &QueueRef) -> Arc<SqsClient> {
        let key = ClientKey {
            region: queue.region.clone(),
            endpoint: queue.endpoint.clone(),
            identity: queue.identity.clone(),
        };
        self.clients
            .get_with_by_ref(&key, || Arc::new(self.new_client(&key)))
    }

    fn new_client(&self, key: &ClientKey) -> SqsClient {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.shared)
            .region(Region::new(key.region.clone()));
        if let Some(endpoint) = &key.endpoint {
            config = config.endpoint_url(endpoint);
        }
        if let Identity::StaticKeys {
            access_key_id,
            secret_access_key,
        } = &key.identity
        {
            let secret = secret_access_key.expose();
            config = config.credentials_provider(Credentials::new(
                access_key_id,
                secret,
                None,
                None,
                "trigger metadata",
            ));
        }
        SqsClient {
            sdk: Client::from_conf(config.build()),
            requests: Semaphore::new(REQUESTS_PER_CLIENT),
        }
    }
}

impl QueueSource for SqsSource {
    async fn observe(&self, queue: &QueueRef) -> Result<Observation, ObserveError> {
        self.client(queue).observe(&queue.url).await
    }
}

impl SqsClient {
    async fn observe(&self, queue_url: &str) -> Result<Observation, ObserveError> {
        let _place = self
            .requests
            .acquire()
            .await
            .map_err(|closed| ObserveError::Unreachable {
                cause: closed.to_string(),
            })?;
        let answer = self
            .sdk
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
            .send()
            .await
            .map_err(|error| observe_error(&error))?;
        Ok(observation(&answer))
    }
}

fn observation(answer: &GetQueueAttributesOutput) -> Observation {
    attributes::observation(|name| {
        let attributes = answer.attributes()?;
        attributes
            .get(&QueueAttributeName::from(name))
            .map(String::as_str)
    })
}

fn observe_error(error: &SdkError<GetQueueAttributesError>) -> ObserveError {
    match error {
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or("unknown error").to_owned();
            let message = shortened(refusal.err().message().unwrap_or("no message"));
            let status = refusal.raw().status().as_u16();
            if refusal.err().is_queue_does_not_exist() {
                ObserveError::NoSuchQueue { code, message }
            } else if refusal.err().meta().code().is_none() {
                ObserveError::Unintelligible {
                    status,
                    cause: cause(error),
                }
            } else {
                ObserveError::Refused {
                    status,
                    code,
                    message,
                }
            }
        }
        SdkError::ResponseError(response) => ObserveError::Unintelligible {
            status: response.raw().status().as_u16(),
            cause: cause(error),
        },
        _ => ObserveError::Unreachable {
            cause: cause(error),
        },
    }
}

/// The chain of causes in one line.
fn cause(error: &SdkError<GetQueueAttributesError>) -> String {
    let chain = DisplayErrorContext(error).to_string();
    // The debug form that follows the chain is for those who develop the SDK.
    shortened(chain.split(" (").next().unwrap_or(&chain))
}

fn shortened(text: &str) -> String {
    text.chars().take(MESSAGE_CHARACTERS).collect()
}
