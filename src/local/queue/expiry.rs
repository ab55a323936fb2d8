//! What changes a message's state: time that passes, a consumer that takes it, a queue that gives it up.

use std::time::Duration;

use super::{
    Queue, QueueKind,
    age::COUNTED_RECEIVES_MAX,
    message::{Message, MessageKey, Moved, Receipt, Received, State},
    timers::{Due, Timer},
};

impl<P: Clone> Queue<P> {
    /// Applies every delay, visibility timeout and retention that ended by `now`.
    pub fn advance(&mut self, now: Duration) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer.due {
                Due::Wake(number) => self.wake(timer.key, number, timer.at),
                Due::Retire => self.retire(timer.key, timer.at),
            }
        }
        self.order.measure(now);
    }

    /// No later than when time next changes the queue by itself; possibly earlier, since cancelled
    /// timers count.
    pub fn next_change_at(&self) -> Option<Duration> {
        self.timers.next_at()
    }

    /// Changes the delay of messages sent from now on.
    pub fn set_delay(&mut self, delay: Duration) {
        self.settings.delay = delay;
    }

    /// Changes the visibility timeout of messages received from now on.
    pub fn set_visibility_timeout(&mut self, timeout: Duration) {
        self.settings.visibility_timeout = timeout;
    }

    /// Changes how long messages are kept, those already there included. O(n).
    pub fn set_retention(&mut self, now: Duration, retention: Duration) {
        self.advance(now);
        if retention == self.settings.retention {
            return;
        }
        self.settings.retention = retention;
        self.timers.cancel_retirements();
        for (key, message) in &self.messages {
            self.timers.retire_at(message.sent_at + retention, *key);
        }
    }

    pub(super) fn show(&mut self, key: MessageKey, since: Duration) {
        let Some(message) = self.messages.get_mut(&key) else {
            return;
        };
        if message.receive_count == 0 {
            self.ages.add(since, key);
        }
        self.counts.change(message.state, State::Visible);
        message.state = State::Visible;
        message.timer += 1;
        if self.settings.kind == QueueKind::Standard
            && message.receive_count >= COUNTED_RECEIVES_MAX
        {
            // SQS moves a message that failed three times behind the others.
            message.rank = self.next_key;
        }
        self.order.show(key, message);
    }

    pub(super) fn hand_out(
        &mut self,
        now: Duration,
        key: MessageKey,
        visibility: Option<Duration>,
    ) -> Option<Received<P>> {
        let message = self.messages.get_mut(&key)?;
        self.counts.change(message.state, State::InFlight);
        self.totals.received += 1;
        message.state = State::InFlight;
        message.receive_count += 1;
        message.received_at = now;
        message.timer += 1;
        if self.settings.kind == QueueKind::Standard && message.receive_count > COUNTED_RECEIVES_MAX
        {
            self.ages.remove(message.visible_at, key);
        }
        let received = Received {
            payload: message.payload.clone(),
            receipt: Receipt {
                key,
                receive_count: message.receive_count,
            },
            sent_at: message.sent_at,
            first_received_at: *message.first_received_at.get_or_insert(now),
            receive_count: message.receive_count,
        };
        let timeout = visibility.unwrap_or(self.settings.visibility_timeout);
        self.timers.wake_at(now + timeout, key, message.timer);
        self.order.measure(now);
        Some(received)
    }

    /// Takes a message out of the queue that `order` has just handed over.
    pub(super) fn give_up(&mut self, now: Duration, key: MessageKey) -> Option<Moved<P>> {
        let message = self.messages.remove(&key)?;
        self.order.land(message.group.as_ref(), now);
        self.forget(key, &message);
        self.totals.moved_out += 1;
        Some(Moved {
            key,
            payload: message.payload,
            sent_at: message.sent_at,
            group: message.group,
        })
    }

    /// Takes a message out of the queue, whatever its state.
    pub(super) fn remove(&mut self, now: Duration, key: MessageKey) -> Option<Message<P>> {
        let message = self.messages.remove(&key)?;
        match message.state {
            State::InFlight => self.order.land(message.group.as_ref(), now),
            State::Visible | State::Delayed => self.order.remove(key, &message),
        }
        self.forget(key, &message);
        Some(message)
    }

    fn wake(&mut self, key: MessageKey, number: u32, at: Duration) {
        let Some(message) = self.messages.get(&key) else {
            return;
        };
        if message.timer != number {
            return;
        }
        let (state, group) = (message.state, message.group.clone());
        self.show(key, at);
        if state == State::InFlight {
            self.order.land(group.as_ref(), at);
        }
    }

    fn retire(&mut self, key: MessageKey, at: Duration) {
        let Some(message) = self.messages.get(&key) else {
            return;
        };
        if message.sent_at + self.settings.retention <= at && self.remove(at, key).is_some() {
            self.totals.expired += 1;
        }
    }

    fn forget(&mut self, key: MessageKey, message: &Message<P>) {
        self.order.forget(message.group.as_ref());
        self.counts.remove(message.state);
        self.ages.remove(message.visible_at, key);
        if self.timers.is_bloated(self.messages.len()) {
            let messages = &self.messages;
            self.timers
                .sweep(|timer| is_live(timer, messages.get(&timer.key)));
        }
    }
}

fn is_live<P>(timer: &Timer, message: Option<&Message<P>>) -> bool {
    message.is_some_and(|message| match timer.due {
        Due::Wake(number) => message.timer == number,
        Due::Retire => true,
    })
}
