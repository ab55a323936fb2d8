//! How AWS Lambda's pollers grow with a standard queue, with pods in the place of function instances:
//! five at once, then up to 300 more a minute while messages wait. A pod's slots stand for a batch.
//!
//! AWS says that failing invocations make it back off, but not how far: here the limit is halved.

use std::time::Duration;

use crate::simulation::{control::Sight, hpa::whole_replicas, numbers::real};

/// Its pollers are always at the queue, in steps of this.
const INTERVAL: Duration = Duration::from_secs(2);

/// The concurrent batches it begins with, and falls back to while there is little to do.
const FIRST: u32 = 5;

/// 300 a minute.
const ADDED_PER_INTERVAL: u32 = 10;

/// The fewest it backs off to: the least that `MaximumConcurrency` may be.
const FEWEST: u32 = 2;

/// How often it looks whether invocations fail.
const BACK_OFF_INTERVAL: Duration = Duration::from_mins(1);

/// The limit and what was seen of the function when it was last set.
#[derive(Debug)]
pub(in crate::simulation) struct LambdaLoop {
    /// `MaximumConcurrency`.
    maximum: u32,
    concurrency: u32,
    limit: u32,
    pub(in crate::simulation) next_at: Duration,
    judged_at: Duration,
    failed: u64,
    finished: u64,
}

impl LambdaLoop {
    /// `concurrency` is how many messages a pod works on at once.
    pub(in crate::simulation) fn new(maximum: u32, concurrency: u32) -> Self {
        Self {
            maximum,
            concurrency: concurrency.max(1),
            limit: FIRST,
            next_at: Duration::ZERO,
            judged_at: Duration::ZERO,
            failed: 0,
            finished: 0,
        }
    }

    pub(in crate::simulation) fn act(&mut self, now: Duration, sight: &Sight<'_>) -> u32 {
        self.next_at = now + INTERVAL;
        if now >= self.judged_at + BACK_OFF_INTERVAL {
            self.judged_at = now;
            self.judge(sight.failures, sight.totals.deleted);
        }
        // Its pollers receive messages themselves, so that they know what waits.
        self.instances(sight.counts.visible, sight.counts.in_flight)
    }

    /// Backs off when more invocations failed than succeeded since the last time.
    fn judge(&mut self, failed: u64, finished: u64) {
        if failed - self.failed > finished - self.finished {
            self.limit = (self.limit / 2).max(FEWEST);
        }
        (self.failed, self.finished) = (failed, finished);
    }

    fn instances(&mut self, visible: u64, in_flight: u64) -> u32 {
        let slots = f64::from(self.concurrency);
        let busy = whole_replicas(real(in_flight) / slots);
        let wanted = whole_replicas(real(visible + in_flight) / slots);
        if wanted > self.limit {
            self.limit = (self.limit + ADDED_PER_INTERVAL).min(self.maximum);
        } else if visible == 0 {
            self.limit = self.limit.min(busy.max(FIRST)).min(self.maximum);
        }
        wanted.min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_starts_five_and_adds_three_hundred_a_minute_up_to_the_maximum() {
        let mut lambda = LambdaLoop::new(200, 10);
        assert_eq!(lambda.instances(30, 0), 3);
        let grown: Vec<u32> = (0..30).map(|_| lambda.instances(100_000, 0)).collect();
        assert_eq!(grown[..3], [15, 25, 35]);
        assert_eq!(grown[29], 200);
        assert_eq!(lambda.instances(0, 70), 7);
        assert_eq!(lambda.instances(0, 0), 0);
        assert_eq!(lambda.instances(10_000, 0), 15);
    }

    #[test]
    fn failures_halve_the_limit() {
        let mut lambda = LambdaLoop::new(200, 10);
        for _ in 0..9 {
            lambda.instances(100_000, 0);
        }
        lambda.judge(50, 49);
        assert_eq!(lambda.limit, 47);
        lambda.judge(60, 70);
        assert_eq!(lambda.limit, 47);
    }
}
