//! How many messages arrive, and how many are about to.

use std::time::Duration;

use super::{Estimator, MessageTime, history::Reading};

/// Arrivals are counted over the horizon, within these bounds.
const ARRIVALS_OVER: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(10)];

/// Over less than this nothing can be said of arrivals.
const ARRIVALS_OVER_MIN: Duration = Duration::from_secs(30);

impl Estimator {
    /// The growth of what is there, and what was done meanwhile. Only what goes on in both halves of
    /// the window is a rate: a batch that came at once is there to be counted, and nothing follows it.
    pub(super) fn arrivals_per_second(
        &self,
        now: Duration,
        message: Option<MessageTime>,
        replicas_max: Option<f64>,
    ) -> f64 {
        let rate = || {
            let [least, most] = ARRIVALS_OVER;
            let seen_for = now.saturating_sub(self.history.first()?.at);
            let window = self.law.horizon().clamp(least, most).min(seen_for);
            let (from, middle) = (now.saturating_sub(window), now.saturating_sub(window / 2));
            let half = |from: Duration, until: Duration| {
                let growth = self.history.messages_at(until)? - self.history.messages_at(from)?;
                let in_flight = self.history.mean_in_flight(from, until)?;
                let done = self.busy_slots(in_flight, replicas_max) / message?.seconds;
                Some(growth.min(0.0) / (window / 2).as_secs_f64() + done)
            };
            let is_enough = window >= ARRIVALS_OVER_MIN;
            is_enough.then_some(half(from, middle)?.min(half(middle, now)?))
        };
        rate().unwrap_or(0.0).max(0.0)
    }

    /// Delayed messages that were there when those that are due now were sent. A queue's delay is the
    /// same for all but those that have one of their own.
    pub(super) fn due(&self, now: Duration, reading: Reading) -> f64 {
        let Some(delay) = self.delay.filter(|delay| !delay.is_zero()) else {
            return 0.0;
        };
        let waited = delay.saturating_sub(self.law.startup);
        let then = self.history.at(now.saturating_sub(waited));
        then.map_or(0.0, |then| then.delayed.min(reading.delayed))
    }
}
