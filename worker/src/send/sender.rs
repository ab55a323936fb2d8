//! Sends numbered messages, a few sendings at a time, in the background or while a caller waits.

use std::sync::Arc;

use fastrand::Rng;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};

use crate::produce::Production;
use crate::produce::events::{Maker, Shape, Tally};
use crate::queue::Queue;

/// What one sending may ask for; more is the work of `produce`.
pub const MESSAGES_MAX: u64 = 100_000;
/// Sendings at once. Each has up to four requests on their way.
const SENDINGS_MAX: usize = 4;

/// Shared by all its clones.
#[derive(Debug, Clone)]
pub struct Sender {
    queue: Queue,
    room: Arc<Semaphore>,
    under_way: TaskTracker,
    closed: CancellationToken,
}

/// Why nothing is sent.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SendError {
    #[error("{SENDINGS_MAX} sendings are under way: try again when one has ended")]
    Busy,
    #[error("stopping: nothing more is sent")]
    Closed,
}

/// Leave to send once.
pub type Leave = OwnedSemaphorePermit;

impl Sender {
    pub fn new(queue: Queue) -> Self {
        Self {
            queue,
            room: Arc::new(Semaphore::new(SENDINGS_MAX)),
            under_way: TaskTracker::new(),
            closed: CancellationToken::new(),
        }
    }

    /// Refuses when enough is being sent already.
    pub fn leave(&self) -> Result<Leave, SendError> {
        if self.closed.is_cancelled() {
            return Err(SendError::Closed);
        }
        let room = self.room.clone().try_acquire_owned();
        room.map_err(|_| SendError::Busy)
    }

    /// Sends in a task of its own, which a caller that hangs up does not end. The answer is how many SQS did not take.
    pub fn send(&self, messages: u64, leave: Leave) -> impl Future<Output = u64> + use<> {
        let queue = self.queue.clone();
        let sending = self.under_way.spawn(async move {
            let failed = send(queue, messages).await;
            drop(leave);
            failed
        });
        // A sending that panicked has sent nothing that anybody could count.
        async move { sending.await.unwrap_or(messages) }
    }

    /// Takes nothing more.
    pub fn close(&self) {
        self.closed.cancel();
        self.under_way.close();
    }

    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Waits for everything that is being sent; only once closed.
    pub async fn ended(&self) {
        self.under_way.wait().await;
    }
}

async fn send(queue: Queue, messages: u64) -> u64 {
    info!(messages, "sending");
    let maker = Maker {
        shape: Shape::Uuid,
        bad_percent: 0,
        chance: Rng::new(),
        tally: Tally::default(),
    };
    let mut production = Production::new(queue, maker);
    for _ in 0..messages {
        production.send_next(0).await;
    }
    let (_, failed) = production.end().await;
    if failed > 0 {
        error!(messages, failed, "SQS did not take every message");
    } else {
        info!(messages, "sent");
    }
    failed
}
