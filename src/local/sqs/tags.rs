//! Tags of queues: kept and given back, nothing more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, Empty, SqsError, queues::OfQueue};
use crate::local::account::Account;

/// SQS takes this many tags a queue.
const TAGS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagQueue {
    queue_url: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagQueue {
    queue_url: String,
    tag_keys: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tags {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

pub(super) fn tag_queue(
    account: &mut Account,
    _: &Call,
    request: TagQueue,
) -> Result<Empty, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    let mut tags = queue.tags.clone();
    tags.extend(request.tags);
    if tags.len() > TAGS_MAX {
        return Err(SqsError::InvalidParameterValue(format!(
            "Too many tags: {}, at most {TAGS_MAX}.",
            tags.len()
        )));
    }
    queue.tags = tags;
    Ok(Empty {})
}

pub(super) fn untag_queue(
    account: &mut Account,
    _: &Call,
    request: UntagQueue,
) -> Result<Empty, SqsError> {
    let queue = account.queue(&request.queue_url)?;
    queue
        .tags
        .retain(|name, _| !request.tag_keys.contains(name));
    Ok(Empty {})
}

pub(super) fn list_queue_tags(
    account: &mut Account,
    _: &Call,
    request: OfQueue,
) -> Result<Tags, SqsError> {
    Ok(Tags {
        tags: account.queue(&request.queue_url)?.tags.clone(),
    })
}
