//! Messages from their receive to their delete: handled in tasks of their own, kept hidden meanwhile, deleted only when
//! done. What is not done is released when the heartbeat has ended, so that no late extension undoes it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, Span, debug, info_span, warn};

use crate::causes::with_causes;
use crate::handlers::{Handler, HandlerError, Takes};
use crate::heartbeat::{Heartbeat, Held};
use crate::message::Receipt;
use crate::metrics::Metrics;
use crate::outbox::{Answer, Outbox};
use crate::release::Release;

/// After a failure in a FIFO queue messages are received one by one for this long. What comes in one receive with a
/// message that fails goes back unhandled, and each time is one receive nearer to the dead-letter queue.
const CAUTIOUS: Duration = Duration::from_mins(1);

/// What every message is processed with.
#[derive(Debug)]
pub struct Processing<H> {
    pub handler: Arc<H>,
    pub heartbeat: Heartbeat,
    pub deletes: Outbox<Receipt>,
    pub release: Release,
    pub metrics: Metrics,
    /// How long a handler may take.
    pub deadline: Duration,
    pub signals: Signals,
    pub failed_at: Mutex<Option<Instant>>,
}

/// What ends work from outside.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Cancelled when nothing new may begin.
    pub draining: CancellationToken,
    /// Cancelled when the drain time is over: handlers end where they are.
    pub abandoned: CancellationToken,
}

/// How the handler of a message ended.
enum Outcome {
    Done,
    Failed(HandlerError),
    Abandoned,
    /// The message before it, in its group, is not done.
    Untouched,
}

/// What is left to do when all handlers have ended.
#[derive(Default)]
struct Rest<'a> {
    deletes: Vec<(&'a Held, Answer)>,
    failed: Vec<&'a Held>,
    unhandled: Vec<&'a Held>,
}

impl<H: Handler> Processing<H> {
    /// Processes messages that belong together; the slot is free as soon as their deletes are on the way.
    pub async fn process(&self, messages: Vec<Held>, slot: OwnedSemaphorePermit) {
        let settled = CancellationToken::new();
        let _holding = self.metrics.holding(messages.len());
        let working = async {
            let mut rest = self.work(&messages).await;
            drop(slot);
            for (held, answer) in rest.deletes.drain(..) {
                self.deleted(held, answer).await;
            }
            settled.cancel();
            rest
        };
        let keeping_hidden = self.heartbeat.keep_hidden(&messages, &settled);
        let (rest, ()) = tokio::join!(working, keeping_hidden);
        self.give_up(rest).await;
    }

    /// Whether a message failed a short while ago.
    pub fn is_cautious(&self) -> bool {
        let failed_at = *self
            .failed_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        failed_at.is_some_and(|at| at.elapsed() < CAUTIOUS)
    }

