//! `sluice serve` as a process of its own, with short times so that a minute of trouble takes seconds.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(1);
/// What the times of the process are; a fifth to a tenth of the defaults.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_millis(500);
pub(crate) const STALENESS_BOUND: Duration = Duration::from_secs(4);
pub(crate) const FAILURE_MEMORY: Duration = Duration::from_millis(500);
const ARGUMENTS: [&str; 8] = [
    "serve",
    "--grpc-listen=127.0.0.1:0",
    "--http-listen=127.0.0.1:0",
    "--cache-ttl-seconds=0.5",
    "--staleness-bound-seconds=4",
    "--failure-memory-seconds=0.5",
    "--fetch-deadline-seconds=2",
    "--rpc-deadline-seconds=1",
];

/// With whose keys AWS is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    Fixed,
    /// From an endpoint as EKS Pod Identity has one.
    Expiring,
    /// From STS, with a token as IRSA mounts one.
    WebIdentity,
}

pub(crate) struct Scaler {
    child: Child,
    pub(crate) grpc: SocketAddr,
}

impl Scaler {
    pub(crate) async fn start(world: &World, keys: Keys) -> Self {
        Self::spawn(command(&world.endpoint(), world, keys)).await
    }

    /// Asks AWS at an address that no name server knows.
    pub(crate) async fn start_nowhere(world: &World) -> Self {
        Self::spawn(command("http://sqs.nowhere.invalid", world, Keys::Fixed)).await
    }

    async fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("serving") {
            line.clear();
            let read = timeout(PATIENCE, log.read_line(&mut line)).await;
            assert_ne!(read.expect("it starts").unwrap(), 0, "it ended early");
        }
        // Somebody must read on, or the process would wait for room in the pipe.
        tokio::spawn(async move { log.read_to_end(&mut Vec::new()).await });
        let address = line.split("grpc=").nth(1).unwrap();
        let grpc = address.split_whitespace().next().unwrap().parse().unwrap();
        Self { child, grpc }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// As SIGKILL does.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }
}

fn command(endpoint: &str, world: &World, keys: Keys) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command
        .args(ARGUMENTS)
        .env_clear()
        .env("NO_COLOR", "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", endpoint)
        .env(
            "AWS_ENDPOINT_URL_STS",
            format!("http://{}", world.sts_wire.address),
        )
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    match keys {
        Keys::Fixed => command
            .env("AWS_ACCESS_KEY_ID", "AKIALOCAL")
            .env("AWS_SECRET_ACCESS_KEY", "secret"),
        Keys::Expiring => command.env(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            world.credentials_url(),
        ),
        Keys::WebIdentity => command
            .env("AWS_ROLE_ARN", "arn:aws:iam::000000000000:role/scaler")
            .env("AWS_ROLE_SESSION_NAME", "chaos")
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", "/proc/self/comm"),
    };
    command
}
