//! A local SQS in this process, with queues called orders-0, orders-1 and so on.

use std::net::SocketAddr;

use sluice::{
    grpc::proto::{GetMetricsRequest, ScaledObjectRef},
    local::{Control, LocalServer},
};
use tokio_util::sync::CancellationToken;

/// A server that lives as long as this.
pub(crate) struct Sqs {
    pub(crate) control: Control,
    pub(crate) endpoint: String,
    stop: CancellationToken,
}

impl Drop for Sqs {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn given_sqs(queues: usize) -> Sqs {
    let server = LocalServer::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .expect("a port");
    let (control, endpoint) = (server.control(), server.endpoint());
    let stop = CancellationToken::new();
    tokio::spawn(server.serve(stop.clone()));
    for number in 0..queues {
        control
            .create_queue(&name(number), &[])
            .expect("a valid name");
    }
    Sqs {
        control,
        endpoint,
        stop,
    }
}

/// The queue of this number.
pub(crate) fn name(number: usize) -> String {
    format!("orders-{number}")
}

impl Sqs {
    /// A trigger of object `object` for queue `number`.
    pub(crate) fn reference(&self, object: usize, number: usize) -> ScaledObjectRef {
        let metadata = [
            ("queueURL", name(number)),
            ("awsRegion", "eu-west-1".to_owned()),
            ("awsEndpoint", self.endpoint.clone()),
            ("awsAccessKeyIDFromEnv", "any".to_owned()),
            ("awsSecretAccessKeyFromEnv", "any".to_owned()),
            ("queueLength", "5".to_owned()),
        ];
        ScaledObjectRef {
            name: format!("worker-{object}"),
            namespace: "shop".to_owned(),
            scaler_metadata: metadata.map(|(key, value)| (key.to_owned(), value)).into(),
        }
    }

    /// What KEDA asks for the value of that trigger.
    pub(crate) fn metrics_request(&self, object: usize, number: usize) -> GetMetricsRequest {
        GetMetricsRequest {
            scaled_object_ref: Some(self.reference(object, number)),
            metric_name: format!("aws-sqs-{}", name(number)),
        }
    }

    /// Sends so many messages to each of so many queues.
    pub(crate) fn fill(&self, queues: usize, messages: usize) {
        for number in 0..queues {
            for _ in 0..messages {
                self.control
                    .send(&name(number), "{}")
                    .expect("the queue exists");
            }
        }
    }

    /// The counts that were asked for so far.
    pub(crate) fn asked(&self) -> u64 {
        self.control.requests("GetQueueAttributes")
    }
}
