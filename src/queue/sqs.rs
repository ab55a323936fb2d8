//! Amazon SQS, and the only file that names its SDK. Reads attributes and never a message.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::get_queue_attributes::{GetQueueAttributesError, GetQueueAttributesOutput},
    types::QueueAttributeName,
};
use moka::sync::Cache;
use tokio::sync::Semaphore;

use super::{
    AwsConfig, ObserveError, QueueDetails, QueueSource, attributes, chain_of_causes,
    credentials::Caller, shortened,
};
use crate::scaling::{Observation, QueueRef};

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

/// Asks Amazon SQS, or an SQS-compatible endpoint that a trigger names.
#[derive(Debug)]
pub struct SqsSource {
    aws: AwsConfig,
    fetch_deadline: Duration,
    clients: Cache<Caller, Arc<SqsClient>>,
}

#[derive(Debug)]
struct SqsClient {
    sdk: Client,
    requests: Semaphore,
    /// Set when the endpoint, some stand-in for SQS, answers only when it is asked for counts alone.
    knows_only_counts: AtomicBool,
}

/// What every observation needs.
const COUNTS: [&str; 3] = [
    attributes::VISIBLE,
    attributes::IN_FLIGHT,
    attributes::DELAYED,
];

/// What comes along in the same answer at no cost.
const SETTINGS: [&str; 4] = [
    attributes::VISIBILITY_TIMEOUT,
    attributes::REDRIVE_POLICY,
    attributes::DELAY,
    attributes::RETENTION,
];

impl SqsSource {
    /// As whom the environment says; see [`AwsConfig`].
    pub async fn from_environment(fetch_deadline: Duration) -> Self {
        Self::new(AwsConfig::from_environment().await, fetch_deadline)
    }

    /// `fetch_deadline` bounds a request with its retries.
    pub fn new(aws: AwsConfig, fetch_deadline: Duration) -> Self {
        let clients = Cache::builder()
            .max_capacity(CLIENTS_MAX)
            .time_to_idle(CLIENT_IDLE)
            .build();
        Self {
            aws,
            fetch_deadline,
            clients,
        }
    }

    fn client(&self, queue: &QueueRef) -> Arc<SqsClient> {
        let caller = Caller::of(queue);
        self.clients
            .get_with_by_ref(&caller, || Arc::new(self.new_client(&caller)))
    }

    fn new_client(&self, caller: &Caller) -> SqsClient {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(self.fetch_deadline)
            .operation_attempt_timeout(self.fetch_deadline.mul_f32(0.8))
            .connect_timeout(self.fetch_deadline.div_f32(2.0))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(RETRY_BACKOFF);
        let mut config = aws_sdk_sqs::config::Builder::from(&self.aws.of(caller))
            .timeout_config(timeouts)
            .retry_config(retries);
        if let Some(endpoint) = &caller.endpoint {
            config = config.endpoint_url(endpoint);
        }
        SqsClient {
            sdk: Client::from_conf(config.build()),
            requests: Semaphore::new(REQUESTS_PER_CLIENT),
            knows_only_counts: AtomicBool::new(false),
        }
    }
}

impl SqsSource {
    /// Looks at `queue` closely, for people.
    ///
    /// # Errors
    /// As [`QueueSource::observe`].
    pub async fn details(&self, queue: &QueueRef) -> Result<QueueDetails, ObserveError> {
        let names = COUNTS.into_iter().chain(SETTINGS);
        let names = names.chain([attributes::LONG_POLLING]);
        let answer = self.client(queue).attributes(&queue.url, names).await?;
        let mut details = attributes::details(|name| attribute(&answer, name));
        details.observation.settings.is_fifo = Some(queue.is_fifo());
        Ok(details)
    }
}

impl QueueSource for SqsSource {
    async fn observe(&self, queue: &QueueRef) -> Result<Observation, ObserveError> {
        let mut observation = self.client(queue).observe(&queue.url).await?;
        observation.settings.is_fifo = Some(queue.is_fifo());
        Ok(observation)
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
        if !self.knows_only_counts.load(Ordering::Relaxed) {
            let names = COUNTS.into_iter().chain(SETTINGS);
            match self.attributes(queue_url, names).await {
                Err(error) if is_about_names(&error) => {}
                answer => return answer.map(|answer| observation(&answer)),
            }
        }
        let answer = self.attributes(queue_url, COUNTS.into_iter()).await?;
        self.knows_only_counts.store(true, Ordering::Relaxed);
        Ok(observation(&answer))
    }

    async fn attributes(
        &self,
        queue_url: &str,
        names: impl Iterator<Item = &'static str>,
    ) -> Result<GetQueueAttributesOutput, ObserveError> {
        self.sdk
            .get_queue_attributes()
            .queue_url(queue_url)
            .set_attribute_names(Some(names.map(QueueAttributeName::from).collect()))
            .send()
            .await
            .map_err(|error| observe_error(&error))
    }
}

/// Whether SQS, or what stands in for it, does not know a name that it was asked for.
fn is_about_names(error: &ObserveError) -> bool {
    matches!(error, ObserveError::Refused { code, .. } if code.contains("InvalidAttribute"))
}

fn observation(answer: &GetQueueAttributesOutput) -> Observation {
    attributes::observation(|name| attribute(answer, name))
}

fn attribute<'a>(answer: &'a GetQueueAttributesOutput, name: &str) -> Option<&'a str> {
    let attributes = answer.attributes()?;
    attributes
        .get(&QueueAttributeName::from(name))
        .map(String::as_str)
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
                    cause: chain_of_causes(error),
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
            cause: chain_of_causes(error),
        },
        _ => ObserveError::Unreachable {
            cause: chain_of_causes(error),
        },
    }
}
