//! Queues: create, delete, purge, list, look up, and their attributes.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Call, Empty, SqsError, address::queue_url};
use crate::local::account::Account;

/// SQS lists no more queues than this at once.
const LISTED_MAX: usize = 1_000;
/// A queue can be purged once in this time.
const PURGE_INTERVAL: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags", alias = "Tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfQueue {
    pub(super) queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrl {
    queue_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueUrl {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueues {
    queue_name_prefix: Option<String>,
    #[serde(flatten)]
    page: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListSources {
    queue_url: String,
    #[serde(flatten)]
    page: Page,
}

/// Where a list goes on; the token is the last name that was listed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueUrls {
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// As `QueueUrls`, but SQS spells this one's field in lower case.
#[derive(Serialize)]
pub(super) struct SourceUrls {
    #[serde(rename = "queueUrls")]
    queue_urls: Vec<String>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn create_queue(
    account: &mut Account,
    call: &Call,
    request: CreateQueue,
) -> Result<QueueUrl, SqsError> {
    let is_new = !account.queues.contains_key(&request.queue_name);
    let queue = account.create(call.now, &request.queue_name, &request.attributes)?;
    if is_new {
        queue.tags = request.tags;
    }
    Ok(QueueUrl {
        queue_url: queue_url(&call.host, &request.queue_name),
    })
}

pub(super) fn delete_queue(
    account: &mut Account,
    call: &Call,
    request: OfQueue,
) -> Result<Empty, SqsError> {
    account
        .delete(call.now, &request.queue_url)
        .map(|()| Empty {})
}

pub(super) fn purge_queue(
    account: &mut Account,
    call: &Call,
    request: OfQueue,
) -> Result<Empty, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    if queue
        .purged_at
        .is_some_and(|at| call.now.saturating_sub(at) < PURGE_INTERVAL)
    {
        return Err(SqsError::PurgeQueueInProgress(queue.name.clone()));
    }
    queue.purged_at = Some(call.now);
    queue.messages.purge(call.now);
    Ok(Empty {})
}

pub(super) fn get_queue_url(
    account: &mut Account,
    call: &Call,
    request: GetQueueUrl,
) -> Result<QueueUrl, SqsError> {
    let queue = account.queue(&request.queue_name)?;
    Ok(QueueUrl {
        queue_url: queue_url(&call.host, &queue.name),
    })
}

pub(super) fn list_queues(
    account: &mut Account,
    call: &Call,
    request: ListQueues,
) -> Result<QueueUrls, SqsError> {
    let prefix = request.queue_name_prefix.unwrap_or_default();
    let names = account
        .queues
        .keys()
        .filter(|name| name.starts_with(&prefix));
    let (queue_urls, next_token) = request.page.of(call, names)?;
    Ok(QueueUrls {
        queue_urls,
        next_token,
    })
}

pub(super) fn list_dead_letter_source_queues(
    account: &mut Account,
    call: &Call,
    request: ListSources,
) -> Result<SourceUrls, SqsError> {
    let target = account.queue(&request.queue_url)?.name.clone();
    let names = account
        .queues
        .values()
        .filter(|queue| queue.feeds(&target))
        .map(|queue| &queue.name);
    let (queue_urls, next_token) = request.page.of(call, names)?;
    Ok(SourceUrls {
        queue_urls,
        next_token,
    })
}

impl Page {
    /// One page of URLs and, when `MaxResults` asked for pages, where the next one starts.
    fn of<'a>(
        &self,
        call: &Call,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<(Vec<String>, Option<String>), SqsError> {
        let asked = super::in_range("MaxResults", self.max_results, 1..=1_000)?;
        let limit = asked
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(LISTED_MAX);
        let after = self.next_token.as_deref().unwrap_or_default();
        let mut left = names.filter(|name| name.as_str() > after);
        let page: Vec<&String> = left.by_ref().take(limit).collect();
        let has_more = asked.is_some() && left.next().is_some();
        let next_token = page.last().filter(|_| has_more).map(|name| (*name).clone());
        Ok((
            page.iter()
                .map(|name| queue_url(&call.host, name))
                .collect(),
            next_token,
        ))
    }
}
