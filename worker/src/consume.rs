//! One consumer from its first receive to the end of its drain: receive -> handle -> delete.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::batch::Reply;
use crate::handlers::Handler;
use crate::heartbeat::Heartbeat;
use crate::message::Receipt;
use crate::metrics::Metrics;
use crate::outbox::{BatchOperation, Outbox};
use crate::process::{Processing, Signals};
use crate::progress::Progress;
use crate::queue::{Purpose, Queue, QueueError, VisibilityChange};
use crate::receive::Receiving;
use crate::release::Release;
use crate::settings::ConsumeSettings;

/// What handing back and the last deletes may take after the drain time. With the default drain of 25 seconds it stays
/// below the 30 seconds that Kubernetes grants.
pub const HAND_BACK_MAX: Duration = Duration::from_secs(4);

/// Consumes a queue until `draining` is cancelled and the drain is over.
#[derive(Debug)]
pub struct Consumer<H> {
    pub queue: Queue,
    pub handler: H,
    pub settings: ConsumeSettings,
    pub progress: Progress,
    pub metrics: Metrics,
}

/// The tasks that send batches; they end by themselves when nobody can hand in more.
type Senders = [JoinHandle<()>; 2];

impl<H: Handler> Consumer<H> {
    /// With the settings that the worker itself has when it is told nothing.
    pub fn new(queue: Queue, handler: H) -> Self {
        Self {
            queue,
            handler,
            settings: ConsumeSettings::default(),
            progress: Progress::default(),
            metrics: Metrics::default(),
        }
    }

    /// Runs until drained. Fails only when the first receive shows that the queue or a permission is missing.
    pub async fn run(self, draining: CancellationToken) -> Result<(), QueueError> {
        let abandoned = CancellationToken::new();
        self.metrics.slots(self.settings.concurrency);
        let running = TaskTracker::new();
        let drain = self.settings.drain;
        let (receiving, senders) = self.prepare(&draining, &abandoned, &running);
        let consuming = async {
            let outcome = Arc::new(receiving).run().await;
            running.close();
            running.wait().await;
            for sender in senders {
                // A sender that panicked has answered its callers by that.
                let _ = sender.await;
            }
            outcome
        };
        tokio::pin!(consuming);
        tokio::select! {
            ended = &mut consuming => return ended,
            () = draining.cancelled() => {}
        }
        drain_within(drain, consuming, &abandoned).await
    }

    /// Wires the parts together. Every way to hand something in belongs to a task of this consumer.
    fn prepare(
        self,
        draining: &CancellationToken,
        abandoned: &CancellationToken,
        running: &TaskTracker,
    ) -> (Receiving<H>, Senders) {
        let (deletes, deleting) = Outbox::open(Deletes(self.queue.clone()));
        let (visibility, changing) = Outbox::open(VisibilityChanges(self.queue.clone()));
        let release = Release {
            visibility: visibility.clone(),
            wait_max: self.settings.retry_wait_max,
            metrics: self.metrics.clone(),
        };
        let timeout = self.queue.visibility_timeout();
        let processing = Processing {
            handler: Arc::new(self.handler),
            heartbeat: Heartbeat::new(visibility, timeout, self.metrics.clone()),
            deletes,
            release,
            metrics: self.metrics,
            deadline: self.settings.deadline,
            signals: Signals {
                draining: draining.clone(),
                abandoned: abandoned.clone(),
            },
            failed_at: Mutex::default(),
        };
        let receiving = Receiving {
            queue: self.queue,
            slots: Arc::new(Semaphore::new(self.settings.concurrency)),
            settings: self.settings,
            processing: Arc::new(processing),
            running: running.clone(),
            progress: self.progress,
            more: Arc::default(),
            seen: Mutex::default(),
        };
        (receiving, [deleting, changing])
    }
}

/// Lets everything finish; after `drain` handlers are ended, and their messages go back.
async fn drain_within(
    drain: Duration,
    mut consuming: Pin<&mut impl Future<Output = Result<(), QueueError>>>,
    abandoned: &CancellationToken,
) -> Result<(), QueueError> {
    if let Ok(outcome) = timeout(drain, &mut consuming).await {
        info!("drained: every message taken was finished or handed back");
        return outcome;
    }
    warn!(
        drain_seconds = drain.as_secs(),
        "drain time is over; handing back what is not finished"
    );
    abandoned.cancel();
    timeout(HAND_BACK_MAX, consuming).await.unwrap_or_else(|_| {
        warn!("SQS is too slow to hand back; the rest comes again when its visibility times out");
        Ok(())
    })
}

struct Deletes(Queue);

impl BatchOperation for Deletes {
    type Entry = Receipt;

    async fn send(&self, receipts: &[Receipt]) -> Result<Reply, QueueError> {
        self.0.delete(receipts).await
    }
}

struct VisibilityChanges(Queue);

impl BatchOperation for VisibilityChanges {
    type Entry = VisibilityChange;

    async fn send(&self, changes: &[VisibilityChange]) -> Result<Reply, QueueError> {
        self.0.change_visibility(changes).await
    }

    /// A message that was released may be at work in another consumer by now: to release it again, with a receipt that SQS
    /// may still take, would give it to a third one.
    fn may_repeat_unanswered(change: &VisibilityChange) -> bool {
        change.purpose == Purpose::Keep
    }
}
