//! Does the steps of a row with the Rust SDK and compares what it finds.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    time::{Duration, UNIX_EPOCH},
};

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat},
};
use aws_sdk_sqs::{
    error::{ProvideErrorMetadata, SdkError},
    types::{
        BatchResultErrorEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
        MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use tokio::time::Instant;

use super::row::{self, Action, Entry, MetricQuery, Receive, Row, Step};
use crate::{
    cloudwatch,
    support::{Running, counts, given_a_server},
};

/// Why a row does not hold.
pub(super) enum Difference {
    /// AWS's name of an error, without its prefix.
    Error(String),
    /// Something else than what was wanted.
    Found(String),
}

type Outcome = Result<(), Difference>;

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
struct Run {
    server: Running,
    urls: BTreeMap<&'static str, String>,
    suffix: &'static str,
    held: Vec<Message>,
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

    async fn act_on_queue(&self, action: &Action) -> Outcome {
        let (sqs, url) = (&self.server.sqs, self.url(None));
        match action {
            Action::Attributes { names, are, only } => {
                return self.attributes(names, are, *only).await;
            }
            Action::Set { attributes } => {
                let attributes = Some(named(attributes));
                sqs.set_queue_attributes()
                    .queue_url(url)
                    .set_attributes(attributes)
                    .send()
                    .await?;
            }
            Action::Create { name, attributes } => {
                let name = name
                    .clone()
                    .unwrap_or_else(|| format!("main{}", self.suffix));
                let request = sqs.create_queue().queue_name(name);
                request
                    .set_attributes(Some(named(attributes)))
                    .send()
                    .await?;
            }
            Action::Url { name } => drop(sqs.get_queue_url().queue_name(name).send().await?),
            Action::DeleteQueue => drop(sqs.delete_queue().queue_url(url).send().await?),
            Action::Purge => drop(sqs.purge_queue().queue_url(url).send().await?),
            Action::Tag { tags } => {
                let tags = tags.clone().into_iter().collect();
                sqs.tag_queue()
                    .queue_url(url)
                    .set_tags(Some(tags))
                    .send()
                    .await?;
            }
            Action::Untag { keys } => {
                sqs.untag_queue()
                    .queue_url(url)
                    .set_tag_keys(Some(keys.clone()))
                    .send()
                    .await?;
            }
            Action::Tags { are } => {
                let found = sqs
                    .list_queue_tags()
                    .queue_url(url)
                    .send()
                    .await?
                    .tags
                    .unwrap_or_default();
                return same("tags", are, &found.into_iter().collect());
            }
            Action::Sources { count } => {
                let dead = self.url(Some(&"dead".to_owned()));
                let found = sqs
                    .list_dead_letter_source_queues()
                    .queue_url(dead)
                    .send()
                    .await?;
                return same("sources", count, &found.queue_urls().len());
            }
            Action::Move => {
                let arn = format!("arn:aws:sqs:us-east-1:000000000000:dead{}", self.suffix);
                sqs.start_message_move_task().source_arn(arn).send().await?;
            }
            _ => return Err(Difference::Found("a step that is not known".to_owned())),
        }
        Ok(())
    }

    fn url(&self, queue: Option<&String>) -> &str {
        let name = queue.map_or("main", String::as_str);
        self.urls.get(name).map_or("", String::as_str)
    }

    fn handle(&self, message: usize) -> Option<String> {
        self.held.get(message)?.receipt_handle().map(str::to_owned)
    }

    async fn send(&self, message: &row::Message) -> Outcome {
        let request = self
            .server
            .sqs
            .send_message()
            .queue_url(self.url(message.to.as_ref()));
        request
            .message_body(message.text())
            .set_delay_seconds(message.delay)
            .set_message_group_id(message.group.clone())
            .set_message_deduplication_id(message.dedup.clone())
            .set_message_attributes(Some(
                message
                    .attributes
                    .iter()
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
            ))
            .send()
            .await?;
        Ok(())
    }

    async fn send_batch(&self, entries: &[Entry], failed: &[String]) -> Outcome {
        let entries = entries.iter().map(|entry| {
            let request = SendMessageBatchRequestEntry::builder().id(&entry.id);
            let request = request.message_body(entry.message.text());
            request
                .set_delay_seconds(entry.message.delay)
                .build()
                .unwrap()
        });
        let request = self
            .server
            .sqs
            .send_message_batch()
            .queue_url(self.url(None));
        let answer = request.set_entries(Some(entries.collect())).send().await?;
        same("failed", failed, ids(answer.failed()).as_slice())
    }

    async fn receive(&mut self, receive: &Receive) -> Outcome {
        let request = self
            .server
            .sqs
            .receive_message()
            .queue_url(self.url(receive.of.as_ref()));
        let answer = request
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .set_max_number_of_messages(receive.max)
            .set_visibility_timeout(receive.visibility)
            .set_wait_time_seconds(receive.wait)
            .send()
            .await?;
        let messages = answer.messages();
        self.held.extend_from_slice(messages);
        let bodies: Vec<_> = messages
            .iter()
            .filter_map(|message| message.body.clone())
            .collect();
        same(
            "bodies",
            receive.bodies.as_ref().unwrap_or(&bodies),
            &bodies,
        )?;
        same(
            "messages",
            &receive.count.unwrap_or(messages.len()),
            &messages.len(),
        )?;
        let name = MessageSystemAttributeName::ApproximateReceiveCount;
        let receives: Vec<_> = messages
            .iter()
            .filter_map(|message| message.attributes()?.get(&name).cloned())
            .collect();
        same(
            "receive counts",
            receive.receives.as_ref().unwrap_or(&receives),
            &receives,
        )?;
        let found = messages
            .first()
            .and_then(|message| message.message_attributes());
        receive
            .message_attributes
            .iter()
            .try_for_each(|(name, value)| {
                let found = found.and_then(|attributes| attributes.get(name)?.string_value());
                same(name, &Some(value.as_str()), &found)
            })
    }

    async fn delete(&self, handle: Option<String>) -> Outcome {
        let request = self.server.sqs.delete_message().queue_url(self.url(None));
        request.set_receipt_handle(handle).send().await?;
        Ok(())
    }

    async fn delete_batch(
        &self,
        messages: &[usize],
        handles: &[String],
        failed: &[String],
    ) -> Outcome {
        let held = messages
            .iter()
            .map(|index| (format!("m{index}"), self.handle(*index).unwrap()));
        let given = handles
            .iter()
            .enumerate()
            .map(|(index, handle)| (format!("h{index}"), handle.clone()));
        let entries = held.chain(given).map(|(id, handle)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(id)
                .receipt_handle(handle)
                .build()
                .unwrap()
        });
        let request = self
            .server
            .sqs
            .delete_message_batch()
            .queue_url(self.url(None));
        let answer = request.set_entries(Some(entries.collect())).send().await?;
        same("failed", failed, ids(answer.failed()).as_slice())
    }

    async fn change_visibility(&self, message: usize, timeout: i32) -> Outcome {
        let request = self
            .server
            .sqs
            .change_message_visibility()
            .queue_url(self.url(None));
        let request = request.set_receipt_handle(self.handle(message));
        request.visibility_timeout(timeout).send().await?;
        Ok(())
    }

    async fn attributes(
        &self,
        names: &[String],
        are: &BTreeMap<String, String>,
        only: bool,
    ) -> Outcome {
        let names = names
            .iter()
            .map(|name| QueueAttributeName::from(name.as_str()))
            .collect();
        let request = self
            .server
            .sqs
            .get_queue_attributes()
            .queue_url(self.url(None));
        let answer = request.set_attribute_names(Some(names)).send().await?;
        let found: BTreeMap<String, String> = answer
            .attributes()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
            .collect();
        for (name, wanted) in are {
            let value = found.get(name).map(String::as_str).unwrap_or_default();
            let is_number =
                !value.is_empty() && value.bytes().all(|letter| letter.is_ascii_digit());
            if !(wanted == value || wanted.starts_with('~') && is_number) {
                return Err(Difference::Found(format!(
                    "{name} is {value:?}, wanted {wanted:?}"
                )));
            }
        }
        if only {
            same("names", &are.len(), &found.len())
        } else {
            Ok(())
        }
    }

    fn dimension(&self) -> Dimension {
        Dimension::builder()
            .name("QueueName")
            .value(format!("main{}", self.suffix))
            .build()
    }

    async fn put_metric(&self, namespace: &str, name: &str, value: f64) -> Outcome {
        let datum = MetricDatum::builder()
            .metric_name(name)
            .dimensions(self.dimension())
            .value(value);
        let request = cloudwatch::client(&self.server)
            .put_metric_data()
            .namespace(namespace);
        request.metric_data(datum.build()).send().await?;
        Ok(())
    }

    async fn metric(&self, query: &MetricQuery) -> Outcome {
        let metric = Metric::builder()
            .namespace(&query.namespace)
            .metric_name(&query.name);
        let metric = metric.dimensions(self.dimension()).build();
        let stat = MetricStat::builder()
            .metric(metric)
            .period(60)
            .stat("Maximum")
            .build();
        let now = UNIX_EPOCH + self.server.control.now();
        let around = Duration::from_hours(query.hours.unwrap_or(1));
        let answer = cloudwatch::client(&self.server)
            .get_metric_data()
            .metric_data_queries(MetricDataQuery::builder().id("m").metric_stat(stat).build())
            .start_time(DateTime::from(now - around))
            .end_time(DateTime::from(now + around))
            .send()
            .await?;
        let found = answer
            .metric_data_results()
            .first()
            .map(|result| result.values().to_vec());
        let found = found.unwrap_or_default();
        same("values", query.values.as_ref().unwrap_or(&found), &found)?;
        let highest = found.iter().copied().fold(0.0, f64::max);
        match query.over {
            Some(over) if highest <= over => {
                Err(Difference::Found(format!("{found:?}, wanted over {over}")))
            }
            _ => Ok(()),
        }
    }
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .unwrap()
}

fn named(
    attributes: &BTreeMap<String, String>,
) -> std::collections::HashMap<QueueAttributeName, String> {
    attributes
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.clone()))
        .collect()
}

fn ids(failed: &[BatchResultErrorEntry]) -> Vec<String> {
    failed.iter().map(|entry| entry.id().to_owned()).collect()
}

fn same<T: PartialEq + Debug + ?Sized>(what: &str, wanted: &T, found: &T) -> Outcome {
    if wanted == found {
        return Ok(());
    }
    Err(Difference::Found(format!(
        "{what}: wanted {wanted:?}, found {found:?}"
    )))
}