    async fn work<'a>(&self, messages: &'a [Held]) -> Rest<'a> {
        match self.handler.takes() {
            Takes::Message => self.one_by_one(messages).await,
            Takes::Batch => self.at_once(messages).await,
        }
    }

    /// In order; after one that is not done none is begun.
    async fn one_by_one<'a>(&self, messages: &'a [Held]) -> Rest<'a> {
        let (mut rest, mut goes_on) = (Rest::default(), true);
        for (position, held) in messages.iter().enumerate() {
            goes_on = goes_on && (position == 0 || !self.signals.draining.is_cancelled());
            let outcome = if goes_on {
                let span = info_span!("message", message_id = held.message.id);
                self.handle(held).instrument(span).await
            } else {
                Outcome::Untouched
            };
            goes_on = goes_on && matches!(outcome, Outcome::Done);
            self.conclude(held, outcome, &mut rest).await;
        }
        rest
    }

    async fn handle(&self, held: &Held) -> Outcome {
        let (handler, message) = (self.handler.clone(), held.message.clone());
        let handling = async move { handler.handle(message).await };
        match self.in_a_task(handling).await {
            Ok(Ok(())) => Outcome::Done,
            Ok(Err(error)) | Err(Stopped::Failed(error)) => Outcome::Failed(error),
            Err(Stopped::Abandoned) => Outcome::Abandoned,
        }
    }

    async fn at_once<'a>(&self, messages: &'a [Held]) -> Rest<'a> {
        let handler = self.handler.clone();
        let batch = messages.iter().map(|held| held.message.clone()).collect();
        let handling = async move { handler.handle_batch(batch).await };
        let span = info_span!("batch", messages = messages.len());
        let mut outcomes = match self.in_a_task(handling).instrument(span).await {
            Ok(results) => Outcomes::Each(results.into_iter()),
            Err(Stopped::Failed(error)) => Outcomes::AllFailed(error.to_string()),
            Err(Stopped::Abandoned) => Outcomes::AllAbandoned,
        };
        let mut rest = Rest::default();
        for held in messages {
            self.conclude(held, outcomes.next(), &mut rest).await;
        }
        rest
    }

    /// A handler has its own task: it can block or panic without stopping the heartbeat.
    async fn in_a_task<T: Send + 'static>(
        &self,
        handling: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stopped> {
        let _working = self.metrics.working();
        let started_at = Instant::now();
        let handling = AbortOnDropHandle::new(tokio::spawn(handling.instrument(Span::current())));
        let ended = tokio::select! {
            joined = handling => joined.map_err(Stopped::from),
            () = self.signals.abandoned.cancelled() => Err(Stopped::Abandoned),
            () = sleep(self.deadline) => Err(Stopped::overdue(self.deadline)),
        };
        self.metrics.handler_took(started_at.elapsed());
        ended
    }

    async fn conclude<'a>(&self, held: &'a Held, outcome: Outcome, rest: &mut Rest<'a>) {
        match outcome {
            Outcome::Done => {
                held.handled.cancel();
                let answer = self.deletes.submit(held.message.receipt.clone()).await;
                rest.deletes.push((held, answer));
            }
            Outcome::Failed(cause) => {
                let message_id = &held.message.id;
                warn!(message_id, cause = with_causes(&*cause), "message failed");
                self.failed();
                rest.failed.push(held);
            }
            Outcome::Abandoned => {
                self.metrics.cut_short();
                rest.unhandled.push(held);
            }
            Outcome::Untouched => rest.unhandled.push(held),
        }
    }

    fn failed(&self) {
        self.metrics.failed();
        let mut failed_at = self
            .failed_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *failed_at = Some(Instant::now());
    }

    async fn deleted(&self, held: &Held, answer: Answer) {
        let message_id = &held.message.id;
        match answer.wait().await {
            Ok(()) => {
                self.metrics.done();
                debug!(message_id, "message deleted");
            }
            Err(cause) => {
                warn!(message_id, %cause, "message is done but not deleted; it may come again");
            }
        }
    }

    /// First what failed: in a FIFO queue it holds back what comes after it.
    async fn give_up(&self, rest: Rest<'_>) {
        for held in rest.failed {
            self.release.retry_later(&held.message).await;
        }
        let unhandled: Vec<_> = rest.unhandled.iter().map(|held| &*held.message).collect();
        self.release.hand_back(&unhandled).await;
    }
}

/// Why a handler brought no result.
enum Stopped {
    Failed(HandlerError),
    Abandoned,
}

impl Stopped {
    fn overdue(deadline: Duration) -> Self {
        let seconds = deadline.as_secs();
        Self::Failed(format!("not done within its deadline of {seconds} s").into())
    }
}

impl From<JoinError> for Stopped {
    fn from(panic: JoinError) -> Self {
        Self::Failed(panic.into())
    }
}

/// The outcomes of a batch, message by message.
enum Outcomes {
    Each(std::vec::IntoIter<Result<(), HandlerError>>),
    AllFailed(String),
    AllAbandoned,
}

impl Outcomes {
    fn next(&mut self) -> Outcome {
        match self {
            Self::Each(results) => match results.next() {
                Some(Ok(())) => Outcome::Done,
                Some(Err(error)) => Outcome::Failed(error),
                None => Outcome::Failed("the handler gave no result for it".into()),
            },
            Self::AllFailed(cause) => Outcome::Failed(cause.as_str().into()),
            Self::AllAbandoned => Outcome::Abandoned,
        }
    }
}
