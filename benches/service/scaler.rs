//! A server as a process: the scaler, or the bare one that it is compared with.

use std::{fs, net::SocketAddr, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use sluice::grpc::proto::external_scaler_client::ExternalScalerClient;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    task::JoinHandle,
};
use tonic::transport::{Channel, Endpoint};

pub(crate) type Client = ExternalScalerClient<Channel>;

/// Where the binary is.
pub(crate) const SLUICE: &str = env!("CARGO_BIN_EXE_sluice");

/// The clock of /proc ticks a hundred times a second on every Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// A process that serves, and what it logs meanwhile.
pub(crate) struct Scaler {
    process: Child,
    pub(crate) address: SocketAddr,
    /// Where its metrics are, if it has any.
    pages: Option<SocketAddr>,
    log: JoinHandle<Vec<String>>,
}

/// `sluice serve` with these flags.
pub(crate) async fn given_scaler(listen: &str, flags: &[&str]) -> Scaler {
    let mut command = Command::new(SLUICE);
    command.args(serve(listen)).args(flags);
    served_by(command).await
}

/// What makes the binary serve.
pub(crate) fn serve(listen: &str) -> [&str; 6] {
    [
        "serve",
        "--loopback-endpoints",
        // All objects are of one namespace, and nobody else wants a place.
        "--namespace-triggers-max=20000",
        "--http-listen=127.0.0.1:0",
        "--grpc-listen",
        listen,
    ]
}

/// Waits until what `command` starts says on which port it serves.
pub(crate) async fn served_by(mut command: Command) -> Scaler {
    let mut process = command
        // A flag overrides it.
        .env("SLUICE_CLOUDWATCH", "off")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary");
    let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let line = loop {
        let line = log.next_line().await.expect("a log");
        let line = line.expect("a process that goes on");
        if line.contains("serving") {
            break line;
        }
    };
    Scaler {
        process,
        address: told(&line, "grpc=").expect("an address"),
        pages: told(&line, "http="),
        log: tokio::spawn(async move {
            let mut lines = Vec::new();
            while let Ok(Some(line)) = log.next_line().await {
                lines.push(line);
            }
            lines
        }),
    }
}

/// The address after `label`.
fn told(line: &str, label: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once(label)?;
    address.split_whitespace().next()?.parse().ok()
}

impl Scaler {
    /// Its page of metrics, as Prometheus asks for it.
    pub(crate) async fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.pages.expect("pages"))
            .await
            .unwrap();
        let request =
            b"GET /metrics HTTP/1.1\r\nHost: sluice\r\nAccept: application/openmetrics-text\r\n\
            Connection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        page
    }

    /// What its own page of metrics says of this one; 0 while it is not there.
    pub(crate) async fn counted(&self, metric: &str) -> u64 {
        let page = self.metrics().await;
        let line = page.lines().find_map(|line| line.strip_prefix(metric));
        line.map_or(0, |number| number.trim().parse().unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn client(&self) -> Client {
        let endpoint = Endpoint::from_shared(self.url()).expect("an address");
        ExternalScalerClient::new(endpoint.connect_lazy())
    }

    /// Processor time so far, in user and kernel.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("Linux");
        let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u32 = ticks.map(|ticks| ticks.parse::<u32>().unwrap()).sum();
        TICK * ticks
    }

    /// Processor time since it was `before`.
    pub(crate) fn cpu_since(&self, before: Duration) -> Duration {
        self.cpu().saturating_sub(before)
    }

    /// Memory that is resident now.
    pub(crate) fn memory_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.expect("a size").split_whitespace().nth(1).unwrap();
        kib.parse::<f64>().unwrap() / 1_024.0
    }

    /// Asks it to stop, waits until it has, and returns what it has logged.
    pub(crate) async fn stop(mut self) -> Vec<String> {
        let id = Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        self.process.wait().await.expect("an end");
        self.log.await.expect("a log")
    }

    fn id(&self) -> u32 {
        self.process.id().expect("a process that runs")
    }
}
