//! One queue as SQS behaves, as a pure structure: every operation takes `now`, a time since any fixed epoch.
//! It knows no clock, no network and not what a message says: `P` is whatever the caller stores.
//!
//! Counts are exact and O(1); delay, visibility and retention end by one heap of timers. A standard queue is
//! fair: a message group that keeps most consumers busy waits for the others.

mod age;
mod counts;
mod deduplication;
mod expiry;
#[cfg(test)]
mod fairness_properties;
#[cfg(test)]
mod fairness_tests;
#[cfg(test)]
mod fifo_tests;
mod groups;
mod message;
mod noise;
mod order;
#[cfg(test)]
mod properties;
mod receipts;
mod tenants;
#[cfg(test)]
mod tests;
mod timers;

use std::{collections::HashMap, sync::Arc, time::Duration};

use self::{
    age::Ages, deduplication::Deduplication, message::Message, order::Order, timers::Timers,
};
pub use self::{
    counts::{Counts, Fairness, Totals},
    message::{Delivery, MessageKey, Moved, NewMessage, Receipt, Receive, Received, Sent},
    noise::{FORGIVEN_AFTER, NOISY_IN_FLIGHT_MIN, NOISY_SHARE_OF},
    receipts::ReceiptError,
};

/// SQS hands out no more than this many messages of one queue at a time.
pub const IN_FLIGHT_MAX: u64 = 120_000;

/// The order a queue keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueKind {
    Standard,
    Fifo,
}

/// What holds for every message of a queue; the defaults are those of SQS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    pub kind: QueueKind,
    pub delay: Duration,
    pub visibility_timeout: Duration,
    pub retention: Duration,
}

impl QueueSettings {
    /// The settings SQS gives a queue that was created without attributes.
    pub fn of(kind: QueueKind) -> Self {
        Self {
            kind,
            delay: Duration::ZERO,
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_hours(96),
        }
    }
}

/// The queue holds as many messages in flight as SQS allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{IN_FLIGHT_MAX} messages are in flight, the most a queue can have")]
pub struct OverLimit;

/// A queue of messages that carry a `P`.
#[derive(Debug)]
pub struct Queue<P> {
    settings: QueueSettings,
    messages: HashMap<MessageKey, Message<P>>,
    order: Order,
    ages: Ages,
    timers: Timers,
    deduplication: Deduplication,
    counts: Counts,
    totals: Totals,
    /// Whether a message with a group ever came.
    has_groups: bool,
    next_key: u64,
}

impl<P: Clone> Queue<P> {
    pub fn new(settings: QueueSettings) -> Self {
        Self {
            order: Order::of(settings.kind),
            settings,
            messages: HashMap::new(),
            ages: Ages::default(),
            timers: Timers::default(),
            deduplication: Deduplication::default(),
            counts: Counts::default(),
            totals: Totals::default(),
            has_groups: false,
            next_key: 1,
        }
    }

    pub fn settings(&self) -> &QueueSettings {
        &self.settings
    }

    /// Stores a message, unless the deduplication window knows it already.
    pub fn send(&mut self, now: Duration, new: NewMessage<P>) -> Sent {
        self.advance(now);
        let key = MessageKey(self.next_key);
        if let Some(original) = self.deduplication.check(now, new.deduplication, key) {
            return Sent {
                key: original,
                is_duplicate: true,
            };
        }
        self.totals.sent += 1;
        let delay = new.delay.unwrap_or(self.settings.delay);
        let message = Message::new(new.payload, self.group_of(new.group), now, now + delay);
        self.insert(now, message);
        Sent {
            key,
            is_duplicate: false,
        }
    }

    /// Takes in a message that another queue gave up, as a dead-letter queue does.
    ///
    /// A standard queue keeps the time it was sent, so its retention runs on; a FIFO queue starts anew.
    pub fn accept(&mut self, now: Duration, moved: Moved<P>) -> MessageKey {
        self.advance(now);
        let sent_at = match self.settings.kind {
            QueueKind::Standard => moved.sent_at,
            QueueKind::Fifo => now,
        };
        self.totals.moved_in += 1;
        let message = Message::new(moved.payload, self.group_of(moved.group), sent_at, now);
        self.insert(now, message)
    }

