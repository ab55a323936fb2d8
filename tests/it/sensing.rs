//! What is sensed of a queue beside its counts: its settings, its minutes and its past, over real HTTP.

mod minutes;
mod past;
mod settings;
mod tenants;

use std::{sync::Arc, time::Duration};

use sluice::scaling::{Identity, QueueRef, Secret};

use crate::support::*;

const FETCH: Duration = Duration::from_secs(5);

const MINUTE: Duration = Duration::from_mins(1);

fn given_queue(url: &str, endpoint: &str) -> QueueRef {
    QueueRef {
        url: url.to_owned(),
        name: url.rsplit('/').next().unwrap().to_owned(),
        region: "eu-west-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        identity: Identity::StaticKeys {
            access_key_id: "AKIALOCAL".to_owned(),
            secret_access_key: Secret::new(SECRET),
        },
    }
}

impl Sqs {
    fn queue(&self, name: &str) -> Arc<QueueRef> {
        let url = self.metadata["queueURL"].replace(QUEUE, name);
        Arc::new(given_queue(&url, &self.metadata["awsEndpoint"]))
    }

    fn minutes_asked(&self) -> u64 {
        self.control.requests("GetMetricData")
    }
}
