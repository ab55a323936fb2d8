//! How many messages a queue has, by the approximate count of SQS.

use aws_sdk_sqs::types::QueueAttributeName;

use super::{Queue, QueueError};

impl Queue {
    /// Messages that wait to be received.
    pub async fn waiting_messages(&self) -> Result<i64, QueueError> {
        const COUNT: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessages;
        let operation = "count the messages of";
        let request = self.client.get_queue_attributes().queue_url(&*self.url);
        let answer = request.attribute_names(COUNT).send().await;
        let answer = answer.map_err(|error| self.error(operation, error))?;
        let count = answer.attributes().and_then(|told| told.get(&COUNT));
        let count = count.and_then(|count| count.parse().ok());
        count.ok_or_else(|| QueueError::Failed {
            operation,
            url: self.url.to_string(),
            remedy: crate::remedy::Remedy::Retry,
            source: "SQS answered without the count".into(),
        })
    }
}
