//! `sluice local`: the local server as a command of its own.

use std::{io, net::SocketAddr};

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::{server::LocalServer, sqs::SqsError};

/// What `sluice local` was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSettings {
    pub listen: SocketAddr,
    /// Other machines may connect. The server knows no credentials, so this opens it to everyone who can.
    pub allow_remote: bool,
    /// Queues to create at the start; a name that ends with `.fifo` makes a FIFO queue.
    pub queues: Vec<String>,
}

/// Why the local server could not run.
#[derive(Debug, Error)]
pub enum LocalError {
    #[error(
        "will not listen on {0}: the local server is for this machine only; use a loopback address such as 127.0.0.1, or allow remote clients explicitly"
    )]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}")]
    Bind {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot create queue \"{name}\"")]
    CreateQueue {
        name: String,
        #[source]
        source: SqsError,
    },
    #[error("the local server stopped serving")]
    Serve(#[source] io::Error),
}

impl LocalSettings {
    /// Refuses an address that other machines can reach, unless that was asked for.
    fn check(&self) -> Result<(), LocalError> {
        if self.listen.ip().is_loopback() || self.allow_remote {
            Ok(())
        } else {
            Err(LocalError::NotLoopback(self.listen))
        }
    }
}

/// Runs the local server until `shutdown`.
pub async fn run(settings: LocalSettings, shutdown: CancellationToken) -> Result<(), LocalError> {
    settings.check()?;
    let address = settings.listen;
    let server = LocalServer::bind(address)
        .await
        .map_err(|source| LocalError::Bind { address, source })?;
    for name in &settings.queues {
        create_queue(&server, name)?;
    }
    let endpoint = server.endpoint();
    tracing::warn!(%endpoint, "local SQS for development only: no credentials are checked and nothing is kept");
    server.serve(shutdown).await.map_err(LocalError::Serve)
}

fn create_queue(server: &LocalServer, name: &str) -> Result<(), LocalError> {
    let attributes: &[_] = if name.strip_suffix(".fifo").is_some() {
        &[("FifoQueue", "true")]
    } else {
        &[]
    };
    match server.control().create_queue(name, attributes) {
        Ok(url) => {
            tracing::info!(url, "created queue");
            Ok(())
        }
        Err(source) => Err(LocalError::CreateQueue {
            name: name.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_settings(listen: &str) -> LocalSettings {
        LocalSettings {
            listen: listen.parse().unwrap(),
            allow_remote: false,
            queues: Vec::new(),
        }
    }

    #[test]
    fn an_address_that_others_can_reach_must_be_asked_for() {
        let open = given_settings("0.0.0.0:0");
        assert!(matches!(open.check(), Err(LocalError::NotLoopback(_))));
        assert!(
            LocalSettings {
                allow_remote: true,
                ..open
            }
            .check()
            .is_ok()
        );
        assert!(given_settings("127.0.0.1:0").check().is_ok());
        assert!(given_settings("[::1]:0").check().is_ok());
    }

    #[tokio::test]
    async fn a_queue_that_sqs_would_refuse_stops_the_start() {
        let settings = LocalSettings {
            queues: vec!["a b".to_owned()],
            ..given_settings("127.0.0.1:0")
        };
        let error = run(settings, CancellationToken::new()).await.unwrap_err();
        assert!(matches!(error, LocalError::CreateQueue { .. }), "{error}");
    }
}
