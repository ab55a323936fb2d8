//! The one place where the time of day enters the scaler. Everything else takes times from outside.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Turns instants into times since the Unix epoch that never jump.
///
/// The time of day is read once, at the start, and from there on time passes as instants do. Whoever
/// sets the machine's clock later moves no minute and ages no message; an error that the clock had at
/// the start stays until the next start. Paused time of tests is paused here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochClock {
    anchor: Instant,
    anchored_at: Duration,
}

impl EpochClock {
    /// A clock that is right now.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where the time of day is read"
    )]
    pub fn start() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::anchored(Instant::now(), now.unwrap_or_default())
    }

    /// A clock by which it is `since_epoch` at `anchor`.
    pub fn anchored(anchor: Instant, since_epoch: Duration) -> Self {
        Self {
            anchor,
            anchored_at: since_epoch,
        }
    }

    /// The time of `instant` since the Unix epoch.
    pub fn at(&self, instant: Instant) -> Duration {
        let before = self.anchor.saturating_duration_since(instant);
        let after = instant.saturating_duration_since(self.anchor);
        self.anchored_at
            .saturating_add(after)
            .saturating_sub(before)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_passes_as_instants_do() {
        let noon = Duration::from_hours(500_000);
        let started = Instant::now();
        let clock = EpochClock::anchored(started, noon);
        advance(Duration::from_secs(90)).await;
        assert_eq!(clock.at(Instant::now()), noon + Duration::from_secs(90));
        assert_eq!(clock.at(started), noon);
    }

    #[tokio::test(start_paused = true)]
    async fn an_instant_before_the_start_is_a_time_before_it() {
        let earlier = Instant::now();
        advance(Duration::from_secs(5)).await;
        let clock = EpochClock::anchored(Instant::now(), Duration::from_secs(100));
        assert_eq!(clock.at(earlier), Duration::from_secs(95));
    }

    #[test]
    fn it_starts_after_this_was_written() {
        let clock = EpochClock::start();
        assert!(clock.at(Instant::now()) > Duration::from_secs(1_760_000_000));
    }
}
