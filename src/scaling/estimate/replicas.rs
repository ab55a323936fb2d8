//! The replicas that can exist, and how many messages these can hold.

use std::time::Duration;

use super::{Estimator, concurrency::Held};

/// With so many times as many slots as groups are worked on, the groups are the limit.
const GROUPS_OUTNUMBERED_BY: f64 = 1.5;

/// A replica that was asked for may still be there so long after: the autoscaler holds it.
const REPLICAS_REMEMBERED: Duration = Duration::from_mins(5);

/// What all readings of so long say of messages in flight and of ready replicas is certain.
const AT_LEAST_WITHIN: Duration = Duration::from_secs(30);

/// The autoscaler leaves what is within 10 % of what is wanted.
pub(super) const AUTOSCALER_TOLERANCE: f64 = 1.1;

/// What was asked for this long before a stall was seen is still taken for what it asked for.
const ASKED_BEFORE_STALL: Duration = Duration::from_mins(10);

impl Estimator {
    /// Messages that a replica works on at once, as believed.
    pub(super) fn concurrency(&self) -> f64 {
        let doubted = self.doubt.believed();
        doubted.unwrap_or_else(|| self.concurrency.messages())
    }

    /// Whether it is more than an assumption or a doubt.
    pub(super) fn is_concurrency_known(&self) -> bool {
        self.doubt.believed().is_none() && self.concurrency.is_known()
    }

    /// What a ready replica holds while messages wait is what it can hold. Not on FIFO queues, whose
    /// groups limit what is in flight.
    pub(super) fn learn_concurrency(&mut self, now: Duration, in_flight: f64, ready: f64) {
        let held = if self.is_work_clean() {
            Held::AtWork
        } else {
            Held::AtMost
        };
        let recent = now.saturating_sub(AT_LEAST_WITHIN);
        let most = self.ready.most_within(recent, now).unwrap_or(ready);
        if most >= 1.0 {
            let least = self.history.least_in_flight_since(recent);
            self.concurrency.note_at_least(least / most, held);
        }
        let since = now.saturating_sub(self.concurrency.settles_in());
        let is_steady = self
            .ready
            .within(since, now)
            .all(|before| (before - ready).abs() < 0.5);
        if self.law.fifo_groups.is_none()
            && ready >= 1.0
            && is_steady
            && self.history.have_waited_since(since)
        {
            self.concurrency.note(in_flight / ready, held);
        }
    }

    /// The most that can exist at `at`: what was ready then, else the most that was asked for.
    pub(super) fn replicas_max(&self, at: Duration) -> Option<f64> {
        if let Some(ready) = self.ready.last_by(at) {
            return Some(ready.max(1.0));
        }
        let from = at.saturating_sub(REPLICAS_REMEMBERED);
        // Before the first answer there may be any number, unless the queue began empty.
        self.asked
            .first()
            .filter(|first| first.at <= from || first.number <= 0.0)?;
        let most = self.asked.most_within(from, at).unwrap_or(0.0);
        Some((most * AUTOSCALER_TOLERANCE).ceil().max(1.0))
    }

    /// Groups are the limit when there are slots enough for more.
    pub(super) fn are_the_limit(&self, groups: f64, replicas_max: Option<f64>) -> bool {
        let slots = replicas_max.map(|most| most * self.concurrency());
        slots.is_some_and(|slots| slots >= GROUPS_OUTNUMBERED_BY * groups)
    }

    /// A message in flight that no replica can hold was abandoned by one.
    pub(super) fn busy_slots(&self, in_flight: f64, replicas_max: Option<f64>) -> f64 {
        replicas_max.map_or(in_flight, |most| in_flight.min(most * self.concurrency()))
    }

    pub(super) fn asked_before(&self, stall: Duration) -> f64 {
        let asked = self.asked.most_within(
            stall.saturating_sub(ASKED_BEFORE_STALL),
            stall + Duration::from_secs(15),
        );
        asked.unwrap_or(1.0).max(1.0)
    }
}
