//! Messages on their way out, at once or by a long poll that ends with the first message.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    SqsError,
    address::{receipt_handle, sequence_number},
    content::{self, Attributes, Content},
    in_range,
};
use crate::local::{
    account::Account,
    local_queue::LocalQueue,
    queue::{Receive, Received},
    server::App,
};

/// A caller without credentials of its own; SQS gives the sender's account or user id here.
const SENDER_ID: &str = "AIDALOCALSENDER000000";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceivedMessages {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<ReceivedMessage>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceivedMessage {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_attributes: Option<String>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    message_attributes: Attributes,
}

pub(super) async fn receive_message(
    app: &App,
    request: ReceiveMessage,
) -> Result<ReceivedMessages, SqsError> {
    let receive = request.checked()?;
    let wait = request.wait(&mut app.shared.account())?;
    let deadline = app.shared.now() + wait;
    loop {
        // Listening starts before looking, so that a message sent in between is not missed.
        let arrivals = Arc::clone(&app.shared.account().queue(&request.queue_url)?.arrivals);
        let arrival = arrivals.notified();
        let now = app.shared.now();
        let is_last = now >= deadline || app.shutdown.is_cancelled();
        let look = request.look(&mut app.shared.account(), now, receive)?;
        match look {
            Look::Found(messages) => return Ok(ReceivedMessages { messages }),
            Look::OverLimit if wait.is_zero() => return Err(SqsError::OverLimit),
            Look::OverLimit | Look::Nothing { .. } if is_last => return Ok(request.nothing(app)),
            Look::OverLimit | Look::Nothing { .. } => {}
        }
        let next_look_at = look
            .next_change_at()
            .map_or(deadline, |at| at.min(deadline));
        tokio::select! {
            () = arrival => {}
            () = tokio::time::sleep(next_look_at.saturating_sub(now)) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
}

/// What one look at the queue found.
enum Look {
    Found(Vec<ReceivedMessage>),
    Nothing {
        next_change_at: Option<Duration>,
    },
    /// A short poll is told so; a long poll waits, as if the queue were empty.
    OverLimit,
}

impl Look {
    fn next_change_at(&self) -> Option<Duration> {
        match self {
            Self::Nothing { next_change_at } => *next_change_at,
            Self::Found(_) | Self::OverLimit => None,
        }
    }
}

impl ReceiveMessage {
    fn checked(&self) -> Result<Receive, SqsError> {
        let max = in_range("MaxNumberOfMessages", self.max_number_of_messages, 1..=10)?;
        let visibility = in_range("VisibilityTimeout", self.visibility_timeout, 0..=43_200)?;
        Ok(Receive {
            max_messages: max.and_then(|max| usize::try_from(max).ok()).unwrap_or(1),
            visibility_timeout: visibility.map(Duration::from_secs),
            max_receives: None,
        })
    }

    fn wait(&self, account: &mut Account) -> Result<Duration, SqsError> {
        let asked = in_range("WaitTimeSeconds", self.wait_time_seconds, 0..=20)?;
        let queue = account.queue(&self.queue_url)?;
        Ok(Duration::from_secs(
            asked.unwrap_or(queue.attributes.wait_seconds),
        ))
    }

    fn look(
        &self,
        account: &mut Account,
        now: Duration,
        receive: Receive,
    ) -> Result<Look, SqsError> {
        let messages = match account.receive(now, &self.queue_url, receive) {
            Err(SqsError::OverLimit) => return Ok(Look::OverLimit),
            answer => answer?,
        };
        let queue = account.queue(&self.queue_url)?;
        if messages.is_empty() {
            return Ok(Look::Nothing {
                next_change_at: queue.messages.next_change_at(),
            });
        }
        Ok(Look::Found(
            messages
                .into_iter()
                .map(|message| self.show(queue, &message))
                .collect(),
        ))
    }

    fn nothing(&self, app: &App) -> ReceivedMessages {
        if let Ok(queue) = app.shared.account().queue(&self.queue_url) {
            queue.traffic.empty_receives += 1;
        }
        ReceivedMessages {
            messages: Vec::new(),
        }
    }

    fn show(&self, queue: &LocalQueue, message: &Received<Arc<Content>>) -> ReceivedMessage {
        let content = &message.payload;
        let id = content.id.clone();
        let message_attributes = self.wanted_attributes(&content.attributes);
        ReceivedMessage {
            message_id: id.unwrap_or_else(|| queue.message_id(message.receipt.key)),
            receipt_handle: receipt_handle(queue.id, message.receipt),
            md5_of_body: content.body_md5.clone(),
            body: content.body.clone(),
            attributes: self.system_attributes(queue, message),
            md5_of_attributes: content::attributes_md5(&message_attributes),
            message_attributes,
        }
    }

    fn system_attributes(
        &self,
        queue: &LocalQueue,
        message: &Received<Arc<Content>>,
    ) -> BTreeMap<&'static str, String> {
        let names = || {
            self.attribute_names
                .iter()
                .chain(&self.message_system_attribute_names)
        };
        if names().next().is_none() {
            return BTreeMap::new();
        }
        let mut attributes = message.payload.system.clone();
        attributes.insert("SenderId", SENDER_ID.to_owned());
        attributes.insert("SentTimestamp", message.sent_at.as_millis().to_string());
        attributes.insert("ApproximateReceiveCount", message.receive_count.to_string());
        let first = message.first_received_at.as_millis();
        attributes.insert("ApproximateFirstReceiveTimestamp", first.to_string());
        if queue.attributes.is_fifo {
            attributes.insert("SequenceNumber", sequence_number(message.receipt.key));
        }
        attributes.retain(|known, _| names().any(|name| name == "All" || name == known));
        attributes
    }

    /// The attributes asked for by name, by `prefix.*`, or all of them by `All` or `.*`.
    fn wanted_attributes(&self, attributes: &Attributes) -> Attributes {
        let is_wanted = |name: &str| {
            self.message_attribute_names
                .iter()
                .any(|wanted| match wanted.strip_suffix(".*") {
                    Some(prefix) => name.starts_with(prefix),
                    None => wanted == "All" || wanted == name,
                })
        };
        let wanted = attributes.iter().filter(|(name, _)| is_wanted(name));
        wanted
            .map(|(name, attribute)| (name.clone(), attribute.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::queue::{IN_FLIGHT_MAX, NewMessage};

    fn given_a_queue_at_its_limit(app: &App) {
        let (mut account, now) = (app.shared.account(), app.shared.now());
        let queue = account.create(now, "orders", &BTreeMap::new()).unwrap();
        let max = usize::try_from(IN_FLIGHT_MAX).unwrap();
        for _ in 0..=max {
            queue.messages.send(now, NewMessage::of(Arc::default()));
        }
        queue.messages.receive(now, &Receive::up_to(max)).unwrap();
    }

    fn poll(wait_seconds: u64) -> ReceiveMessage {
        let request = serde_json::json!({ "QueueUrl": "orders", "WaitTimeSeconds": wait_seconds });
        serde_json::from_value(request).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_in_flight_are_an_error_for_short_polls_and_silence_for_long_ones() {
        let app = App::for_tests();
        given_a_queue_at_its_limit(&app);
        let short = receive_message(&app, poll(0)).await;
        assert_eq!(
            short.map(|answer| answer.messages.len()),
            Err(SqsError::OverLimit)
        );
        let long = receive_message(&app, poll(20)).await;
        assert_eq!(long.map(|answer| answer.messages.len()), Ok(0));
    }
}
