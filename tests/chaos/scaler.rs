//! `sluice serve` as a process of its own, with short times so that a minute of trouble takes seconds.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::planted::log::Log;
use crate::planted::secrets::SECRET;
use crate::world::World;

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
    _log: Log,
    pub(crate) grpc: SocketAddr,
    http: SocketAddr,
}

impl Scaler {
    pub(crate) async fn start(world: &World, keys: Keys) -> Self {
        Self::spawn(command(&world.endpoint(), world, keys)).await
    }

    /// One that says all it can say, so that there is more to look for secrets in.
    pub(crate) async fn start_talkative(world: &World, keys: Keys) -> Self {
        let mut command = command(&world.endpoint(), world, keys);
        command.env("SLUICE_LOG", "trace");
        Self::spawn(command).await
    }

    /// Asks AWS at an address that no name server knows.
    pub(crate) async fn start_nowhere(world: &World) -> Self {
        Self::spawn(command("http://sqs.nowhere.invalid", world, Keys::Fixed)).await
    }

    async fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let pipe = child.stderr.take().unwrap().into_owned_fd();
        let (line, log) = Log::with_line(pipe.unwrap(), "serving").await;
        let address = |of: &str| {
            let address = line.split(of).nth(1).unwrap().split_whitespace().next();
            address.unwrap().parse().unwrap()
        };
        Self {
            child,
            _log: log,
            grpc: address("grpc="),
            http: address("http="),
        }
    }

    /// How many of its tasks have not ended, as its metrics say.
    pub(crate) async fn tasks(&self) -> usize {
        let mut connection = TcpStream::connect(self.http).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: sluice\r\nconnection: close\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let mut page = String::new();
        connection.read_to_string(&mut page).await.unwrap();
        let tasks = page
            .lines()
            .find_map(|line| line.strip_prefix("sluice_tasks "));
        tasks.unwrap().trim().parse().unwrap()
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
            .env("AWS_SECRET_ACCESS_KEY", SECRET),
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
