//! The move tasks of SQS: dead letters back to the queues they came from.

use aws_sdk_sqs::types::QueueAttributeName;

use super::{Queue, QueueError};

/// How far a move is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveProgress {
    pub status: String,
    pub moved: i64,
    /// `None` when SQS does not say, as when all are moved.
    pub to_move: Option<i64>,
    /// Why it failed, if it did.
    pub cause: Option<String>,
}

impl Queue {
    /// The name by which move tasks know the queue.
    pub async fn arn(&self) -> Result<String, QueueError> {
        let request = self.client.get_queue_attributes().queue_url(&*self.url);
        let request = request.attribute_names(QueueAttributeName::QueueArn);
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.error("look up the ARN of", error))?;
        let arn = answer
            .attributes()
            .and_then(|attributes| attributes.get(&QueueAttributeName::QueueArn));
        Ok(arn.cloned().unwrap_or_default())
    }

    /// Starts to move all messages back to where they came from; the answer is the task's handle.
    pub async fn start_move(&self, arn: &str) -> Result<String, QueueError> {
        let request = self.client.start_message_move_task().source_arn(arn);
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.error("move messages from", error))?;
        Ok(answer.task_handle.unwrap_or_default())
    }

    pub async fn cancel_move(&self, task: &str) -> Result<(), QueueError> {
        let request = self.client.cancel_message_move_task().task_handle(task);
        let answer = request.send().await;
        answer.map_err(|error| self.error("stop moving messages from", error))?;
        Ok(())
    }

    /// How far the newest task of the queue is.
    pub async fn move_progress(&self, arn: &str) -> Result<MoveProgress, QueueError> {
        let request = self.client.list_message_move_tasks().source_arn(arn);
        let answer = request.max_results(1).send().await;
        let answer = answer.map_err(|error| self.error("look at the moves from", error))?;
        let task = answer.results.unwrap_or_default().into_iter().next();
        Ok(task.map_or_else(
            || MoveProgress {
                status: "UNKNOWN".into(),
                moved: 0,
                to_move: None,
                cause: Some("SQS knows no task of this queue".into()),
            },
            |task| MoveProgress {
                status: task.status.unwrap_or_default(),
                moved: task.approximate_number_of_messages_moved,
                to_move: task.approximate_number_of_messages_to_move,
                cause: task.failure_reason,
            },
        ))
    }
}
