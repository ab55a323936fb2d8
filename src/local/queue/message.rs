//! What goes into a queue and what comes out of it.

use std::{sync::Arc, time::Duration};

/// The place of a message in the order it was sent to its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey(pub u64);

/// A message on its way in.
#[derive(Debug, Clone)]
pub struct NewMessage<P> {
    pub payload: P,
    /// Overrides the queue's delay; SQS allows it for standard queues only.
    pub delay: Option<Duration>,
    /// The message group: in a FIFO queue the one whose order holds, in a standard queue the tenant that
    /// others must not suffer from.
    pub group: Option<Arc<str>>,
    /// A second message with the same value within five minutes is a duplicate.
    pub deduplication: Option<String>,
}

impl<P> NewMessage<P> {
    /// A message without options.
    pub fn of(payload: P) -> Self {
        Self {
            payload,
            delay: None,
            group: None,
            deduplication: None,
        }
    }
}

/// The answer to a send: for a duplicate, the key of the message that was stored first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub key: MessageKey,
    pub is_duplicate: bool,
}

/// How a consumer wants to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receive {
    pub max_messages: usize,
    /// Overrides the queue's visibility timeout.
    pub visibility_timeout: Option<Duration>,
    /// A message received this often is given up instead of handed out again.
    pub max_receives: Option<u32>,
}

impl Receive {
    /// Up to `max_messages` under the queue's own visibility timeout.
    pub fn up_to(max_messages: usize) -> Self {
        Self {
            max_messages,
            visibility_timeout: None,
            max_receives: None,
        }
    }
}

/// What one receive brought: messages for the consumer, and those for the dead-letter queue.
#[derive(Debug)]
pub struct Delivery<P> {
    pub messages: Vec<Received<P>>,
    pub dead: Vec<Moved<P>>,
}

impl<P> Default for Delivery<P> {
    fn default() -> Self {
        Self {
            messages: Vec::new(),
            dead: Vec::new(),
        }
    }
}

/// A message in a consumer's hands.
#[derive(Debug, Clone)]
pub struct Received<P> {
    pub payload: P,
    pub receipt: Receipt,
    pub sent_at: Duration,
    pub first_received_at: Duration,
    pub receive_count: u32,
}

/// Proof of one particular receive of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    pub key: MessageKey,
    pub receive_count: u32,
}

/// A message that leaves its queue for another one.
#[derive(Debug, Clone)]
pub struct Moved<P> {
    /// What the message was called in the queue it leaves.
    pub key: MessageKey,
    pub payload: P,
    pub sent_at: Duration,
    pub group: Option<Arc<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Delayed,
    Visible,
    InFlight,
}

#[derive(Debug)]
pub(super) struct Message<P> {
    pub(super) payload: P,
    pub(super) group: Option<Arc<str>>,
    pub(super) state: State,
    pub(super) sent_at: Duration,
    /// When the delay ends; the age that `CloudWatch` reports counts from here.
    pub(super) visible_at: Duration,
    pub(super) received_at: Duration,
    pub(super) first_received_at: Option<Duration>,
    pub(super) receive_count: u32,
    /// Which place a standard queue gives the message among the visible ones.
    pub(super) rank: u64,
    /// Timers set before the last change of state carry an older number and are ignored.
    pub(super) timer: u32,
}

impl<P> Message<P> {
    pub(super) fn new(
        payload: P,
        group: Option<Arc<str>>,
        sent_at: Duration,
        visible_at: Duration,
    ) -> Self {
        Self {
            payload,
            group,
            state: State::Delayed,
            sent_at,
            visible_at,
            received_at: Duration::ZERO,
            first_received_at: None,
            receive_count: 0,
            rank: 0,
            timer: 0,
        }
    }
}
