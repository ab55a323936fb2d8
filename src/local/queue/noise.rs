//! Which message groups of a standard queue are noisy: it goes by how many messages each has in flight, and
//! knows nothing of those that wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// A group with fewer messages in flight is no bother (SQS, "How Amazon SQS fair queues work").
pub const NOISY_IN_FLIGHT_MIN: u64 = 30;
/// A noisy group has more than one in so many of the messages in flight, so fewer than this many are loud at
/// a time.
pub const NOISY_SHARE_OF: u64 = 10;
/// A group is forgiven when it was not noisy by the measure for this long. SQS itself goes
/// by whether the group sent anything in as long; a flood that is over and still waits is better left behind.
pub const FORGIVEN_AFTER: Duration = Duration::from_mins(5);

/// The noisy groups, and those that may become so. Nothing is left of a group that has nothing in flight and
/// was forgiven.
#[derive(Debug, Default)]
pub(super) struct Noise {
    /// The messages in flight of all groups and of none.
    in_flight: u64,
    /// The groups with enough in flight to be noisy, by how much that is.
    busy: BTreeSet<(u64, Arc<str>)>,
    /// The groups that are noisy by the measure.
    loud: BTreeSet<Arc<str>>,
    /// The groups that were, each with since when they are not.
    calm: BTreeMap<Arc<str>, Duration>,
    calm_by_time: BTreeSet<(Duration, Arc<str>)>,
}

impl Noise {
    pub(super) fn is_noisy(&self, name: &Arc<str>) -> bool {
        self.loud.contains(name) || self.calm.contains_key(name)
    }

    /// The noisy groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Arc<str>> {
        self.loud.iter().chain(self.calm.keys())
    }

    /// Notes that a message was handed out.
    pub(super) fn take_off(&mut self) {
        self.in_flight += 1;
    }

    /// Notes that a message in flight came back or is gone.
    pub(super) fn land(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Notes how many messages of a group are in flight now, and were before.
    pub(super) fn note(&mut self, name: &Arc<str>, before: u64, after: u64) {
        if before == after {
            return;
        }
        if before >= NOISY_IN_FLIGHT_MIN {
            self.busy.remove(&(before, Arc::clone(name)));
        }
        if after >= NOISY_IN_FLIGHT_MIN {
            self.busy.insert((after, Arc::clone(name)));
        }
    }

    /// Takes a group for quiet that is drained.
    pub(super) fn forget(&mut self, name: &Arc<str>) {
        self.loud.remove(name);
        self.unset_calm(name);
    }

    /// Measures every group that can have changed, and says which have become noisy or were forgiven.
    pub(super) fn measure(&mut self, now: Duration) -> Vec<Arc<str>> {
        let mut changed = self.forgive(now);
        if self.busy.is_empty() && self.loud.is_empty() {
            return changed;
        }
        let loud = self.measured();
        let hushed: Vec<_> = self.loud.difference(&loud).cloned().collect();
        for name in hushed {
            self.calm_by_time.insert((now, Arc::clone(&name)));
            self.calm.insert(name, now);
        }
        for name in &loud {
            if !self.is_noisy(name) {
                changed.push(Arc::clone(name));
            }
            self.unset_calm(name);
        }
        self.loud = loud;
        changed
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let calm = self.calm.is_empty() && self.calm_by_time.is_empty();
        self.in_flight == 0 && self.busy.is_empty() && self.loud.is_empty() && calm
    }

    /// The groups that are noisy by the measure: the first of the busiest, since the share of each that
    /// follows is smaller.
    fn measured(&self) -> BTreeSet<Arc<str>> {
        let is_loud =
            |(in_flight, _): &&(u64, Arc<str>)| in_flight * NOISY_SHARE_OF > self.in_flight;
        let loud = self.busy.iter().rev().take_while(is_loud);
        loud.map(|(_, name)| Arc::clone(name)).collect()
    }

    fn forgive(&mut self, now: Duration) -> Vec<Arc<str>> {
        let mut forgiven = Vec::new();
        while let Some((since, _)) = self.calm_by_time.first()
            && *since + FORGIVEN_AFTER <= now
            && let Some((_, name)) = self.calm_by_time.pop_first()
        {
            self.calm.remove(&name);
            forgiven.push(name);
        }
        forgiven
    }

    fn unset_calm(&mut self, name: &Arc<str>) {
        if let Some(since) = self.calm.remove(name) {
            self.calm_by_time.remove(&(since, Arc::clone(name)));
        }
    }
}
