//! Starts the worker as a process with its own environment, signals it, and collects what it says.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::planted::{SECRET, assert_no_secret};
use crate::scripted_sqs::ScriptedSqs;

/// Far more than any of these tests needs, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Worker {
    child: Child,
    /// When it was started or, after that, told anything.
    told_at: Mutex<Instant>,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

/// How a worker ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
    /// From the last that it was told, or from its start; never less than it took.
    pub(crate) took: Duration,
}

impl Worker {
    /// Consumes the scripted queue `orders`, with further or other variables.
    pub(crate) fn start(sqs: &ScriptedSqs, variables: &[(&str, &str)]) -> Self {
        let queue = format!("{}/123456789012/orders", sqs.endpoint());
        Self::consume(sqs.endpoint(), &queue, variables)
    }

    /// Consumes a queue at an endpoint.
    pub(crate) fn consume(endpoint: &str, queue: &str, variables: &[(&str, &str)]) -> Self {
        Self::spawn(
            Command::new(env!("CARGO_BIN_EXE_sluice-worker"))
                .env_clear()
                .env("AWS_ENDPOINT_URL", endpoint)
                .env("AWS_ACCESS_KEY_ID", "test")
                .env("AWS_SECRET_ACCESS_KEY", SECRET)
                .env("AWS_REGION", "eu-west-1")
                .env("SQS_QUEUE_URL", queue)
                .env("HEALTH_HOST", "127.0.0.1")
                .env("HEALTH_PORT", "0")
                .env("PATH", std::env::var("PATH").unwrap())
                .envs(variables.iter().copied()),
        )
    }

    /// Starts it with these variables and no others.
    pub(crate) fn start_bare(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice-worker"));
        Self::spawn(command.env_clear().envs(variables.iter().copied()))
    }

    /// One message, as a job.
    pub(crate) fn once(endpoint: &str, variables: &[(&str, &str)]) -> Self {
        Self::mode(&["once"], endpoint, variables)
    }

    /// Does something else than run.
    pub(crate) fn mode(arguments: &[&str], endpoint: &str, variables: &[(&str, &str)]) -> Self {
        Self::spawn(
            Command::new(env!("CARGO_BIN_EXE_sluice-worker"))
                .args(arguments)
                .env_clear()
                .env("AWS_ENDPOINT_URL", endpoint)
                .env("AWS_ACCESS_KEY_ID", "test")
                .env("AWS_SECRET_ACCESS_KEY", SECRET)
                .env("AWS_REGION", "eu-west-1")
                .env("HEALTH_HOST", "127.0.0.1")
                .env("HEALTH_PORT", "0")
                .envs(variables.iter().copied()),
        )
    }

    fn spawn(command: &mut Command) -> Self {
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let told_at = Mutex::new(Instant::now());
        let mut child = command.spawn().unwrap();
        let stdout = Lines::collect(child.stdout.take().unwrap());
        let stderr = Lines::collect(child.stderr.take().unwrap());
        Self {
            child,
            told_at,
            stdout,
            stderr,
        }
    }

    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        *self.told_at.lock().unwrap() = Instant::now();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .await
            .unwrap();
        assert!(sent.success(), "cannot send {name} to {id}");
    }

    pub(crate) async fn end(mut self) -> Ended {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .expect("it ends")
            .unwrap();
        let took = self.told_at.lock().unwrap().elapsed();
        let (stdout, stderr) = (self.stdout.all().await, self.stderr.all().await);
        Ended {
            code: status.code(),
            stdout,
            stderr,
            took,
        }
    }

    pub(crate) async fn terminate(self) -> Ended {
        self.signal("TERM").await;
        self.end().await
    }

    /// Where its health server listens.
    pub(crate) async fn address(&self) -> String {
        let listens = || self.stderr.find("health server listens");
        eventually("the health server listens", || listens().is_some()).await;
        let line = listens().unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }

    /// Waits until it works on so many messages: SQS counts them as given out before the worker has them.
    pub(crate) async fn works_on(&self, messages: usize) {
        self.counts(&[&format!("sluice_worker_busy_slots {messages}")])
            .await;
    }

    /// Waits until its metrics have all these lines.
    pub(crate) async fn counts(&self, lines: &[&str]) {
        let asked_at = Instant::now();
        loop {
            let page = self.health("/metrics").await.1;
            let missing = lines
                .iter()
                .find(|line| !page.lines().any(|found| found == **line));
            let Some(missing) = missing else { return };
            assert!(asked_at.elapsed() < PATIENCE, "{missing}: {page}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The status line of `GET path` at its health server, and the body.
    pub(crate) async fn health(&self, path: &str) -> (u16, String) {
        let address = self.address().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_no_secret(&answer);
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }
}

/// The lines that came so far. None of them has a secret.
pub(crate) struct Lines {
    so_far: Arc<Mutex<Vec<String>>>,
    /// `None` once closed.
    reading: Option<JoinHandle<()>>,
}

impl Lines {
    fn collect(stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let so_far = Arc::new(Mutex::new(Vec::new()));
        let lines = so_far.clone();
        let reading = tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Some(line) = stream.next_line().await.unwrap() {
                lines.lock().unwrap().push(line);
            }
        });
        Self {
            so_far,
            reading: Some(reading),
        }
    }

    /// Closes our end: the worker's next write fails.
    pub(crate) async fn close(&mut self) {
        let reading = self.reading.take().unwrap();
        reading.abort();
        let _ = reading.await;
    }

    pub(crate) fn find(&self, text: &str) -> Option<String> {
        self.so_far
            .lock()
            .unwrap()
            .iter()
            .find(|line| line.contains(text))
            .cloned()
    }

    async fn all(mut self) -> Vec<String> {
        if let Some(reading) = self.reading.take() {
            reading.await.unwrap();
        }
        self.so_far.lock().unwrap().clone()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // A test that fails says why itself.
        if !std::thread::panicking() {
            assert_no_secret(self.so_far.lock().unwrap().join("\n"));
        }
    }
}

impl Ended {
    pub(crate) fn assert_drained(&self) {
        assert_eq!(self.code, Some(0), "{:#?}", self.stderr);
    }
}

/// Waits for another process to bring something about.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let asked_at = Instant::now();
    while !holds() {
        assert!(asked_at.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