    /// Hands out visible messages and sets aside those that were received too often.
    pub fn receive(&mut self, now: Duration, request: &Receive) -> Result<Delivery<P>, OverLimit> {
        self.advance(now);
        if self.counts.in_flight >= IN_FLIGHT_MAX {
            return Err(OverLimit);
        }
        let mut delivery = Delivery::default();
        let mut current = None;
        while delivery.messages.len() < request.max_messages
            && self.counts.in_flight < IN_FLIGHT_MAX
            && let Some(key) = self.order.take_next(current.as_deref())
        {
            current = self
                .messages
                .get(&key)
                .and_then(|message| message.group.clone());
            if self.is_exhausted(key, request.max_receives) {
                delivery.dead.extend(self.give_up(now, key));
            } else {
                delivery
                    .messages
                    .extend(self.hand_out(now, key, request.visibility_timeout));
            }
        }
        Ok(delivery)
    }

    /// Takes the next visible message out of the queue for good, as a message move task does.
    pub fn take_for_move(&mut self, now: Duration) -> Option<Moved<P>> {
        self.advance(now);
        let key = self.order.take_next(None)?;
        self.give_up(now, key)
    }

    /// Deletes every message and returns how many there were.
    pub fn purge(&mut self, now: Duration) -> u64 {
        self.advance(now);
        let purged = self.counts.total();
        self.messages.clear();
        self.order = Order::of(self.settings.kind);
        self.ages = Ages::default();
        self.timers = Timers::default();
        self.counts = Counts::default();
        self.totals.purged += purged;
        purged
    }

    pub fn counts(&mut self, now: Duration) -> Counts {
        self.advance(now);
        self.counts
    }

    /// What happened to the queue's messages so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many message groups have a message in flight; always zero for a standard queue.
    pub fn groups_in_flight(&self) -> u64 {
        self.order.groups_in_flight()
    }

    /// The age of the oldest message as `CloudWatch` means it, or `None` when there is none to count.
    ///
    /// In-flight messages count, delayed ones do not, and a standard queue forgets a message that was
    /// received more than three times.
    pub fn oldest_age(&mut self, now: Duration) -> Option<Duration> {
        self.advance(now);
        self.ages.oldest().map(|since| now.saturating_sub(since))
    }

    /// What a standard queue has of its groups, or `None` as long as no message with a group came.
    ///
    /// O(n) while some groups are noisy, for the oldest message of the others: meant for once a minute.
    pub fn fairness(&mut self, now: Duration) -> Option<Fairness> {
        self.advance(now);
        let Order::Standard(tenants) = &self.order else {
            return None;
        };
        let (noisy_groups, noisy) = tenants.noisy();
        let is_quiet = |key: MessageKey| {
            let message = self.messages.get(&key);
            message.is_some_and(|message| tenants.is_quiet(message.group.as_ref()))
        };
        let oldest = self.ages.iter().find(|(_, key)| is_quiet(*key));
        self.has_groups.then(|| Fairness {
            noisy_groups,
            quiet: self.counts.without(noisy),
            quiet_oldest_age: oldest.map(|(since, _)| now.saturating_sub(since)),
        })
    }

    fn group_of(&self, group: Option<Arc<str>>) -> Option<Arc<str>> {
        match self.settings.kind {
            QueueKind::Standard => group,
            QueueKind::Fifo => Some(group.unwrap_or_default()),
        }
    }

    fn insert(&mut self, now: Duration, message: Message<P>) -> MessageKey {
        let key = MessageKey(self.next_key);
        self.next_key += 1;
        self.timers
            .retire_at(message.sent_at + self.settings.retention, key);
        self.has_groups |= message.group.is_some();
        self.order.hold(key, message.group.as_ref());
        let visible_at = message.visible_at;
        self.messages.insert(key, message);
        self.counts.delayed += 1;
        if visible_at > now {
            self.timers.wake_at(visible_at, key, 0);
        } else {
            self.show(key, visible_at);
        }
        key
    }

    fn is_exhausted(&self, key: MessageKey, max_receives: Option<u32>) -> bool {
        let receives = self
            .messages
            .get(&key)
            .map_or(0, |message| message.receive_count);
        max_receives.is_some_and(|max| receives >= max)
    }
}
