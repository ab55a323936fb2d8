//! All queues of the local account, and what needs more than one of them: names and dead letters.
//! It knows no wire format.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    attributes::QueueAttributes,
    cloudwatch::{Samples, Statistics},
    queue::{Counts, MessageKey, Moved, OverLimit, Queue, Receive, Received, Totals},
    sqs::{
        Content, MoveTasks, SqsError, check_name, message_id, name_in_arn, name_in_url, queue_arn,
    },
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

/// A queue with what SQS keeps beside its messages.
#[derive(Debug)]
pub(crate) struct LocalQueue {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) messages: Queue<Arc<Content>>,
    pub(crate) attributes: QueueAttributes,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_at: Duration,
    pub(crate) modified_at: Duration,
    pub(crate) purged_at: Option<Duration>,
    /// Told when a message may have become visible.
    pub(crate) arrivals: Arc<Notify>,
    pub(crate) traffic: Traffic,
    pub(crate) move_tasks: MoveTasks,
    /// Whether a request named this queue since the last sample: an idle one has no metrics.
    pub(crate) is_used: bool,
    pub(crate) samples: Samples,
}

/// What `CloudWatch` reports of a queue and its messages do not show.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Traffic {
    pub(crate) empty_receives: u64,
    /// The sizes of the messages sent since the last sample, in bytes.
    pub(crate) sent_sizes: Option<Statistics>,
}

/// What is in a queue and what became of the rest, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueSnapshot {
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
    /// The age of the oldest message as `CloudWatch` means it.
    pub oldest_age: Option<Duration>,
    pub sent: u64,
    /// Messages handed out, each time anew when one is handed out again.
    pub received: u64,
    pub deleted: u64,
    pub moved_to_dead_letters: u64,
    pub expired: u64,
    pub empty_receives: u64,
}

impl Traffic {
    pub(crate) fn add_sent(&mut self, bytes: usize) {
        let size = Statistics::of(f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)));
        match &mut self.sent_sizes {
            Some(sizes) => sizes.add(&size),
            none => *none = Some(size),
        }
    }
}

impl LocalQueue {
    fn new(id: u64, name: &str, attributes: QueueAttributes, now: Duration) -> Self {
        Self {
            id,
            name: name.to_owned(),
            arn: queue_arn(name),
            messages: Queue::new(attributes.settings()),
            attributes,
            tags: BTreeMap::new(),
            created_at: now,
            modified_at: now,
            purged_at: None,
            arrivals: Arc::new(Notify::new()),
            traffic: Traffic::default(),
            move_tasks: MoveTasks::default(),
            is_used: true,
            samples: Samples::default(),
        }
    }

    pub(crate) fn snapshot(&mut self, now: Duration) -> QueueSnapshot {
        let Counts {
            visible,
            in_flight,
            delayed,
        } = self.messages.counts(now);
        let Totals {
            sent,
            received,
            deleted,
            moved_out,
            expired,
            ..
        } = self.messages.totals();
        QueueSnapshot {
            visible,
            in_flight,
            delayed,
            oldest_age: self.messages.oldest_age(now),
            sent,
            received,
            deleted,
            moved_to_dead_letters: moved_out,
            expired,
            empty_receives: self.traffic.empty_receives,
        }
    }

    /// Lets new attributes work; those of messages already sent or received stay as they were.
    pub(crate) fn apply(&mut self, now: Duration, attributes: QueueAttributes) {
        let settings = attributes.settings();
        self.messages.set_delay(settings.delay);
        self.messages
            .set_visibility_timeout(settings.visibility_timeout);
        self.messages.set_retention(now, settings.retention);
        self.attributes = attributes;
        self.modified_at = now;
    }

    pub(crate) fn message_id(&self, key: MessageKey) -> String {
        message_id(self.id, key)
    }

    /// Whether this queue gives up its messages to the queue called `target`.
    pub(crate) fn feeds(&self, target: &str) -> bool {
        let redrive = self.attributes.redrive.as_ref();
        redrive.and_then(|redrive| name_in_arn(&redrive.target_arn)) == Some(target)
    }

    /// Writes into a message that leaves where it came from and how it was called here.
    pub(crate) fn labelled(&self, mut moved: Moved<Arc<Content>>) -> Moved<Arc<Content>> {
        let id = self.message_id(moved.key);
        let content = Arc::make_mut(&mut moved.payload);
        content.id.get_or_insert(id);
        content
            .system
            .insert("DeadLetterQueueSourceArn", self.arn.clone());
        moved
    }
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
    let (existing, wanted) = (existing.attributes.to_map(), wanted.to_map());
    match given
        .keys()
        .find(|name| existing.get(*name) != wanted.get(*name))
    {
        Some(name) => Err(SqsError::QueueNameExists(name.clone())),
        None => Ok(()),
    }
}
