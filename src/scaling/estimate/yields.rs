//! Whether more replicas get more done.

use super::{Estimator, Minute};

/// So many minutes are held against one another.
const YIELDS_KEPT: usize = 6;

/// With so many times the replicas, this share of the expected gain must be seen.
const REPLICAS_MORE: f64 = 1.5;
const GAIN_SHARE_MIN: f64 = 0.1;

/// What got done in a minute in which messages waited, with how many replicas, and how many messages
/// these had in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Yield {
    replicas: f64,
    in_flight: f64,
    deleted: f64,
}

impl Yield {
    /// Whether many more replicas got hardly more done. Those that have no more in flight never came, or
    /// were there before: the autoscaler holds for a while what is not asked for any more.
    fn is_no_more_than(&self, before: &Self) -> bool {
        let asked = self.replicas / before.replicas.max(1.0);
        let ratio = asked.min(self.in_flight / before.in_flight.max(1.0));
        let expected = before.deleted * (1.0 + GAIN_SHARE_MIN * (ratio - 1.0));
        before.deleted > 0.0 && ratio >= REPLICAS_MORE && self.deleted < expected
    }
}

impl Estimator {
    /// Holds what gets done now against what got done with fewer replicas. Only minutes in which messages
    /// waited all the time tell; of others nothing is said to be `in_flight`.
    pub(super) fn learn_yield(&mut self, minute: &Minute, in_flight: Option<f64>) {
        let settled = minute.from.saturating_sub(self.law.startup);
        let replicas = self.asked.least_within(settled, minute.until());
        let (Some(replicas), Some(deleted), Some(in_flight)) =
            (replicas, minute.deleted, in_flight)
        else {
            self.yields.clear();
            self.ineffective_above = None;
            return;
        };
        let now = Yield {
            replicas,
            in_flight,
            deleted,
        };
        let is_ineffective = self.yields.iter().any(|before| now.is_no_more_than(before));
        self.ineffective_above = is_ineffective.then_some(replicas);
        self.yields.push(now);
        if self.yields.len() > YIELDS_KEPT {
            self.yields.remove(0);
        }
    }
}
