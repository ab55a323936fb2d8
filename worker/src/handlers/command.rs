//! Runs a program for each message, or for each batch; its exit code decides.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command as Program};

use super::{Handler, HandlerError, Takes};
use crate::message::Message;

/// The results of ten messages need far less; a program that writes more is cut off.
const RESULTS_BYTES_MAX: u64 = 1_048_576;

/// A program with its arguments; no shell is between. For a message the body comes on its standard input, and what else
/// is known in its environment: `SQS_MESSAGE_ID`, `SQS_RECEIVE_COUNT`, `SQS_GROUP` and `SQS_ATTRIBUTE_<NAME>`.
///
/// For a batch each line of standard input is a JSON object of one message. Exit code 0 means that all are done but those
/// that the program names on standard output, as `{"batchItemFailures":[{"itemIdentifier":"<message id>"}]}`.
#[derive(Debug, Clone)]
pub struct Command {
    pub program: String,
    pub arguments: Vec<String>,
    pub takes: Takes,
}

impl Handler for Command {
    async fn handle(&self, message: Arc<Message>) -> Result<(), HandlerError> {
        let mut program = self.program();
        program.envs(environment(&message)).stdout(Stdio::inherit());
        let mut running = Running::start(program, &self.program)?;
        running.write(message.body.as_bytes()).await?;
        running.succeed().await
    }

    fn takes(&self) -> Takes {
        self.takes
    }

    async fn handle_batch(&self, messages: Vec<Arc<Message>>) -> Vec<Result<(), HandlerError>> {
        let ended = self.run_batch(&messages).await;
        let results = messages.iter().map(|message| match &ended {
            Ok(failures) if failures.contains(&message.id) => Err("the program names it".into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string().into()),
        });
        results.collect()
    }
}

impl Command {
    fn program(&self) -> Program {
        let mut program = Program::new(&self.program);
        program
            .args(&self.arguments)
            .stdin(Stdio::piped())
            // A group of its own, so that its children end with it.
            .process_group(0);
        program
    }

    async fn run_batch(&self, messages: &[Arc<Message>]) -> Result<Vec<String>, HandlerError> {
        let mut program = self.program();
        program.stdout(Stdio::piped());
        let mut running = Running::start(program, &self.program)?;
        let input: String = messages.iter().map(|message| line(message)).collect();
        let stdout = running.child.stdout.take();
        let reading = async {
            let mut results = Vec::new();
            if let Some(stdout) = stdout {
                stdout
                    .take(RESULTS_BYTES_MAX)
                    .read_to_end(&mut results)
                    .await?;
            }
            io::Result::Ok(results)
        };
        let (written, results) = tokio::join!(running.write(input.as_bytes()), reading);
        written?;
        let results = results?;
        running.succeed().await?;
        failures(&results)
    }
}

/// A program and its children, killed when this is dropped before they have ended.
struct Running {
    child: Child,
    group: Option<Pid>,
    stdin: Option<ChildStdin>,
}

impl Running {
    fn start(mut program: Program, name: &str) -> Result<Self, HandlerError> {
        let mut child = program
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| format!("cannot run {name:?}: {cause}"))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            group: id.and_then(Pid::from_raw),
            stdin: child.stdin.take(),
            child,
        })
    }

    async fn write(&mut self, input: &[u8]) -> io::Result<()> {
        let Some(mut stdin) = self.stdin.take() else {
            return Ok(());
        };
        match stdin.write_all(input).await {
            // A program need not read what it is given; its exit code decides.
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    async fn succeed(mut self) -> Result<(), HandlerError> {
        let status = self.child.wait().await?;
        if status.success() {
            return Ok(());
        }
        Err(ended(status).into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // What it left behind ends as well; nothing left is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("the program ended with exit code {code}"),
        None => format!("the program was ended: {status}"),
    }
}

fn environment(message: &Message) -> Vec<(String, String)> {
    let mut variables = vec![("SQS_MESSAGE_ID".to_owned(), message.id.clone())];
    if let Some(count) = message.receive_count {
        variables.push(("SQS_RECEIVE_COUNT".to_owned(), count.to_string()));
    }
    if let Some(group) = &message.group {
        variables.push(("SQS_GROUP".to_owned(), group.clone()));
    }
    for (name, value) in &message.attributes {
        // No variable can hold a zero byte, and SQS lets none through.
        variables.push((variable(name), value.replace('\0', "")));
    }
    variables
}

fn variable(attribute: &str) -> String {
    let name: String = attribute
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => character.to_ascii_uppercase(),
            _ => '_',
        })
        .collect();
    format!("SQS_ATTRIBUTE_{name}")
}

fn line(message: &Message) -> String {
    let object = json!({
        "messageId": message.id,
        "receiveCount": message.receive_count,
        "group": message.group,
        "attributes": message.attributes,
        "body": message.body,
    });
    format!("{object}\n")
}

/// The messages that are named; no output at all names none. Output that cannot be read fails all of them.
fn failures(results: &[u8]) -> Result<Vec<String>, HandlerError> {
    if results.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let wanted = r#"expected {"batchItemFailures":[{"itemIdentifier":"<message id>"}]}"#;
    let results: Value = serde_json::from_slice(results)
        .map_err(|cause| format!("standard output of the program: {wanted}: {cause}"))?;
    let named = results.get("batchItemFailures").and_then(Value::as_array);
    let named = named.ok_or_else(|| format!("standard output of the program: {wanted}"))?;
    let ids = named.iter().map(|failure| {
        let id = failure.get("itemIdentifier").and_then(Value::as_str);
        id.map(ToOwned::to_owned)
            .ok_or_else(|| format!("standard output of the program: {wanted}").into())
    });
    ids.collect()
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
