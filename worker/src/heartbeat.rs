//! Keeps a message hidden from other consumers for as long as it is worked on, however long that is beside the
//! visibility timeout.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::message::Message;
use crate::metrics::Metrics;
use crate::outbox::{Outbox, Undone};
use crate::queue::{Purpose, VisibilityChange};

/// A message can be hidden for 12 hours from its receive, extensions included; SQS refuses more.
const HIDDEN_MAX: Duration = Duration::from_hours(12);
/// Extensions in one visibility timeout: when one is lost, there is time for another.
const BEATS_PER_TIMEOUT: u32 = 3;

/// A message, and how far its handling is.
#[derive(Debug)]
pub struct Held {
    pub message: Arc<Message>,
    /// Cancelled when the handler is done with it: only its delete is left.
    pub handled: CancellationToken,
}

impl Held {
    pub fn new(message: Message) -> Self {
        Self {
            message: Arc::new(message),
            handled: CancellationToken::new(),
        }
    }
}

/// Extends the visibility timeout of messages.
#[derive(Debug)]
pub struct Heartbeat {
    visibility: Outbox<VisibilityChange>,
    timeout: Duration,
    metrics: Metrics,
}

impl Heartbeat {
    /// With a `timeout` of zero messages are never hidden, and nothing is extended.
    pub fn new(visibility: Outbox<VisibilityChange>, timeout: Duration, metrics: Metrics) -> Self {
        Self {
            visibility,
            timeout,
            metrics,
        }
    }

    /// Extends until `settled`, or until SQS allows no more. An extension on its way is always waited for, so that what
    /// is asked of SQS next cannot be overtaken by it.
    pub async fn keep_hidden(&self, messages: &[Held], settled: &CancellationToken) {
        let received_at = Instant::now();
        let mut kept: Vec<_> = messages.iter().collect();
        while let Some(visibility) = extension(self.timeout, received_at.elapsed()) {
            let beat = sleep(self.timeout / BEATS_PER_TIMEOUT);
            if settled.run_until_cancelled(beat).await.is_none() || kept.is_empty() {
                return;
            }
            kept = self.extend_all(kept, visibility).await;
        }
        if !self.timeout.is_zero()
            && settled
                .run_until_cancelled(sleep(self.timeout))
                .await
                .is_some()
        {
            for held in kept {
                self.lost(held, "SQS hides no message for more than 12 hours");
            }
        }
    }

    /// Extends in as few requests as there are batches, and returns what can still be extended.
    async fn extend_all<'a>(&self, kept: Vec<&'a Held>, visibility: Duration) -> Vec<&'a Held> {
        let mut answers = Vec::with_capacity(kept.len());
        for held in kept {
            let receipt = held.message.receipt.clone();
            let change = VisibilityChange {
                receipt,
                visibility,
                purpose: Purpose::Keep,
            };
            answers.push((held, self.visibility.submit(change).await));
        }
        let mut kept = Vec::with_capacity(answers.len());
        for (held, answer) in answers {
            if self.is_kept(held, answer.wait().await) {
                kept.push(held);
            }
        }
        kept
    }

    fn is_kept(&self, held: &Held, extended: Result<(), Undone>) -> bool {
        let message_id = &held.message.id;
        match extended {
            Ok(()) => debug!(message_id, "message stays hidden"),
            Err(Undone::GivenUp { cause }) => {
                warn!(
                    message_id,
                    cause, "cannot keep message hidden; trying again"
                );
            }
            // Its delete was faster.
            Err(_) if held.handled.is_cancelled() => return false,
            Err(cause) => {
                self.lost(held, &cause.to_string());
                return false;
            }
        }
        true
    }

    fn lost(&self, held: &Held, cause: &str) {
        let message_id = &held.message.id;
        warn!(
            message_id,
            cause, "message may be given to another consumer while it is worked on"
        );
        self.metrics.heartbeat_lost();
    }
}

/// How long to hide a message that has been held for `held`; `None` when nothing more is allowed.
fn extension(timeout: Duration, held: Duration) -> Option<Duration> {
    // The next beat comes a part of the timeout later, and SQS counts from the moment it hears of it.
    let held_then = held + timeout / BEATS_PER_TIMEOUT;
    let allowed = HIDDEN_MAX.saturating_sub(held_then);
    let visibility = Duration::from_secs(timeout.min(allowed).as_secs());
    (!visibility.is_zero()).then_some(visibility)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_extension_is_the_whole_timeout_until_twelve_hours_are_near() {
        let table = [
            (seconds(30), seconds(0), Some(seconds(30))),
            (seconds(30), seconds(43_160), Some(seconds(30))),
            (seconds(30), seconds(43_170), Some(seconds(20))),
            (seconds(30), seconds(43_190), None),
            (seconds(43_200), seconds(0), Some(seconds(28_800))),
        ];
        for (timeout, held, expected) in table {
            assert_eq!(
                extension(timeout, held),
                expected,
                "{timeout:?} held for {held:?}"
            );
        }
    }

    #[test]
    fn a_message_that_is_never_hidden_is_never_extended() {
        assert_eq!(extension(Duration::ZERO, Duration::ZERO), None);
    }
}
