//! The local SQS of Sluice, in this process and over HTTP.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use aws_sdk_sqs::{Client, config};
use sluice::local::{Control, LocalServer, QueueSnapshot};
use tokio_util::sync::CancellationToken;

use crate::worker::Worker;

pub(crate) struct LocalSqs {
    pub(crate) control: Control,
    pub(crate) endpoint: String,
    pub(crate) client: Client,
}

impl LocalSqs {
    pub(crate) async fn start() -> Self {
        let server = LocalServer::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (control, endpoint) = (server.control(), server.endpoint());
        tokio::spawn(server.serve(CancellationToken::new()));
        let config = config::Builder::new()
            .behavior_version(config::BehaviorVersion::latest())
            .region(config::Region::new("eu-west-1"))
            .endpoint_url(&endpoint)
            .allow_no_auth()
            .build();
        Self {
            control,
            endpoint,
            client: Client::from_conf(config),
        }
    }

    /// Creates a queue and gives its URL.
    pub(crate) fn given_queue(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        self.control.create_queue(name, attributes).unwrap()
    }

    /// Creates a queue whose messages go to `<name>-dead` after so many receives.
    pub(crate) fn given_queue_with_dead_letters(&self, name: &str, receives: u32) -> String {
        let dead = format!("{name}-dead");
        self.given_queue(&dead, &[]);
        let policy = format!(
            r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:{dead}","maxReceiveCount":{receives}}}"#
        );
        self.given_queue(name, &[("RedrivePolicy", &policy)])
    }

    pub(crate) fn queue(&self, name: &str) -> QueueSnapshot {
        self.control.queue(name).unwrap()
    }

    /// Sends bodies to a FIFO queue, each with its group.
    pub(crate) async fn send_grouped(&self, url: &str, bodies: &[(String, String)]) {
        for (position, chunk) in bodies.chunks(10).enumerate() {
            let entries = chunk.iter().enumerate().map(|(entry, (group, body))| {
                SendMessageBatchRequestEntry::builder()
                    .id(entry.to_string())
                    .message_body(body)
                    .message_group_id(group)
                    .message_deduplication_id(format!("{position}-{entry}"))
                    .build()
                    .unwrap()
            });
            let request = self.client.send_message_batch().queue_url(url);
            request
                .set_entries(Some(entries.collect()))
                .send()
                .await
                .unwrap();
        }
    }

    pub(crate) async fn send_with(&self, url: &str, body: &str, attributes: &[(&str, &str)]) {
        let attributes: BTreeMap<_, _> = attributes.iter().copied().collect();
        let mut request = self.client.send_message().queue_url(url).message_body(body);
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build();
            request = request.message_attributes(name, value.unwrap());
        }
        request.send().await.unwrap();
    }

    pub(crate) fn worker(&self, url: &str, variables: &[(&str, &str)]) -> Worker {
        let mut all = vec![("SQS_WAIT_TIME_SECONDS", "1")];
        all.extend(variables);
        Worker::consume(&self.endpoint, url, &all)
    }
}
