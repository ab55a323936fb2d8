//! A running local server with an SDK client for it.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
    operation::receive_message::ReceiveMessageOutput,
    types::QueueAttributeName,
};
use sluice::local::{Control, LocalServer};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A server that ends with the test.
pub(crate) struct Running {
    pub(crate) sqs: Client,
    pub(crate) control: Control,
    pub(crate) endpoint: String,
    pub(crate) shutdown: CancellationToken,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
    _ends_with_test: DropGuard,
}

pub(crate) async fn given_a_server() -> Running {
    let server = LocalServer::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let (control, endpoint) = (server.control(), server.endpoint());
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(server.serve(shutdown.clone()));
    let guard = shutdown.clone().drop_guard();
    let sqs = sqs_client(&endpoint);
    Running {
        sqs,
        control,
        endpoint,
        shutdown,
        served,
        _ends_with_test: guard,
    }
}

impl Running {
    /// Creates a queue and returns its URL.
    pub(crate) fn given_a_queue(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        self.control.create_queue(name, attributes).unwrap()
    }

    /// Sends one message as a client does.
    pub(crate) async fn send_hello(&self, queue_url: &str) {
        let request = self.sqs.send_message().queue_url(queue_url);
        request.message_body("hello").send().await.unwrap();
    }

    /// Receives as a client does that asks for nothing in particular.
    pub(crate) async fn receive(&self, queue_url: &str) -> ReceiveMessageOutput {
        let request = self.sqs.receive_message().queue_url(queue_url);
        request.send().await.unwrap()
    }

    /// Receives, and waits for a message as long as SQS allows.
    pub(crate) async fn poll(&self, queue_url: &str) -> ReceiveMessageOutput {
        let request = self.sqs.receive_message().queue_url(queue_url);
        request.wait_time_seconds(20).send().await.unwrap()
    }

    /// Returns once a receive has come in.
    pub(crate) async fn is_polled(&self) {
        while self.control.requests("ReceiveMessage") == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Ends the server, which must not take long.
    pub(crate) async fn assert_ends(self) {
        self.shutdown.cancel();
        let served = timeout(Duration::from_secs(10), self.served).await;
        served.unwrap().unwrap().unwrap();
    }
}

/// One attempt a request, so that a test sees what the server said.
pub(crate) fn sqs_client(endpoint: &str) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .read_timeout(Duration::from_secs(30))
                .build(),
        )
        .build();
    Client::from_conf(config)
}

/// What the SDK sees as visible, in flight and delayed; "-" for a count that is missing.
pub(crate) async fn counts(sqs: &Client, queue_url: &str) -> [String; 3] {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let request = sqs.get_queue_attributes().queue_url(queue_url);
    let answer = request
        .set_attribute_names(Some(names.to_vec()))
        .send()
        .await
        .unwrap();
    names.map(|name| {
        let count = answer
            .attributes()
            .and_then(|attributes| attributes.get(&name));
        count.map_or("-".to_owned(), Clone::clone)
    })
}
