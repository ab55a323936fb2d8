//! One heap of what happens later to which message. Cancelled timers stay until they are due or too many.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use super::message::MessageKey;

/// Cancelled timers are swept when the heap is this many times larger than two timers a message.
const SWEEP_FACTOR: usize = 2;
/// Small heaps are never swept; sweeping them would cost more than they hold.
const SWEEP_MIN: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The delay or visibility timeout with this number ends.
    Wake(u32),
    /// The message has been kept for as long as the queue keeps messages.
    Retire,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    pub(super) at: Duration,
    pub(super) key: MessageKey,
    pub(super) due: Due,
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
}

impl Timers {
    pub(super) fn wake_at(&mut self, at: Duration, key: MessageKey, number: u32) {
        self.heap.push(Reverse(Timer {
            at,
            key,
            due: Due::Wake(number),
        }));
    }

    pub(super) fn retire_at(&mut self, at: Duration, key: MessageKey) {
        self.heap.push(Reverse(Timer {
            at,
            key,
            due: Due::Retire,
        }));
    }

    /// Takes the earliest timer that is due.
    pub(super) fn pop_due(&mut self, now: Duration) -> Option<Timer> {
        let Reverse(timer) = self.heap.peek()?;
        if timer.at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(timer)| timer)
    }

    /// When the earliest timer is due, cancelled ones included.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse(timer)| timer.at)
    }

    /// Whether cancelled timers outnumber what `messages` live messages can need.
    pub(super) fn is_bloated(&self, messages: usize) -> bool {
        self.heap.len() > SWEEP_MIN.max(2 * SWEEP_FACTOR * messages)
    }

    pub(super) fn sweep(&mut self, is_live: impl Fn(&Timer) -> bool) {
        self.heap.retain(|Reverse(timer)| is_live(timer));
    }

    pub(super) fn cancel_retirements(&mut self) {
        self.heap.retain(|Reverse(timer)| timer.due != Due::Retire);
    }
}
