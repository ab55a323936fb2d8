//! All queues of the local account, and what needs more than one of them: names and dead letters.
//! It knows no wire format.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    attributes::QueueAttributes,
    local_queue::LocalQueue,
    queue::{Moved, OverLimit, Receive, Received},
    sqs::{Content, SqsError, check_name, name_in_arn, name_in_url},
};

/// SQS refuses to create a queue again this soon after it was deleted.
const DELETED_RECENTLY: Duration = Duration::from_mins(1);
/// More queues than this are refused, so that a client gone wrong cannot fill the memory.
pub(crate) const QUEUES_MAX: usize = 100_000;

/// The queues by name.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) queues: BTreeMap<String, LocalQueue>,
    deleted: HashMap<String, Duration>,
    next_id: u64,
}

impl Account {
    /// The queue that a URL, path or name means.
    pub(crate) fn queue(&mut self, url: &str) -> Result<&mut LocalQueue, SqsError> {
        let queue = self
            .queues
            .get_mut(name_in_url(url)?)
            .ok_or(SqsError::QueueDoesNotExist)?;
        queue.is_used = true;
        Ok(queue)
    }

    /// Creates the queue, or finds it when it exists with the same attributes.
    pub(crate) fn create(
        &mut self,
        now: Duration,
        name: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<&mut LocalQueue, SqsError> {
        let attributes = QueueAttributes::parse(given)?;
        check_name(name, attributes.is_fifo)?;
        self.check_redrive(&attributes)?;
        self.deleted
            .retain(|_, at| now.saturating_sub(*at) < DELETED_RECENTLY);
        if self.deleted.contains_key(name) {
            return Err(SqsError::QueueDeletedRecently);
        }
        if let Some(existing) = self.queues.get(name) {
            check_same(existing, given, &attributes)?;
        } else if self.queues.len() >= QUEUES_MAX {
            return Err(SqsError::UnsupportedOperation(format!(
                "{QUEUES_MAX} queues exist, no more are allowed"
            )));
        } else {
            // Ids start at the time of creation, so that handles of an earlier run mean nothing here.
            self.next_id = self
                .next_id
                .max(u64::try_from(now.as_micros()).unwrap_or(0))
                + 1;
            let queue = LocalQueue::new(self.next_id, name, attributes, now);
            self.queues.insert(name.to_owned(), queue);
        }
        self.queues.get_mut(name).ok_or(SqsError::QueueDoesNotExist)
    }

    /// Refuses a redrive policy whose queue is absent or of the other kind.
    pub(crate) fn check_redrive(&self, attributes: &QueueAttributes) -> Result<(), SqsError> {
        let Some(redrive) = &attributes.redrive else {
            return Ok(());
        };
        let target = name_in_arn(&redrive.target_arn).and_then(|name| self.queues.get(name));
        let reason = match target {
            None => "Dead letter target does not exist.",
            Some(target) if target.attributes.is_fifo != attributes.is_fifo => {
                "Dead-letter queue must be same type of queue as the source queue."
            }
            Some(_) => return Ok(()),
        };
        Err(SqsError::invalid(
            "RedrivePolicy",
            &redrive.target_arn,
            reason,
        ))
    }

    pub(crate) fn delete(&mut self, now: Duration, url: &str) -> Result<(), SqsError> {
        let name = name_in_url(url)?;
        let queue = self
            .queues
            .remove(name)
            .ok_or(SqsError::QueueDoesNotExist)?;
        queue.arrivals.notify_waiters();
        self.deleted.insert(queue.name, now);
        Ok(())
    }

    /// Receives from a queue and moves what it gave up to its dead-letter queue.
    ///
    /// Without such a queue nothing is given up: messages then stay where they are.
    pub(crate) fn receive(
        &mut self,
        now: Duration,
        url: &str,
        request: Receive,
    ) -> Result<Vec<Received<Arc<Content>>>, SqsError> {
        let target = self.dead_letter_queue_of(url)?;
        let max_receives = target.as_ref().map(|(_, max_receives)| *max_receives);
        let queue = self.queue(url)?;
        let request = Receive {
            max_receives,
            ..request
        };
        let delivery = queue
            .messages
            .receive(now, &request)
            .map_err(|OverLimit| SqsError::OverLimit)?;
        let dead: Vec<_> = delivery
            .dead
            .into_iter()
            .map(|dead| queue.labelled(dead))
            .collect();
        if let Some((name, _)) = target.filter(|_| !dead.is_empty()) {
            self.accept(now, &name, dead);
        }
        Ok(delivery.messages)
    }

    /// Puts moved messages into a queue; the caller knows that it exists.
    pub(crate) fn accept(&mut self, now: Duration, name: &str, moved: Vec<Moved<Arc<Content>>>) {
        let Some(queue) = self.queues.get_mut(name) else {
            return;
        };
        for message in moved {
            queue.messages.accept(now, message);
        }
        queue.arrivals.notify_waiters();
    }

    fn dead_letter_queue_of(&mut self, url: &str) -> Result<Option<(String, u32)>, SqsError> {
        let Some(redrive) = self.queue(url)?.attributes.redrive.clone() else {
            return Ok(None);
        };
        let name = name_in_arn(&redrive.target_arn)
            .unwrap_or_default()
            .to_owned();
        Ok(self
            .queues
            .contains_key(&name)
            .then_some((name, redrive.max_receives)))
    }
}

fn check_same(
    existing: &LocalQueue,
    given: &BTreeMap<String, String>,
    wanted: &QueueAttributes,
) -> Result<(), SqsError> {
    match given
        .keys()
        .find(|name| existing.attributes.get(name) != wanted.get(name))
    {
        Some(name) => Err(SqsError::QueueNameExists(name.clone())),
        None => Ok(()),
    }
}
