//! The loops that receive when there is room, and back off when SQS fails. They end when the worker drains.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::causes::with_causes;
use crate::handlers::{Handler, Takes};
use crate::heartbeat::Held;
use crate::message::Message;
use crate::process::Processing;
use crate::progress::Progress;
use crate::queue::{Queue, QueueError};
use crate::settings::ConsumeSettings;

/// The first receive does not wait, so that a missing queue or permission is known at once.
const FIRST_WAIT: Duration = Duration::ZERO;
/// Empty receives are not repeated faster, or a queue asked without waiting would cost a request every few milliseconds.
const EMPTY_RECEIVE_INTERVAL: Duration = Duration::from_millis(200);
/// How often the loop shows that it lives while all slots are taken.
const FULL_INTERVAL: Duration = Duration::from_secs(5);
/// How long a free slot waits for others: short beside a request, and it saves most of them when slots become free one
/// by one.
const GATHER_INTERVAL: Duration = Duration::from_millis(10);
/// Receives under way at once. Sixteen with ten messages each are more than the handlers of one process do.
const LOOPS_MAX: usize = 16;

/// Receives for one consumer.
#[derive(Debug)]
pub struct Receiving<H> {
    pub queue: Queue,
    pub settings: ConsumeSettings,
    pub slots: Arc<Semaphore>,
    pub processing: Arc<Processing<H>>,
    /// Runs the processing of messages, and the further loops.
    pub running: TaskTracker,
    pub progress: Progress,
    /// Told by a receive that brought all it was asked for: there is more.
    pub more: Arc<Notify>,
    pub seen: Mutex<Seen>,
}

/// What was received so far.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    messages: u64,
    last_at: Instant,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            messages: 0,
            last_at: Instant::now(),
        }
    }
}

/// What became of one receive.
enum Turn {
    Full,
    Some,
    Empty,
    Failed(QueueError),
    /// The drain time ended before SQS answered.
    Abandoned,
}

impl<H: Handler> Receiving<H> {
    /// Receives until draining. Fails only before the first success, and only when waiting cannot help.
    ///
    /// A receive that is under way when draining begins is awaited: SQS may have given it messages already, and those
    /// would stay hidden for the whole visibility timeout. What it brings is handed back.
    pub async fn run(self: Arc<Self>) -> Result<(), QueueError> {
        let (mut has_received, mut failures) = (false, 0);
        for _ in 1..self.loops() {
            self.running.spawn(self.clone().help());
        }
        while !self.is_over() {
            let Some(slots) = self.free_slots().await else {
                break;
            };
            self.progress.turn();
            let wait = if has_received {
                self.wait()
            } else {
                FIRST_WAIT
            };
            match self.turn(slots, wait).await {
                Turn::Failed(error) if error.is_permanent() && !has_received => return Err(error),
                Turn::Failed(error) => {
                    failures += 1;
                    self.back_off(&error, failures).await;
                }
                Turn::Abandoned => return Ok(()),
                Turn::Full | Turn::Some | Turn::Empty => (has_received, failures) = (true, 0),
            }
        }
        Ok(())
    }

    /// One loop where an end is set, so that no message is received beyond it.
    fn loops(&self) -> usize {
        if self.settings.end.messages_max.is_some() {
            return 1;
        }
        let receives = self.settings.concurrency.div_ceil(self.messages_max());
        receives.min(LOOPS_MAX)
    }

    /// Whether enough was received, or nothing for long enough while nothing is worked on.
    fn is_over(&self) -> bool {
        let end = &self.settings.end;
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_idle = self.slots.available_permits() == self.settings.concurrency;
        end.messages_max.is_some_and(|max| seen.messages >= max)
            || end
                .idle
                .is_some_and(|idle| is_idle && seen.last_at.elapsed() >= idle)
    }

    /// One more receive at a time, for as long as there is more than the others bring; never waits at SQS.
    async fn help(self: Arc<Self>) {
        let draining = &self.processing.signals.draining;
        while draining
            .run_until_cancelled(self.more.notified())
            .await
            .is_some()
        {
            while let Some(slots) = self.free_slots().await {
                if !matches!(
                    self.turn(slots, Duration::ZERO).await,
                    Turn::Full | Turn::Some
                ) {
                    break;
                }
            }
        }
    }

    async fn turn(&self, slots: OwnedSemaphorePermit, wait: Duration) -> Turn {
        let asked_at = Instant::now();
        let asked = slots.num_permits();
        let receiving = self.queue.receive(asked, wait);
        let abandoned = &self.processing.signals.abandoned;
        match abandoned.run_until_cancelled(receiving).await {
            Some(Ok(messages)) => {
                self.progress.receiving();
                let is_full = messages.len() >= asked;
                let turn = match messages.len() {
                    0 => Turn::Empty,
                    _ if is_full => Turn::Full,
                    _ => Turn::Some,
                };
                if is_full {
                    self.more.notify_one();
                }
                self.accept(messages, slots, asked_at).await;
                turn
            }
            Some(Err(error)) => Turn::Failed(error),
            None => {
                warn!(
                    "a receive outlasted the drain time; what it took stays hidden until its visibility times out"
                );
                Turn::Abandoned
            }
        }
    }

