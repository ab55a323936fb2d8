//! Steps with a queue itself: its attributes, its tags, its dead letters, its end.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::QueueAttributeName;

use super::{
    row::Action,
    steps::{Difference, Outcome, Run, same},
};

impl Run {
    pub(super) async fn act_on_queue(&self, action: &Action) -> Outcome {
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
            other => return self.act_on_tags_and_lists(other).await,
        }
        Ok(())
    }

    async fn act_on_tags_and_lists(&self, action: &Action) -> Outcome {
        let (sqs, url) = (&self.server.sqs, self.url(None));
        match action {
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
            Action::List { count } => {
                let found = sqs.list_queues().queue_name_prefix("main").send().await?;
                return same("queues", count, &found.queue_urls().len());
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
}

fn named(attributes: &BTreeMap<String, String>) -> HashMap<QueueAttributeName, String> {
    attributes
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.clone()))
        .collect()
}
