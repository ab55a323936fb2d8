//! One queue of the account: its messages with everything SQS keeps beside them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    attributes::QueueAttributes,
    cloudwatch::{Samples, Statistics},
    queue::{Counts, MessageKey, Moved, Queue, Totals},
    sqs::{Content, MoveTasks, message_id, name_in_arn, queue_arn},
};

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
    pub(crate) fn new(id: u64, name: &str, attributes: QueueAttributes, now: Duration) -> Self {
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
