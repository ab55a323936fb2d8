//! The loop that receives when there is room, and backs off when SQS fails. It ends when the worker drains.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, info_span, warn};

use crate::backoff::Backoff;
use crate::causes::with_causes;
use crate::hand_back::hand_back;
use crate::handlers::Handler;
use crate::message::Message;
use crate::process::Processing;
use crate::progress::Progress;
use crate::queue::{Queue, QueueError};

/// The first receive does not wait, so that a missing queue or permission is known at once.
const FIRST_WAIT: Duration = Duration::ZERO;
/// Empty receives are not repeated faster, or a queue asked without waiting would cost a request every few milliseconds.
const EMPTY_RECEIVE_INTERVAL: Duration = Duration::from_millis(200);
/// How often the loop shows that it lives while all slots are taken.
const FULL_INTERVAL: Duration = Duration::from_secs(5);
/// The most must stay well under [`crate::progress::TURN_MAX`], or backing off would look like being stuck.
const AFTER_ERROR: Backoff = Backoff {
    least: Duration::from_secs(1),
    most: Duration::from_secs(30),
};

/// Receives for one consumer.
#[derive(Debug)]
pub struct Receiving<H> {
    pub queue: Queue,
    pub messages_per_receive_max: usize,
    pub wait: Duration,
    pub slots: Arc<Semaphore>,
    pub processing: Arc<Processing<H>>,
    /// Runs the processing of each message.
    pub running: TaskTracker,
    /// Cancelled when no further receive may start.
    pub draining: CancellationToken,
    pub progress: Progress,
}

impl<H: Handler> Receiving<H> {
    /// Receives until draining. Fails only before the first success, and only when waiting cannot help.
    ///
    /// A receive that is under way when draining begins is awaited: SQS may have given it messages already, and those
    /// would stay hidden for the whole visibility timeout. What it brings is handed back.
    pub async fn run(self) -> Result<(), QueueError> {
        let mut has_received = false;
        let mut failures = 0;
        while let Some(slots) = self.free_slots().await {
            let asked_at = Instant::now();
            let wait = if has_received { self.wait } else { FIRST_WAIT };
            match self.receive(&slots, wait).await {
                Some(Ok(messages)) => {
                    (has_received, failures) = (true, 0);
                    self.progress.receiving();
                    self.accept(messages, slots, asked_at).await;
                }
                Some(Err(error)) if error.is_permanent() && !has_received => return Err(error),
                Some(Err(error)) => {
                    failures += 1;
                    self.back_off(&error, failures).await;
                }
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Waits for a free slot and takes as many more as one receive can fill; `None` when draining.
    async fn free_slots(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            self.progress.turn();
            tokio::select! {
                biased;
                () = self.draining.cancelled() => return None,
                slot = self.slots.clone().acquire_owned() => return slot.ok().map(|slot| self.more_slots(slot)),
                () = sleep(FULL_INTERVAL) => {}
            }
        }
    }

    fn more_slots(&self, mut slots: OwnedSemaphorePermit) -> OwnedSemaphorePermit {
        while slots.num_permits() < self.messages_max() {
            match self.slots.clone().try_acquire_owned() {
                Ok(slot) => slots.merge(slot),
                Err(_) => break,
            }
        }
        slots
    }

    /// One message at a time from a FIFO queue: SQS gives out no second one of the same group before the first is
    /// deleted, so each group stays in order while groups run side by side.
    fn messages_max(&self) -> usize {
        if self.queue.is_fifo() {
            1
        } else {
            self.messages_per_receive_max
        }
    }

    /// `None` when the drain time ended before SQS answered.
    async fn receive(
        &self,
        slots: &OwnedSemaphorePermit,
        wait: Duration,
    ) -> Option<Result<Vec<Message>, QueueError>> {
        let receiving = self.queue.receive(slots.num_permits(), wait);
        let received = self
            .processing
            .abandoned
            .run_until_cancelled(receiving)
            .await;
        if received.is_none() {
            warn!(
                "a receive outlasted the drain time; what it took stays hidden until its visibility times out"
            );
        }
        received
    }

    async fn accept(&self, messages: Vec<Message>, slots: OwnedSemaphorePermit, asked_at: Instant) {
        if self.draining.is_cancelled() {
            self.hand_back(&messages).await;
        } else if messages.is_empty() {
            drop(slots);
            let pause = sleep_until(asked_at + EMPTY_RECEIVE_INTERVAL);
            self.draining.run_until_cancelled(pause).await;
        } else {
            self.start(messages, slots).await;
        }
    }

    /// Starts the processing of each message in a slot of its own.
    async fn start(&self, messages: Vec<Message>, mut slots: OwnedSemaphorePermit) {
        let mut without_slot = Vec::new();
        for message in messages {
            let Some(slot) = slots.split(1) else {
                without_slot.push(message);
                continue;
            };
            let span = info_span!("message", message_id = message.id);
            let processing = self.processing.clone();
            let process = async move { processing.process(Arc::new(message), slot).await };
            self.running.spawn(process.instrument(span));
        }
        // SQS never sends more than it was asked for; should it, the excess is not held beyond the limit.
        self.hand_back(&without_slot).await;
    }

    async fn hand_back(&self, messages: &[Message]) {
        let messages: Vec<_> = messages.iter().collect();
        hand_back(&messages, &self.processing.visibility).await;
    }

    async fn back_off(&self, error: &QueueError, failures: u32) {
        let pause = AFTER_ERROR.wait(failures, fastrand::f64());
        warn!(
            error = with_causes(error),
            failures,
            pause_milliseconds = pause.as_millis(),
            "receive failed"
        );
        self.progress.failing();
        self.draining.run_until_cancelled(sleep(pause)).await;
    }
}
