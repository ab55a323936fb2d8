//! How long messages waited: every one counted, in buckets so narrow that a quantile is exact to one
//! part in 128, at a fixed cost of memory.

use std::time::Duration;

use super::numbers::{count, real, share};

/// Buckets per doubling.
const STEPS: u64 = 128;

/// Waits are counted in milliseconds; the longest that fits a bucket is over 200 days.
const DOUBLINGS: u64 = 28;

/// The waits of many messages.
#[derive(Debug, Clone)]
pub(super) struct Waits {
    target: Duration,
    buckets: Vec<u64>,
    messages: u64,
    late: u64,
    late_seconds: f64,
    max: Duration,
}

impl Waits {
    /// None yet. What waits longer than `target` is late.
    pub(super) fn new(target: Duration) -> Self {
        let buckets = usize::try_from(STEPS * DOUBLINGS).unwrap_or_default();
        Self {
            target,
            buckets: vec![0; buckets],
            messages: 0,
            late: 0,
            late_seconds: 0.0,
            max: Duration::ZERO,
        }
    }

    pub(super) fn note(&mut self, wait: Duration, messages: u64) {
        self.messages += messages;
        self.max = self.max.max(wait);
        if wait > self.target {
            self.late += messages;
            self.late_seconds += wait.saturating_sub(self.target).as_secs_f64() * real(messages);
        }
        let last = self.buckets.len().saturating_sub(1);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(wait).min(last)) {
            *bucket += messages;
        }
    }

    /// These and `others`, each late by its own target.
    #[must_use]
    pub(super) fn with(mut self, others: &Self) -> Self {
        for (bucket, more) in self.buckets.iter_mut().zip(&others.buckets) {
            *bucket += more;
        }
        self.messages += others.messages;
        self.late += others.late;
        self.late_seconds += others.late_seconds;
        self.max = self.max.max(others.max);
        self
    }

    /// The wait that a share of `quantile` of the messages did not exceed, in seconds.
    pub(super) fn quantile_seconds(&self, quantile: f64) -> f64 {
        let wanted = count((real(self.messages) * quantile).ceil()).max(1);
        let mut seen = 0;
        for (bucket, messages) in self.buckets.iter().enumerate() {
            seen += messages;
            if seen >= wanted {
                return upper_bound(bucket).min(self.max).as_secs_f64();
            }
        }
        0.0
    }

    pub(super) fn max_seconds(&self) -> f64 {
        self.max.as_secs_f64()
    }

    /// Messages that waited longer than the target.
    pub(super) fn late_messages(&self) -> u64 {
        self.late
    }

    pub(super) fn late_share(&self) -> f64 {
        share(real(self.late), real(self.messages))
    }

    /// The sum over all late messages of how late they were.
    pub(super) fn late_seconds(&self) -> f64 {
        self.late_seconds
    }
}

fn bucket_of(wait: Duration) -> usize {
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    if milliseconds < STEPS {
        return usize::try_from(milliseconds).unwrap_or_default();
    }
    let doublings = u64::from(milliseconds.ilog2() - STEPS.ilog2());
    let step = (milliseconds >> doublings) - STEPS;
    usize::try_from(STEPS * (doublings + 1) + step).unwrap_or(usize::MAX)
}

/// The longest wait that falls into a bucket.
fn upper_bound(bucket: usize) -> Duration {
    let bucket = u64::try_from(bucket).unwrap_or(u64::MAX);
    if bucket < STEPS {
        return Duration::from_millis(bucket);
    }
    let (doublings, step) = (bucket / STEPS - 1, bucket % STEPS);
    Duration::from_millis(((STEPS + step + 1) << doublings) - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "whole seconds are exact")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_count_messages() {
        let mut waits = Waits::new(Duration::from_secs(10));
        waits.note(Duration::ZERO, 50);
        waits.note(Duration::from_secs(10), 49);
        waits.note(Duration::from_secs(12), 1);
        assert_eq!(waits.quantile_seconds(0.5), 0.0);
        assert!((waits.quantile_seconds(0.99) - 10.0).abs() < 0.08);
        assert_eq!(waits.quantile_seconds(1.0), 12.0);
        assert_eq!((waits.late_share(), waits.late_seconds()), (0.01, 2.0));
    }

    #[test]
    fn messages_of_two_targets_are_late_each_by_its_own() {
        let mut waits = Waits::new(Duration::from_secs(10));
        waits.note(Duration::from_secs(12), 1);
        waits.note(Duration::from_secs(1), 1);
        let mut others = Waits::new(Duration::from_secs(100));
        others.note(Duration::from_secs(90), 2);
        let all = waits.with(&others);
        assert_eq!((all.late_messages(), all.late_share()), (1, 0.25));
        assert_eq!((all.late_seconds(), all.max_seconds()), (2.0, 90.0));
        assert_eq!(all.quantile_seconds(1.0), 90.0);
    }

    proptest! {
        #[test]
        fn a_bucket_is_narrow(milliseconds in 0_u64..10_000_000_000) {
            let wait = Duration::from_millis(milliseconds);
            let upper = upper_bound(bucket_of(wait));
            prop_assert!(wait <= upper);
            prop_assert!(upper.as_secs_f64() <= wait.as_secs_f64() * (1.0 + 1.0 / 128.0) + 0.001);
        }
    }
}
