//! `h2load` as the client: it needs far less processor time than the server that it measures. It does
//! not read the status of gRPC, so answers are checked beside it.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use prost::Message;
use tokio::process::Command;

use super::{figures::quantile, scaler::Scaler};

/// One kind of call, as `h2load` sends it.
pub(crate) struct Load {
    method: &'static str,
    body: PathBuf,
    log: PathBuf,
}

/// So many calls at once over so many connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) connections: u32,
    pub(crate) in_flight: u32,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p99: Duration,
}

impl Load {
    /// Calls of `method` with `message`.
    pub(crate) fn of(method: &'static str, message: &impl Message) -> Self {
        let file = |kind| {
            std::env::temp_dir().join(format!("sluice-{}-{method}.{kind}", std::process::id()))
        };
        let (body, log) = (file("body"), file("log"));
        // A frame of gRPC: not compressed, the length, the message.
        let message = message.encode_to_vec();
        let length = u32::try_from(message.len()).expect("a short message");
        let frame = [&[0], &length.to_be_bytes()[..], &message].concat();
        fs::write(&body, frame).expect("a file");
        Self { method, body, log }
    }

    /// Makes `calls` calls, started by `before` as in [`super::bare::command`].
    pub(crate) async fn run(
        &self,
        before: &[&str],
        server: &Scaler,
        (cell, calls): (Cell, u32),
    ) -> Figures {
        let program = before.first().copied().unwrap_or("h2load");
        let rest = before.iter().skip(1).copied();
        let rest = rest.chain(before.first().map(|_| "h2load"));
        // An old log would be appended to.
        let _ = fs::remove_file(&self.log);
        let output = Command::new(program)
            .args(rest)
            .args(["-t", "1", "-n", &calls.to_string()])
            .args(["-c", &cell.connections.to_string()])
            .args(["-m", &(cell.in_flight / cell.connections).to_string()])
            .args(["-H", "content-type: application/grpc", "-H", "te: trailers"])
            .arg("-d")
            .arg(&self.body)
            .arg(format!("--log-file={}", self.log.display()))
            .arg(format!(
                "{}/externalscaler.ExternalScaler/{}",
                server.url(),
                self.method
            ))
            .stderr(Stdio::null())
            .output()
            .await
            .expect("h2load, of the package nghttp2-client");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains(&format!(" {calls} succeeded, 0 failed")),
            "{text}"
        );
        Figures {
            per_second: per_second(&text),
            p99: self.p99(),
        }
    }

    /// Of the log, whose lines are: start, status, microseconds.
    fn p99(&self) -> Duration {
        let log = fs::read_to_string(&self.log).expect("a log");
        let last = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
        let mut times: Vec<u64> = log.lines().filter_map(last).collect();
        times.sort_unstable();
        Duration::from_micros(quantile(&times, 0.99))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for file in [&self.body, &self.log] {
            let _ = fs::remove_file(file);
        }
    }
}

/// Of the line `finished in 1.02s, 147000.12 req/s, 12.00MB/s`.
fn per_second(text: &str) -> f64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "req/s,");
    let figure = at.and_then(|at| words[at - 1].parse().ok());
    figure.expect("requests a second")
}
