//! Looks up the names of endpoints that triggers bring, and gives no address that nobody may be sent to:
//! a name is not what it seems when the one who chose it also says what it resolves to.

use std::net::IpAddr;

use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    dns::{DnsFuture, ResolveDns, ResolveDnsError},
    http::SharedHttpClient,
};

use super::endpoint::{EndpointKind, LoopbackEndpoints};

/// The addresses of a name are all within a machine or its network segment.
#[derive(Debug, thiserror::Error)]
#[error("{name:?} resolves to {address}, which no trigger may name")]
struct ForbiddenAddress {
    name: String,
    address: IpAddr,
}

#[derive(Debug, Clone)]
struct GuardedResolver {
    loopback: LoopbackEndpoints,
}

/// A client that connects to no forbidden address, whatever a name resolves to. It follows no redirect.
pub(super) fn guarded_client(loopback: LoopbackEndpoints) -> SharedHttpClient {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_with_resolver(GuardedResolver { loopback })
}

impl GuardedResolver {
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, ResolveDnsError> {
        let found = tokio::net::lookup_host((name, 0)).await;
        let found: Vec<IpAddr> = found
            .map_err(ResolveDnsError::new)?
            .map(|address| address.ip())
            .collect();
        match found.iter().find(|address| !self.permits(**address)) {
            // One forbidden address spoils the rest: an honest name has none.
            Some(&address) => Err(ResolveDnsError::new(ForbiddenAddress {
                name: name.to_owned(),
                address,
            })),
            None => Ok(found),
        }
    }

    fn permits(&self, address: IpAddr) -> bool {
        match EndpointKind::of_address(address) {
            None => true,
            Some(EndpointKind::Loopback) => self.loopback == LoopbackEndpoints::Allowed,
            Some(_) => false,
        }
    }
}

impl ResolveDns for GuardedResolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(self.addresses(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::chain;

    #[tokio::test]
    async fn a_name_of_this_machine_is_resolved_only_on_request() {
        let name = "localhost";
        let allowed = GuardedResolver {
            loopback: LoopbackEndpoints::Allowed,
        };
        assert!(!allowed.addresses(name).await.unwrap().is_empty());
        let refused = GuardedResolver {
            loopback: LoopbackEndpoints::Refused,
        };
        let error = refused.addresses(name).await.unwrap_err();
        assert!(
            chain(&error).contains("which no trigger may name"),
            "{error}"
        );
    }

    /// The decimal and octal spellings of 169.254.169.254, which are names to everybody but the resolver.
    #[tokio::test]
    async fn the_metadata_of_a_machine_is_never_given() {
        let guard = GuardedResolver {
            loopback: LoopbackEndpoints::Allowed,
        };
        for name in ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376"] {
            let error = guard.addresses(name).await.unwrap_err();
            let text = chain(&error);
            assert!(
                text.contains("169.254.169.254, which no trigger may name"),
                "{text}"
            );
        }
    }
}
