//! Where the local SQS listens, as it is typed.

use std::net::SocketAddr;

use clap::Args;

use crate::local::LocalSettings;

/// A local SQS for development.
#[derive(Debug, Clone, Args)]
pub struct LocalArgs {
    /// Where clients call: their endpoint is `http://ADDRESS`, and any keys will do.
    #[arg(
        long,
        env = "SLUICE_LOCAL_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9324"
    )]
    pub listen: SocketAddr,
    /// Allow an address that other machines can reach; no credentials are checked.
    #[arg(long)]
    pub allow_remote: bool,
    /// A queue to create at the start; may be repeated. A name in `.fifo` is a FIFO queue.
    #[arg(long = "queue", value_name = "NAME")]
    pub queues: Vec<String>,
}

impl From<&LocalArgs> for LocalSettings {
    fn from(args: &LocalArgs) -> Self {
        let LocalArgs {
            listen,
            allow_remote,
            queues,
        } = args.clone();
        Self {
            listen,
            allow_remote,
            queues,
        }
    }
}
