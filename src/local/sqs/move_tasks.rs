//! Message move tasks: dead letters back to where they came from. Locally a task is done at once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    Call, SqsError,
    address::name_in_arn,
    content::{Content, hex},
    in_range,
};
use crate::local::{account::Account, queue::Moved};

/// SQS remembers this many tasks of a queue.
const REMEMBERED_MAX: usize = 10;

/// The tasks of one source queue, the newest first.
#[derive(Debug, Default)]
pub(crate) struct MoveTasks(VecDeque<Task>);

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    status: &'static str,
    source_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_arn: Option<String>,
    approximate_number_of_messages_moved: u64,
    approximate_number_of_messages_to_move: u64,
    started_timestamp: u128,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartTask {
    source_arn: String,
    destination_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TaskHandle {
    task_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListTasks {
    source_arn: String,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tasks {
    results: Vec<Task>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelTask {
    task_handle: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Cancelled {
    approximate_number_of_messages_moved: u64,
}

pub(super) fn start(
    account: &mut Account,
    call: &Call,
    request: StartTask,
) -> Result<TaskHandle, SqsError> {
    let source = existing(account, &request.source_arn)?;
    if !account.queues.values().any(|queue| queue.feeds(&source)) {
        return Err(SqsError::InvalidParameterValue(
            "Source queue must be configured as a Dead Letter Queue.".to_owned(),
        ));
    }
    let destination = request
        .destination_arn
        .as_deref()
        .map(|arn| existing(account, arn))
        .transpose()?;
    let moved = move_all(account, call.now, &source, destination.as_deref())?;
    let task = Task {
        status: "COMPLETED",
        source_arn: request.source_arn.clone(),
        destination_arn: request.destination_arn,
        approximate_number_of_messages_moved: moved,
        approximate_number_of_messages_to_move: moved,
        started_timestamp: call.now.as_millis(),
    };
    account.queue(&source)?.move_tasks.remember(task);
    Ok(TaskHandle {
        task_handle: hex(request.source_arn.as_bytes()),
    })
}

pub(super) fn list(account: &mut Account, _: &Call, request: ListTasks) -> Result<Tasks, SqsError> {
    let source = existing(account, &request.source_arn)?;
    let limit = in_range("MaxResults", request.max_results, 1..=10)?;
    let limit = limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(1);
    let tasks = &account.queue(&source)?.move_tasks;
    Ok(Tasks {
        results: tasks.0.iter().take(limit).cloned().collect(),
    })
}

/// Every task is done when it starts, so there is never one to cancel.
pub(super) fn cancel(
    _: &mut Account,
    _: &Call,
    request: CancelTask,
) -> Result<Cancelled, SqsError> {
    Err(SqsError::ResourceNotFound(format!(
        "Task {} does not exist or is not running.",
        request.task_handle
    )))
}

impl MoveTasks {
    fn remember(&mut self, task: Task) {
        self.0.push_front(task);
        self.0.truncate(REMEMBERED_MAX);
    }
}

fn existing(account: &Account, arn: &str) -> Result<String, SqsError> {
    name_in_arn(arn)
        .filter(|name| account.queues.contains_key(*name))
        .map(str::to_owned)
        .ok_or_else(|| {
            SqsError::ResourceNotFound(
                "The resource that you specified for the SourceArn parameter doesn't exist."
                    .to_owned(),
            )
        })
}

/// Moves the visible messages to `destination`, or each to the queue that gave it up.
///
/// Messages whose queue is gone stay; SQS would fail the task at the first of them.
fn move_all(
    account: &mut Account,
    now: Duration,
    source: &str,
    destination: Option<&str>,
) -> Result<u64, SqsError> {
    let queue = account.queue(source)?;
    let mut by_target: BTreeMap<String, Vec<Moved<Arc<Content>>>> = BTreeMap::new();
    while let Some(mut message) = queue.messages.take_for_move(now) {
        let id = queue.message_id(message.key);
        let content = Arc::make_mut(&mut message.payload);
        content.id.get_or_insert(id);
        let came_from = content.system.remove("DeadLetterQueueSourceArn");
        let origin = came_from.as_deref().and_then(name_in_arn);
        let target = destination.or(origin).unwrap_or(source).to_owned();
        by_target.entry(target).or_default().push(message);
    }
    let mut moved = 0;
    for (name, messages) in by_target {
        let name = if account.queues.contains_key(&name) {
            name
        } else {
            source.to_owned()
        };
        if name != source {
            moved += u64::try_from(messages.len()).unwrap_or(0);
        }
        account.accept(now, &name, messages);
    }
    Ok(moved)
}
