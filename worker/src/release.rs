//! Gives messages to other consumers before their visibility times out: at once when they were not worked on, after a
//! growing wait when they failed.

use std::time::Duration;

use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::message::Message;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::queue::{Purpose, VisibilityChange};

/// A message that failed once does not come again sooner: what failed it takes a moment to pass.
const LEAST: Duration = Duration::from_secs(1);

/// Releases messages of one consumer.
#[derive(Debug, Clone)]
pub struct Release {
    pub visibility: Outbox<VisibilityChange>,
    /// The longest wait before a failed message comes again; zero for none.
    pub wait_max: Duration,
    pub metrics: Metrics,
}

impl Release {
    /// Makes messages visible at once.
    pub async fn hand_back(&self, messages: &[&Message]) {
        self.change(messages, |_| Duration::ZERO).await;
        for _ in messages {
            self.metrics.handed_back();
        }
    }

    /// Lets a failed message come again after a wait that grows with each of its receives.
    pub async fn retry_later(&self, message: &Message) {
        let wait = retry_wait(message.receive_count, self.wait_max, fastrand::f64());
        self.change(&[message], |_| wait).await;
    }

    /// One that cannot be changed is visible when its timeout has run out, so none is lost; one whose change is not
    /// answered as well, if SQS has not made it visible already.
    async fn change(&self, messages: &[&Message], wait: impl Fn(&Message) -> Duration) {
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            let change = VisibilityChange {
                receipt: message.receipt.clone(),
                visibility: wait(message),
                purpose: Purpose::Release,
            };
            let seconds = change.visibility.as_secs();
            let answer = self.visibility.submit(change).await;
            answers.push((&message.id, seconds, answer));
        }
        for (message_id, seconds, answer) in answers {
            match answer.wait().await {
                Ok(()) => info!(message_id, seconds, "message comes again"),
                Err(cause) => {
                    warn!(message_id, %cause, "message comes again when its visibility times out, if not sooner");
                }
            }
        }
    }
}

/// Doubles with each receive up to the most; `chance` spreads the messages of one failure apart.
fn retry_wait(receive_count: Option<u32>, wait_max: Duration, chance: f64) -> Duration {
    let waits = Backoff {
        least: LEAST.min(wait_max),
        most: wait_max,
    };
    waits.wait(receive_count.unwrap_or(1), chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_wait_grows_with_each_receive_and_has_an_end() {
        let longest = |count| retry_wait(Some(count), seconds(300), 1.0);
        assert_eq!(
            [1, 2, 3, 8, 9, 100].map(longest),
            [2, 4, 8, 256, 300, 300].map(seconds)
        );
    }

    #[test]
    fn chance_spreads_a_wait_from_one_second_to_its_most() {
        assert_eq!(retry_wait(Some(5), seconds(300), 0.0), seconds(1));
        assert_eq!(
            retry_wait(Some(5), seconds(300), 0.5),
            Duration::from_millis(16_500)
        );
    }

    #[test]
    fn no_wait_at_all_can_be_asked_for() {
        assert_eq!(retry_wait(Some(5), Duration::ZERO, 1.0), Duration::ZERO);
    }
}
