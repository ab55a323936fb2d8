//! Keeps a message hidden from other consumers for as long as it is worked on, however long that is beside the
//! visibility timeout.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::message::Receipt;
use crate::outbox::{Outbox, Undone};
use crate::queue::VisibilityChange;

/// A message can be hidden for 12 hours from its receive, extensions included; SQS refuses more.
const HIDDEN_MAX: Duration = Duration::from_hours(12);
/// Extensions in one visibility timeout: when one is lost, there is time for another.
const BEATS_PER_TIMEOUT: u32 = 3;

/// Extends the visibility timeout of messages.
#[derive(Debug)]
pub struct Heartbeat {
    visibility: Outbox<VisibilityChange>,
    timeout: Duration,
}

impl Heartbeat {
    /// With a `timeout` of zero messages are never hidden, and nothing is extended.
    pub fn new(visibility: Outbox<VisibilityChange>, timeout: Duration) -> Self {
        Self {
            visibility,
            timeout,
        }
    }

    /// Extends until `settled`, or until SQS allows no more. An extension on its way is always waited for, so that what
    /// is asked of SQS next cannot be overtaken by it.
    pub async fn keep_hidden(&self, receipt: &Receipt, settled: &CancellationToken) {
        let received_at = Instant::now();
        while let Some(visibility) = extension(self.timeout, received_at.elapsed()) {
            let beat = sleep(self.timeout / BEATS_PER_TIMEOUT);
            if settled.run_until_cancelled(beat).await.is_none() {
                return;
            }
            if self.extend(receipt, visibility).await.is_err() {
                return;
            }
        }
    }

    /// An error means that further extensions cannot help.
    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), Undone> {
        let change = VisibilityChange {
            receipt: receipt.clone(),
            visibility,
        };
        let outcome = self.visibility.submit(change).await.wait().await;
        match outcome {
            Ok(()) => debug!(seconds = visibility.as_secs(), "message stays hidden"),
            Err(Undone::GivenUp { cause }) => {
                warn!(cause, "cannot keep message hidden; trying again");
            }
            Err(lost) => {
                warn!(cause = %lost, "message may be given to another consumer while it is worked on");
                return Err(lost);
            }
        }
        Ok(())
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
