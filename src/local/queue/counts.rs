//! How many messages a queue has in each state, and what became of the others.

use std::time::Duration;

use super::message::State;

/// The messages of a queue by state, exact at the time they were asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

impl Counts {
    pub fn total(&self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }

    pub(super) fn add(&mut self, other: Self) {
        self.visible += other.visible;
        self.in_flight += other.in_flight;
        self.delayed += other.delayed;
    }

    /// What is left when `part` is taken away.
    pub(super) fn without(self, part: Self) -> Self {
        Self {
            visible: self.visible.saturating_sub(part.visible),
            in_flight: self.in_flight.saturating_sub(part.in_flight),
            delayed: self.delayed.saturating_sub(part.delayed),
        }
    }

    pub(super) fn change(&mut self, from: State, to: State) {
        self.remove(from);
        *self.of(to) += 1;
    }

    pub(super) fn remove(&mut self, state: State) {
        let count = self.of(state);
        *count = count.saturating_sub(1);
    }

    fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Delayed => &mut self.delayed,
            State::Visible => &mut self.visible,
            State::InFlight => &mut self.in_flight,
        }
    }
}

/// What a standard queue has of its message groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fairness {
    pub noisy_groups: u64,
    /// The messages of all other groups, and those without a group.
    pub quiet: Counts,
    /// The age of the oldest of these, as [`Queue::oldest_age`](super::Queue::oldest_age) means it.
    pub quiet_oldest_age: Option<Duration>,
}

/// Everything a queue has done since it was created. At any time
/// `sent + moved_in = counts.total() + deleted + moved_out + expired + purged`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub sent: u64,
    /// Messages handed out, each time anew when one is handed out again.
    pub received: u64,
    pub deleted: u64,
    pub moved_in: u64,
    pub moved_out: u64,
    pub expired: u64,
    pub purged: u64,
}