    /// Waits for a free slot and takes as many more as one receive can fill; `None` when draining.
    async fn free_slots(&self) -> Option<OwnedSemaphorePermit> {
        let draining = &self.processing.signals.draining;
        loop {
            tokio::select! {
                biased;
                () = draining.cancelled() => return None,
                slot = self.slots.clone().acquire_owned() => return Some(self.more_slots(slot.ok()?).await),
                () = sleep(FULL_INTERVAL) => self.progress.turn(),
            }
        }
    }

    async fn more_slots(&self, mut slots: OwnedSemaphorePermit) -> OwnedSemaphorePermit {
        let until = Instant::now() + GATHER_INTERVAL;
        while slots.num_permits() < self.messages_max() {
            match timeout_at(until, self.slots.clone().acquire_owned()).await {
                Ok(Ok(slot)) => slots.merge(slot),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        slots
    }

    /// Not longer than the worker waits for a message before it ends.
    fn wait(&self) -> Duration {
        let idle = self.settings.end.idle.unwrap_or(Duration::MAX);
        self.settings.wait.min(idle)
    }

    fn messages_max(&self) -> usize {
        if self.queue.is_fifo() && self.processing.is_cautious() {
            1
        } else {
            let max = self.settings.messages_per_receive_max;
            let left = self.left().unwrap_or(usize::MAX).max(1);
            max.min(self.settings.concurrency).min(left)
        }
    }

    /// Messages until the end.
    fn left(&self) -> Option<usize> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self
            .settings
            .end
            .messages_max?
            .saturating_sub(seen.messages);
        usize::try_from(left).ok()
    }

    fn note(&self, messages: &[Message]) {
        if let Ok(count @ 1..) = u64::try_from(messages.len()) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.messages += count;
            seen.last_at = Instant::now();
        }
        for message in messages {
            self.processing.metrics.received(message);
        }
    }

    async fn accept(&self, messages: Vec<Message>, slots: OwnedSemaphorePermit, asked_at: Instant) {
        self.note(&messages);
        let draining = &self.processing.signals.draining;
        if draining.is_cancelled() {
            self.hand_back(&messages).await;
        } else if messages.is_empty() {
            drop(slots);
            let pause = sleep_until(asked_at + EMPTY_RECEIVE_INTERVAL);
            draining.run_until_cancelled(pause).await;
        } else {
            self.start(messages, slots).await;
        }
    }

    /// Starts the processing of what belongs together in a slot of its own.
    async fn start(&self, messages: Vec<Message>, mut slots: OwnedSemaphorePermit) {
        let mut without_slot = Vec::new();
        for together in self.together(messages) {
            let Some(slot) = slots.split(1) else {
                without_slot.extend(together);
                continue;
            };
            let processing = self.processing.clone();
            let held = together.into_iter().map(Held::new).collect();
            self.running
                .spawn(async move { processing.process(held, slot).await });
        }
        // SQS never sends more than it was asked for; should it, the excess is not held beyond the limit.
        self.hand_back(&without_slot).await;
    }

    /// Messages of one group stay together and in order, whatever else comes with them.
    fn together(&self, messages: Vec<Message>) -> Vec<Vec<Message>> {
        let takes = self.processing.handler.takes();
        if self.queue.is_fifo() {
            by_group(messages)
        } else if takes == Takes::Batch {
            vec![messages]
        } else {
            messages.into_iter().map(|message| vec![message]).collect()
        }
    }

    async fn hand_back(&self, messages: &[Message]) {
        let messages: Vec<_> = messages.iter().collect();
        self.processing.release.hand_back(&messages).await;
    }

    async fn back_off(&self, error: &QueueError, failures: u32) {
        let pause = error.wait(failures, fastrand::f64());
        self.progress.failing();
        warn!(
            error = with_causes(error),
            failures,
            pause_milliseconds = pause.as_millis(),
            "receive failed"
        );
        let draining = &self.processing.signals.draining;
        draining.run_until_cancelled(sleep(pause)).await;
    }
}

fn by_group(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut groups: BTreeMap<Option<String>, Vec<Message>> = BTreeMap::new();
    for message in messages {
        groups
            .entry(message.group.clone())
            .or_default()
            .push(message);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_apart_and_each_keeps_its_order() {
        let message = |id, group: &str| Message {
            group: Some(group.into()),
            ..Message::new(id, "")
        };
        let mixed = vec![
            message("1", "b"),
            message("2", "a"),
            message("3", "b"),
            message("4", "a"),
        ];
        let ids: Vec<Vec<_>> = by_group(mixed)
            .iter()
            .map(|group| group.iter().map(|message| message.id.clone()).collect())
            .collect();
        assert_eq!(ids, [["2", "4"], ["1", "3"]]);
    }
}
