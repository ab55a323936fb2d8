//! One message from its receive to its delete: handled in its own task, kept hidden meanwhile, deleted only when done.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, Span, debug, warn};

use crate::causes::with_causes;
use crate::hand_back::hand_back;
use crate::handlers::{Handler, HandlerError};
use crate::heartbeat::Heartbeat;
use crate::message::{Message, Receipt};
use crate::outbox::Outbox;
use crate::queue::VisibilityChange;

/// What every message is processed with.
#[derive(Debug)]
pub struct Processing<H> {
    pub handler: Arc<H>,
    pub heartbeat: Heartbeat,
    pub deletes: Outbox<Receipt>,
    pub visibility: Outbox<VisibilityChange>,
    /// Cancelled when the drain time is over: handlers end where they are.
    pub abandoned: CancellationToken,
}

enum Outcome {
    Done,
    Failed(HandlerError),
    Abandoned,
}

impl<H: Handler> Processing<H> {
    /// Processes one message; its slot is free as soon as its delete is on the way.
    pub async fn process(&self, message: Arc<Message>, slot: OwnedSemaphorePermit) {
        let settled = CancellationToken::new();
        let working = async {
            let outcome = self.handle(&message).await;
            let is_abandoned = matches!(outcome, Outcome::Abandoned);
            self.conclude(&message, outcome, slot).await;
            settled.cancel();
            is_abandoned
        };
        let keeping_hidden = self.heartbeat.keep_hidden(&message.receipt, &settled);
        let (is_abandoned, ()) = tokio::join!(working, keeping_hidden);
        if is_abandoned {
            hand_back(&[&message], &self.visibility).await;
        }
    }

    /// The handler has its own task: it can block or panic without stopping the heartbeat.
    async fn handle(&self, message: &Arc<Message>) -> Outcome {
        let (handler, message) = (self.handler.clone(), message.clone());
        let handling = async move { handler.handle(&message).await }.instrument(Span::current());
        let handling = AbortOnDropHandle::new(tokio::spawn(handling));
        tokio::select! {
            joined = handling => outcome(joined),
            () = self.abandoned.cancelled() => Outcome::Abandoned,
        }
    }

    async fn conclude(&self, message: &Message, outcome: Outcome, slot: OwnedSemaphorePermit) {
        match outcome {
            Outcome::Done => self.delete(&message.receipt, slot).await,
            Outcome::Failed(cause) => {
                warn!(
                    cause = with_causes(&*cause),
                    "message failed; it comes again when its visibility times out"
                );
            }
            Outcome::Abandoned => {}
        }
    }

    async fn delete(&self, receipt: &Receipt, slot: OwnedSemaphorePermit) {
        let answer = self.deletes.submit(receipt.clone()).await;
        drop(slot);
        match answer.wait().await {
            Ok(()) => debug!("message deleted"),
            Err(cause) => warn!(%cause, "message is done but not deleted; it may come again"),
        }
    }
}

fn outcome(joined: Result<Result<(), HandlerError>, JoinError>) -> Outcome {
    match joined {
        Ok(Ok(())) => Outcome::Done,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(panic) => Outcome::Failed(panic.into()),
    }
}
