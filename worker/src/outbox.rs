//! Gathers single entries into batch requests, sends a few of them at once, repeats what was not carried out,
//! and tells each caller what became of its entry. It knows neither SQS nor what an entry means.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

use crate::backoff::Backoff;
use crate::batch::{ENTRIES_MAX, Reply, Verdict, verdicts};
use crate::causes::with_causes;
use crate::queue::QueueError;

/// How long a first entry waits for others: short beside any visibility timeout, long beside one handler's end and the
/// next one's.
pub const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// Entries that may wait while SQS is slow, ten full requests; then callers wait, and with them the receive loop.
const WAITING_MAX: usize = 10 * ENTRIES_MAX;
/// With the waits between them this bridges about eight seconds of trouble, less than a usual visibility timeout.
pub const ATTEMPTS_MAX: u32 = 8;
/// Requests on their way at once: one that is repeated does not hold up the others.
const REQUESTS_MAX: usize = 4;
const BETWEEN_ATTEMPTS: Backoff = Backoff {
    least: Duration::from_millis(100),
    most: Duration::from_secs(2),
};

/// A batch request of SQS that takes up to [`ENTRIES_MAX`] entries.
pub trait BatchOperation: Send + Sync + 'static {
    type Entry: Clone + Send + Sync + 'static;

    fn send(
        &self,
        entries: &[Self::Entry],
    ) -> impl Future<Output = Result<Reply, QueueError>> + Send;

    /// Whether an entry that was sent and not answered, and so may have been carried out, does no harm when it is carried
    /// out once more, some seconds later.
    fn may_repeat_unanswered(_entry: &Self::Entry) -> bool {
        true
    }
}

/// Why an entry was not carried out.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum Undone {
    #[error("SQS refused it: {code}")]
    Refused { code: String },
    #[error("SQS did not do it in {ATTEMPTS_MAX} attempts: {cause}")]
    GivenUp { cause: String },
    #[error("nobody knows whether SQS did it: {cause}")]
    Unanswered { cause: String },
    #[error("the worker ended first")]
    Ended,
}

/// Where entries are handed in; the task behind it ends when the last of its clones is gone and all is sent.
#[derive(Debug)]
pub struct Outbox<E>(mpsc::Sender<Ticket<E>>);

impl<E> Clone for Outbox<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The coming answer to one entry.
#[derive(Debug)]
pub struct Answer(oneshot::Receiver<Result<(), Undone>>);

#[derive(Debug)]
struct Ticket<E> {
    entry: E,
    answer: oneshot::Sender<Result<(), Undone>>,
}

impl<E: Clone + Send + Sync + 'static> Outbox<E> {
    /// Starts the task that sends.
    pub fn open(operation: impl BatchOperation<Entry = E>) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (Self(sender), tokio::spawn(send_all(receiver, operation)))
    }

    /// Hands an entry in, waiting for room.
    pub async fn submit(&self, entry: E) -> Answer {
        let (answer, receiver) = oneshot::channel();
        // When the task is gone the ticket is dropped, and the answer is `Ended`.
        let _ = self.0.send(Ticket { entry, answer }).await;
        Answer(receiver)
    }
}

impl Answer {
    /// Waits until SQS has carried the entry out, or surely will not.
    pub async fn wait(self) -> Result<(), Undone> {
        self.0.await.unwrap_or(Err(Undone::Ended))
    }
}

async fn send_all<O: BatchOperation>(mut receiver: mpsc::Receiver<Ticket<O::Entry>>, operation: O) {
    let operation = Arc::new(operation);
    let mut sending = JoinSet::new();
    while let Some(batch) = gather(&mut receiver).await {
        while sending.len() >= REQUESTS_MAX {
            sending.join_next().await;
        }
        while sending.try_join_next().is_some() {}
        let operation = operation.clone();
        sending.spawn(async move { settle(batch, &*operation).await });
    }
    while sending.join_next().await.is_some() {}
}

/// The next batch: full, or as large as it got in one flush interval; `None` when no more can come.
async fn gather<E>(receiver: &mut mpsc::Receiver<Ticket<E>>) -> Option<Vec<Ticket<E>>> {
    let mut batch = vec![receiver.recv().await?];
    let flush_at = Instant::now() + FLUSH_INTERVAL;
    while batch.len() < ENTRIES_MAX {
        match timeout_at(flush_at, receiver.recv()).await {
            Ok(Some(ticket)) => batch.push(ticket),
            Ok(None) | Err(_) => break,
        }
    }
    Some(batch)
}

/// Sends a batch, and again what was not carried out, until every ticket has its answer.
async fn settle<O: BatchOperation>(batch: Vec<Ticket<O::Entry>>, operation: &O) {
    let mut unsettled = batch;
    let mut cause = String::new();
    for attempt in 1..=ATTEMPTS_MAX {
        (unsettled, cause) = send_once(unsettled, operation).await;
        if unsettled.is_empty() {
            return;
        }
        warn!(
            entries = unsettled.len(),
            attempt, cause, "SQS did not carry out entries of a batch"
        );
        if attempt < ATTEMPTS_MAX {
            sleep(BETWEEN_ATTEMPTS.wait(attempt, fastrand::f64())).await;
        }
    }
    for ticket in unsettled {
        answer(
            ticket,
            Err(Undone::GivenUp {
                cause: cause.clone(),
            }),
        );
    }
}

/// Sends once, answers what is settled, and returns what is not, with a reason.
async fn send_once<O: BatchOperation>(
    batch: Vec<Ticket<O::Entry>>,
    operation: &O,
) -> (Vec<Ticket<O::Entry>>, String) {
    let entries: Vec<_> = batch.iter().map(|ticket| ticket.entry.clone()).collect();
    match operation.send(&entries).await {
        Ok(reply) => answer_settled(batch, &reply),
        Err(error @ QueueError::Unanswered { .. }) => {
            let cause = with_causes(&error);
            (answer_unrepeatable::<O>(batch, &cause), cause)
        }
        Err(error) => (batch, with_causes(&error)),
    }
}

/// What may be repeated is returned.
fn answer_unrepeatable<O: BatchOperation>(
    batch: Vec<Ticket<O::Entry>>,
    cause: &str,
) -> Vec<Ticket<O::Entry>> {
    let (repeatable, others) = batch
        .into_iter()
        .partition(|ticket| O::may_repeat_unanswered(&ticket.entry));
    for ticket in others {
        let cause = cause.to_owned();
        answer(ticket, Err(Undone::Unanswered { cause }));
    }
    repeatable
}

fn answer_settled<E>(batch: Vec<Ticket<E>>, reply: &Reply) -> (Vec<Ticket<E>>, String) {
    let verdicts = verdicts(batch.len(), reply);
    let (mut unsettled, mut cause) = (Vec::new(), String::new());
    for (ticket, verdict) in batch.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Accepted => answer(ticket, Ok(())),
            Verdict::Refused { code } => answer(ticket, Err(Undone::Refused { code })),
            Verdict::Unsettled { code } => {
                unsettled.push(ticket);
                cause = code;
            }
        }
    }
    (unsettled, cause)
}

fn answer<E>(ticket: Ticket<E>, result: Result<(), Undone>) {
    // A caller who left does not want to know.
    let _ = ticket.answer.send(result);
}

#[cfg(test)]
mod tests;
