//! All looks in a second, at most: whoever wants to look takes the next free place in a queue that
//! moves evenly, so that nobody is preferred and there are no bursts.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// So much of what was not used may be used at once.
const SAVED_MAX: Duration = Duration::from_millis(100);

/// Gives places for looks.
#[derive(Debug)]
pub(super) struct LookBudget {
    apart: Duration,
    next: Mutex<Instant>,
}

impl LookBudget {
    pub(super) fn new(looks_per_second_max: u32) -> Self {
        Self {
            apart: Duration::from_secs(1) / looks_per_second_max.max(1),
            next: Mutex::new(Instant::now()),
        }
    }

    /// When the one who asks `now` may look.
    pub(super) fn slot(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = now
            .checked_sub(SAVED_MAX)
            .map_or(*next, |oldest| oldest.max(*next));
        *next = slot + self.apart;
        slot.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn looks_beyond_the_budget_wait_their_turn_one_after_the_other() {
        tokio::time::advance(Duration::from_secs(10)).await;
        let budget = LookBudget::new(100);
        let now = Instant::now();
        let waits: Vec<Duration> = (0..300).map(|_| budget.slot(now) - now).collect();
        assert_eq!(waits[0], Duration::ZERO);
        assert!(waits.is_sorted());
        assert_eq!(waits[299], Duration::from_millis(2_990));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_used_is_saved_for_a_moment_only() {
        let budget = LookBudget::new(100);
        tokio::time::advance(Duration::from_hours(1)).await;
        let now = Instant::now();
        let at_once = (0..300).filter(|_| budget.slot(now) == now).count();
        assert_eq!(at_once, 11);
    }
}
