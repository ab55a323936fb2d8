//! Numbers of replicas over the last minutes. Bounded in time and number.

use std::{collections::VecDeque, time::Duration};

use super::history::{KEPT_FOR, slot};

/// Replicas, asked for or ready, at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Replicas {
    pub(super) at: Duration,
    pub(super) number: f64,
}

/// Numbers of replicas over the last minutes, oldest first; of each slot the largest.
#[derive(Debug, Clone, Default)]
pub(super) struct ReplicaHistory(VecDeque<Replicas>);

impl ReplicaHistory {
    pub(super) fn note(&mut self, at: Duration, number: f64) {
        let oldest = at.saturating_sub(KEPT_FOR);
        while self.0.pop_front_if(|first| first.at < oldest).is_some() {}
        while self.0.pop_back_if(|last| last.at > at).is_some() {}
        match self.0.back_mut() {
            Some(newest) if slot(newest.at) == slot(at) => {
                newest.number = newest.number.max(number);
            }
            _ => self.0.push_back(Replicas { at, number }),
        }
    }

    pub(super) fn first(&self) -> Option<&Replicas> {
        self.0.front()
    }

    pub(super) fn within(&self, from: Duration, until: Duration) -> impl Iterator<Item = f64> {
        self.0
            .iter()
            .rev()
            .skip_while(move |replicas| replicas.at > until)
            .take_while(move |replicas| replicas.at >= from)
            .map(|replicas| replicas.number)
    }

    pub(super) fn least_within(&self, from: Duration, until: Duration) -> Option<f64> {
        self.within(from, until).reduce(f64::min)
    }

    pub(super) fn most_within(&self, from: Duration, until: Duration) -> Option<f64> {
        self.within(from, until).reduce(f64::max)
    }

    /// Since when it has been `least` all the time, rounded up as the autoscaler does; None when it is not, and
    /// when that began before anything was noted.
    pub(super) fn at_least_since(&self, least: f64) -> Option<Duration> {
        let is_enough = |replicas: &&Replicas| replicas.number.ceil() >= least;
        let enough = self.0.iter().rev().take_while(is_enough);
        let since = enough.last()?.at;
        (since > self.first()?.at).then_some(since)
    }

    /// The last that was noted by `at`.
    pub(super) fn last_by(&self, at: Duration) -> Option<f64> {
        self.within(Duration::ZERO, at).next()
    }
}
