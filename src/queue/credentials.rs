//! As whom AWS is asked: the scaler's own identity, found once, a role that it assumes, or the keys that a
//! trigger brings. The only file that names `aws_config` and the SDK of STS.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, identity::IdentityCache, sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, future},
};
use aws_smithy_runtime_api::client::{http::SharedHttpClient, identity::SharedIdentityCache};
use moka::sync::Cache;

use super::{
    chain_of_causes,
    endpoint::{EndpointKind, LoopbackEndpoints},
    resolver::guarded_client,
};
use crate::scaling::{Identity, QueueRef, RoleRef};

/// Roles and keys whose credentials are kept; more are assumed anew. A role is one for each object, so
/// that `CloudTrail` tells who asked.
const IDENTITIES_MAX: u64 = 4_096;

/// An identity that nobody has used for so long is dropped with its credentials.
const IDENTITY_IDLE: Duration = Duration::from_hours(1);

/// Whom STS takes the scaler for is asked once; this is how long it may take.
const CALLER_TIMEOUT: Duration = Duration::from_secs(5);

/// What all clients of AWS share: connections, the scaler's own identity, and the environment.
#[derive(Debug, Clone)]
pub struct AwsConfig {
    shared: SdkConfig,
    /// Connects to endpoints that triggers name.
    guarded: SharedHttpClient,
    others: Cache<(Identity, String), Other>,
}

/// Somebody else than the scaler itself, and the credentials of the moment.
#[derive(Debug, Clone)]
struct Other {
    provider: SharedCredentialsProvider,
    credentials: SharedIdentityCache,
}

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
        Self::of_config(shared)
    }

    /// Asks as `shared` says, where the environment is not to be asked.
    pub fn of_config(shared: SdkConfig) -> Self {
        let others = Cache::builder()
            .max_capacity(IDENTITIES_MAX)
            .time_to_idle(IDENTITY_IDLE)
            .build();
        Self {
            shared,
            guarded: guarded_client(LoopbackEndpoints::Allowed),
            others,
        }
    }

    /// Connects for triggers to this machine, or does not. To addresses that are only seen from within a
    /// machine it never does.
    #[must_use]
    pub fn guarded(self, loopback: LoopbackEndpoints) -> Self {
        Self {
            guarded: guarded_client(loopback),
            ..self
        }
    }

    /// Whether queues are at AWS where a trigger names no endpoint: the environment may name a stand-in.
    pub fn is_aws(&self) -> bool {
        let of_sqs = std::env::var("AWS_ENDPOINT_URL_SQS").ok();
        let named = of_sqs.as_deref().or(self.shared.endpoint_url());
        named.is_none_or(|endpoint| EndpointKind::of(endpoint) == EndpointKind::Aws)
    }

    /// The account of the scaler's own identity. Most credentials tell; where they do not, STS is asked
    /// in `region`, which needs no permission.
    ///
    /// # Errors
    /// Why neither tells.
    pub async fn own_account(&self, region: &str) -> Result<String, String> {
        let provider = self.shared.credentials_provider();
        let provider = provider.ok_or("there are no credentials")?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| chain_of_causes(&error))?;
        if let Some(account) = credentials.account_id() {
            return Ok(account.as_str().to_owned());
        }
        let timeouts = TimeoutConfig::builder().operation_timeout(CALLER_TIMEOUT);
        let config = aws_sdk_sts::config::Builder::from(&self.shared)
            .region(Region::new(region.to_owned()))
            .timeout_config(timeouts.build());
        let sts = aws_sdk_sts::Client::from_conf(config.build());
        let answer = sts.get_caller_identity().send().await;
        let answer =
            answer.map_err(|error| format!("GetCallerIdentity: {}", chain_of_causes(&error)))?;
        let account = answer.account.filter(|account| !account.is_empty());
        account.ok_or_else(|| "GetCallerIdentity tells no account".to_owned())
    }

    /// The configuration of a client that asks as ourselves in `region`.
    pub fn in_region(&self, region: &str) -> SdkConfig {
        let region = Region::new(region.to_owned());
        self.shared.to_builder().region(region).build()
    }

    /// The configuration of a client for `caller`, but for the endpoint: which variable of the
    /// environment may name one depends on the service.
    pub(super) fn of(&self, caller: &Caller) -> SdkConfig {
        let region = Region::new(caller.region.clone());
        let mut config = self.shared.to_builder().region(region.clone());
        if caller.endpoint.is_some() {
            config = config.http_client(self.guarded.clone());
        }
        if caller.identity == Identity::Own {
            return config.build();
        }
        let key = (caller.identity.clone(), caller.region.clone());
        let other = self
            .others
            .get_with(key, || self.other(&caller.identity, region));
        config
            .credentials_provider(other.provider)
            .identity_cache(other.credentials)
            .build()
    }

    fn other(&self, identity: &Identity, region: Region) -> Other {
        let provider = match identity {
            Identity::Own => self.shared.credentials_provider(),
            Identity::StaticKeys {
                access_key_id,
                secret_access_key,
            } => {
                let secret = secret_access_key.expose();
                let keys = Credentials::new(access_key_id, secret, None, None, "trigger metadata");
                Some(SharedCredentialsProvider::new(keys))
            }
            Identity::Role(role) => Some(SharedCredentialsProvider::new(RoleProvider {
                own: self.shared.clone(),
                role: role.clone(),
                region,
            })),
        };
        Other {
            provider: provider.unwrap_or_else(|| SharedCredentialsProvider::new(Nobody)),
            // One of its own: the shared one never forgets an identity.
            credentials: IdentityCache::lazy().build(),
        }
    }
}

/// Assumes a role as the scaler itself.
#[derive(Debug)]
struct RoleProvider {
    own: SdkConfig,
    role: RoleRef,
    region: Region,
}

impl ProvideCredentials for RoleProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let mut provider = AssumeRoleProvider::builder(&self.role.arn)
                .session_name(&self.role.session)
                .region(self.region.clone())
                .configure(&self.own);
            if let Some(external_id) = &self.role.external_id {
                provider = provider.external_id(external_id.expose());
            }
            provider.build().await.provide_credentials().await
        })
    }
}

/// No identity at all.
#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let none = aws_credential_types::provider::error::CredentialsError::not_loaded_no_source();
        future::ProvideCredentials::ready(Err(none))
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
