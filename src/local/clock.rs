//! The server's time: the real one plus what a test has advanced it by. The only place that reads a clock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// Unix time that runs with tokio's clock and can be pushed forward.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Duration,
    advanced_millis: AtomicU64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            started_at: unix_time(),
            advanced_millis: AtomicU64::new(0),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        let advanced = Duration::from_millis(self.advanced_millis.load(Ordering::Relaxed));
        self.started_at + self.started.elapsed() + advanced
    }

    /// Moves time forward by whole milliseconds; it never goes back.
    pub(crate) fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.advanced_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where unix time enters the local server"
)]
fn unix_time() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
