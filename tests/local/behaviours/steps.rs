//! Does the steps of a row with the Rust SDK and compares what it finds.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use aws_sdk_sqs::{
    error::{ProvideErrorMetadata, SdkError},
    types::Message,
};
use tokio::time::Instant;

use super::row::{Action, Row, Step};
use crate::support::{Running, counts, given_a_server};

/// Why a row does not hold.
pub(super) enum Difference {
    /// AWS's name of an error, without its prefix.
    Error(String),
    /// Something else than what was wanted.
    Found(String),
}

pub(super) type Outcome = Result<(), Difference>;

impl<E: ProvideErrorMetadata, R> From<SdkError<E, R>> for Difference {
    fn from(error: SdkError<E, R>) -> Self {
        let code = error.code().unwrap_or("no answer");
        Self::Error(match code.rsplit(['.', '#']).next().unwrap_or(code) {
            "NonExistentQueue" => "QueueDoesNotExist".to_owned(),
            "QueueAlreadyExists" => "QueueNameExists".to_owned(),
            name => name.to_owned(),
        })
    }
}

/// A row under way.
pub(super) struct Run {
    pub(super) server: Running,
    urls: BTreeMap<&'static str, String>,
    pub(super) suffix: &'static str,
    pub(super) held: Vec<Message>,
}

pub(super) async fn run(row: &Row) -> Result<(), String> {
    let mut run = given_a_run(row).await;
    for (number, step) in row.steps.iter().enumerate() {
        run.check(step)
            .await
            .map_err(|difference| format!("step {number}: {difference}"))?;
    }
    Ok(())
}

async fn given_a_run(row: &Row) -> Run {
    let server = given_a_server().await;
    let is_fifo = row.attributes.contains_key("FifoQueue");
    let suffix = if is_fifo { ".fifo" } else { "" };
    let kind: &[(&str, &str)] = if is_fifo {
        &[("FifoQueue", "true")]
    } else {
        &[]
    };
    let mut urls = BTreeMap::new();
    for name in ["dead", "other"] {
        urls.insert(name, server.given_a_queue(&format!("{name}{suffix}"), kind));
    }
    let redrive = row.max_receives.map(|max| {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:dead{suffix}");
        serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": max }).to_string()
    });
    let mut attributes: Vec<(&str, &str)> = row
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    attributes.extend(redrive.as_deref().map(|redrive| ("RedrivePolicy", redrive)));
    urls.insert(
        "main",
        server.given_a_queue(&format!("main{suffix}"), &attributes),
    );
    Run {
        server,
        urls,
        suffix,
        held: Vec::new(),
    }
}

impl Run {
    async fn check(&mut self, step: &Step) -> Result<(), String> {
        let started = Instant::now();
        let found = match Box::pin(self.act(&step.action)).await {
            Ok(()) => None,
            Err(Difference::Error(name)) => Some(name),
            Err(Difference::Found(text)) => return Err(text),
        };
        if found != step.error {
            return Err(format!("wanted {:?}, found {found:?}", step.error));
        }
        let lasted = started.elapsed().as_secs_f64();
        match step.lasts {
            Some((low, high)) if !(low..=high).contains(&lasted) => {
                Err(format!("lasted {lasted} s"))
            }
            _ => Ok(()),
        }
    }

    async fn act(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Send(message) => self.send(message).await,
            Action::SendBatch { entries, failed } => self.send_batch(entries, failed).await,
            Action::Receive(receive) => self.receive(receive).await,
            Action::Delete { message, handle } => {
                self.delete(message.map_or_else(|| handle.clone(), |index| self.handle(index)))
                    .await
            }
            Action::DeleteBatch {
                messages,
                handles,
                failed,
            } => self.delete_batch(messages, handles, failed).await,
            Action::VisibilityBatch {
                messages,
                handles,
                failed,
            } => self.return_batch(messages, handles, failed).await,
            Action::Visibility { message, timeout } => {
                self.change_visibility(*message, *timeout).await
            }
            Action::Counts { are, of } => {
                let found = counts(&self.server.sqs, self.url(of.as_ref())).await;
                same("counts", &are.map(|count| count.to_string()), &found)
            }
            Action::Wait { seconds } => {
                self.server
                    .control
                    .advance_clock(Duration::from_secs_f64(*seconds));
                Ok(())
            }
            Action::PutMetric {
                namespace,
                name,
                value,
            } => {
                self.put_metric(namespace.as_deref().unwrap_or("Own"), name, *value)
                    .await
            }
            Action::Metric(query) => self.metric(query).await,
            other => self.act_on_queue(other).await,
        }
    }

    pub(super) fn url(&self, queue: Option<&String>) -> &str {
        let name = queue.map_or("main", String::as_str);
        self.urls.get(name).map_or("", String::as_str)
    }

    pub(super) fn handle(&self, message: usize) -> Option<String> {
        self.held.get(message)?.receipt_handle().map(str::to_owned)
    }
}

pub(super) fn same<T: PartialEq + Debug + ?Sized>(what: &str, wanted: &T, found: &T) -> Outcome {
    if wanted == found {
        return Ok(());
    }
    Err(Difference::Found(format!(
        "{what}: wanted {wanted:?}, found {found:?}"
    )))
}
