//! Steps with messages: send, receive, delete, change how long they are invisible.

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName,
    SendMessageBatchRequestEntry,
};

use super::{
    row::{Entry, Message, Receive},
    steps::{Outcome, Run, same},
};

impl Run {
    pub(super) async fn send(&self, message: &Message) -> Outcome {
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

    pub(super) async fn send_batch(&self, entries: &[Entry], failed: &[String]) -> Outcome {
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

    pub(super) async fn receive(&mut self, receive: &Receive) -> Outcome {
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

    pub(super) async fn delete(&self, handle: Option<String>) -> Outcome {
        let request = self.server.sqs.delete_message().queue_url(self.url(None));
        request.set_receipt_handle(handle).send().await?;
        Ok(())
    }

    pub(super) async fn delete_batch(
        &self,
        messages: &[usize],
        handles: &[String],
        failed: &[String],
    ) -> Outcome {
        let entries = self
            .batch(messages, handles)
            .into_iter()
            .map(|(id, handle)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(id);
                entry.receipt_handle(handle).build().unwrap()
            });
        let request = self
            .server
            .sqs
            .delete_message_batch()
            .queue_url(self.url(None));
        let answer = request.set_entries(Some(entries.collect())).send().await?;
        same("failed", failed, ids(answer.failed()).as_slice())
    }

    /// Makes messages visible again.
    pub(super) async fn return_batch(
        &self,
        messages: &[usize],
        handles: &[String],
        failed: &[String],
    ) -> Outcome {
        let entries = self
            .batch(messages, handles)
            .into_iter()
            .map(|(id, handle)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
                entry
                    .receipt_handle(handle)
                    .visibility_timeout(0)
                    .build()
                    .unwrap()
            });
        let request = self
            .server
            .sqs
            .change_message_visibility_batch()
            .queue_url(self.url(None));
        let answer = request.set_entries(Some(entries.collect())).send().await?;
        same("failed", failed, ids(answer.failed()).as_slice())
    }

    /// Ids and handles: those of messages held as `m0`, ..., those given as `h0`, ...
    fn batch(&self, messages: &[usize], handles: &[String]) -> Vec<(String, String)> {
        let held = messages
            .iter()
            .map(|index| (format!("m{index}"), self.handle(*index).unwrap()));
        let given = handles.iter().enumerate();
        held.chain(given.map(|(index, handle)| (format!("h{index}"), handle.clone())))
            .collect()
    }

    pub(super) async fn change_visibility(&self, message: usize, timeout: i32) -> Outcome {
        let request = self
            .server
            .sqs
            .change_message_visibility()
            .queue_url(self.url(None));
        let request = request.set_receipt_handle(self.handle(message));
        request.visibility_timeout(timeout).send().await?;
        Ok(())
    }
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .unwrap()
}

fn ids(failed: &[BatchResultErrorEntry]) -> Vec<String> {
    failed.iter().map(|entry| entry.id().to_owned()).collect()
}
