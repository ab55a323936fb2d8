//! As whom AWS is asked: the scaler's own identity, found once, or the keys that a trigger brings. The
//! only file that names `aws_config`.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};

use crate::scaling::{Identity, QueueRef};

/// What all clients of AWS share: connections, the scaler's own identity, and the environment.
#[derive(Debug, Clone)]
pub struct AwsConfig(SdkConfig);

/// What a client depends on besides what all share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Caller {
    pub(super) region: String,
    /// Another endpoint than the region's.
    pub(super) endpoint: Option<String>,
    pub(super) identity: Identity,
}

impl AwsConfig {
    /// Prepares the scaler's own identity from the environment (IRSA, EKS Pod Identity, instance
    /// role, variables) without using it yet.
    pub async fn from_environment() -> Self {
        let shared = aws_config::defaults(BehaviorVersion::latest())
            // Every trigger brings its region; asking the instance for one would cost seconds.
            .region(Region::from_static("us-east-1"))
            .load()
            .await;
        Self(shared)
    }

    /// The configuration of a client that asks as ourselves in `region`.
    pub fn in_region(&self, region: &str) -> SdkConfig {
        let region = Region::new(region.to_owned());
        self.0.to_builder().region(region).build()
    }

    /// The configuration of a client for `caller`, but for the endpoint: which variable of the
    /// environment may name one depends on the service.
    pub(super) fn of(&self, caller: &Caller) -> SdkConfig {
        let region = Region::new(caller.region.clone());
        let config = self.0.to_builder().region(region);
        match &caller.identity {
            Identity::Own => config.build(),
            Identity::StaticKeys {
                access_key_id,
                secret_access_key,
            } => {
                let secret = secret_access_key.expose();
                let keys = Credentials::new(access_key_id, secret, None, None, "trigger metadata");
                let keys = SharedCredentialsProvider::new(keys);
                config.credentials_provider(keys).build()
            }
        }
    }
}

impl Caller {
    /// Who asks SQS for `queue`.
    pub(super) fn of(queue: &QueueRef) -> Self {
        Self {
            region: queue.region.clone(),
            endpoint: queue.endpoint.clone(),
            identity: queue.identity.clone(),
        }
    }
}
