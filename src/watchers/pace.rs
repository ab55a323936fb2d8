//! When a queue is looked at next. Pure: time is passed in.

use std::time::Duration;

use tokio::time::Instant;

use crate::cache::Sample;

/// After so long without a message a queue is looked at less often, the longest time first.
const LADDER: [(Duration, Duration); 3] = [
    // As often as KEDA asks about a queue that is at work: a queue that is never used must not cost more.
    (Duration::from_hours(24), Duration::from_secs(10)),
    (Duration::from_hours(6), Duration::from_secs(5)),
    (Duration::from_hours(1), Duration::from_secs(2)),
];

/// A faint sign of work is confirmed after this share of the interval: soon enough that half of all
/// lone messages wake their workload within a second, and a request of its own.
const CONFIRM_AFTER: f64 = 0.4;

/// What somebody else has just seen need not be looked at again.
const SHORTEST: f64 = 0.5;

/// A queue that is at work and that nobody has polled for so long is looked at all the same. The
/// autoscaler polls every 15 s.
const UNPOLLED_MAX: Duration = Duration::from_secs(20);

/// A queue that cannot be read is asked twice as late each time, but not later than this.
const BACK_OFF_MAX: Duration = Duration::from_mins(1);

/// Two to this power is beyond any back-off.
const DOUBLINGS_MAX: u32 = 16;

/// What a queue is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// Somebody waits for work.
    Idle,
    /// There may be work.
    Doubtful,
    /// Nobody waits for work.
    Active,
}

/// The pace of one watcher.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    origin: Instant,
    /// This watcher's place within an interval, as a share of it.
    place: f64,
    failures: u32,
    rests_until: Option<Instant>,
}

impl Pace {
    /// The pace of the watcher started as number `started`.
    pub(super) fn new(interval: Duration, origin: Instant, started: u64) -> Self {
        Self {
            interval,
            origin,
            place: spread(started),
            failures: 0,
            rests_until: None,
        }
    }

    /// Younger than this, a sample makes a look needless.
    pub(super) fn shortest(&self) -> Duration {
        self.interval.mul_f64(SHORTEST.min(CONFIRM_AFTER) * 0.9)
    }

    /// Takes note of a look, that did or did not succeed.
    pub(super) fn looked(&mut self, is_seen: bool, now: Instant) {
        self.failures = if is_seen {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let rest = if is_seen {
            self.shortest()
        } else {
            self.back_off().mul_f64(1.0 - fastrand::f64() / 2.0)
        };
        self.rests_until = Some(now + rest);
    }

    fn back_off(&self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures.min(DOUBLINGS_MAX));
        self.interval
            .saturating_mul(doubled)
            .min(BACK_OFF_MAX.max(self.interval))
    }

    /// When to look next, after `last`.
    pub(super) fn due(&self, last: Option<&Sample>, watching: Watching, now: Instant) -> Instant {
        let seen_at = last.map(|sample| sample.asked_at);
        let due = match (watching, seen_at) {
            (Watching::Active, seen_at) => seen_at.unwrap_or(now) + UNPOLLED_MAX,
            (_, None) => now,
            (Watching::Doubtful, Some(seen_at)) => seen_at + self.interval.mul_f64(CONFIRM_AFTER),
            (Watching::Idle, Some(seen_at)) => self.after(seen_at, self.interval(last, now)),
        };
        self.rests_until.map_or(due, |rested| rested.max(due))
    }

    /// The interval for a queue that has been empty for so long.
    fn interval(&self, last: Option<&Sample>, now: Instant) -> Duration {
        let empty_since = last.and_then(|sample| sample.empty_since);
        let empty_for =
            empty_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let step = LADDER.iter().find(|(after, _)| empty_for >= *after);
        step.map_or(self.interval, |(_, slow)| self.interval.max(*slow))
    }

    /// This watcher's place in the interval after the one of `seen_at`. The places of all watchers are
    /// spread over the interval, so that they never look together.
    fn after(&self, seen_at: Instant, interval: Duration) -> Instant {
        let earliest = seen_at + interval.mul_f64(SHORTEST);
        let place = self.origin + interval.mul_f64(self.place);
        let since = earliest.saturating_duration_since(place).as_nanos();
        let intervals = since.div_ceil(interval.as_nanos().max(1));
        place + interval.saturating_mul(u32::try_from(intervals).unwrap_or(u32::MAX))
    }
}

/// The fractional parts of the multiples of the golden ratio: however many there are, and whichever
/// of them go, those that stay are spread evenly.
fn spread(number: u64) -> f64 {
    /// The golden ratio's fractional part, in 2^64ths.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let high = u32::try_from(number.wrapping_mul(STEP) >> 32).unwrap_or(0);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
