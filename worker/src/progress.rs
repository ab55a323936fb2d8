//! How the receive loop is doing: written by the loop, read by the health server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Longer than any honest turn of the receive loop: a receive takes 20 s of waiting and 10 s of margin at most, backing
/// off 30 s, and a full worker turns every 5 s.
pub const TURN_MAX: Duration = Duration::from_mins(1);

/// Shared by all its clones.
#[derive(Debug, Clone)]
pub struct Progress(Arc<watch::Sender<State>>);

#[derive(Debug, Clone, Copy)]
struct State {
    last_turn: Instant,
    phase: Phase,
}

/// What the worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No receive has been answered yet.
    Starting,
    Receiving,
    /// The last receive failed.
    Failing,
    /// Told to stop; there is no way back.
    Draining,
}

impl Default for Progress {
    fn default() -> Self {
        let state = State {
            last_turn: Instant::now(),
            phase: Phase::Starting,
        };
        Self(Arc::new(watch::Sender::new(state)))
    }
}

impl Progress {
    /// The receive loop begins a turn.
    pub fn turn(&self) {
        self.0.send_modify(|state| state.last_turn = Instant::now());
    }

    /// A receive was answered.
    pub fn receiving(&self) {
        self.enter(Phase::Receiving);
    }

    /// A receive failed.
    pub fn failing(&self) {
        self.enter(Phase::Failing);
    }

    /// The worker was told to stop.
    pub fn draining(&self) {
        self.enter(Phase::Draining);
    }

    fn enter(&self, phase: Phase) {
        self.0.send_modify(|state| {
            if state.phase != Phase::Draining {
                state.phase = phase;
            }
        });
    }

    pub fn phase(&self) -> Phase {
        self.0.borrow().phase
    }

    /// How long the receive loop has been stuck, if it has been for too long. A drain is no loop, and has its own limit.
    pub fn stuck_for(&self) -> Option<Duration> {
        let state = *self.0.borrow();
        let since = state.last_turn.elapsed();
        (state.phase != Phase::Draining && since > TURN_MAX).then_some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_does_not_go_round_is_stuck() {
        let progress = Progress::default();
        tokio::time::advance(TURN_MAX).await;
        assert_eq!(progress.stuck_for(), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(
            progress.stuck_for(),
            Some(TURN_MAX + Duration::from_secs(1))
        );
        progress.turn();
        assert_eq!(progress.stuck_for(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_may_take_longer_than_a_turn() {
        let progress = Progress::default();
        progress.draining();
        tokio::time::advance(TURN_MAX * 2).await;
        assert_eq!(progress.stuck_for(), None);
    }

    #[tokio::test]
    async fn the_phase_follows_the_last_receive() {
        let progress = Progress::default();
        assert_eq!(progress.phase(), Phase::Starting);
        progress.failing();
        assert_eq!(progress.phase(), Phase::Failing);
        progress.receiving();
        assert_eq!(progress.phase(), Phase::Receiving);
    }

    #[tokio::test]
    async fn a_draining_worker_never_becomes_ready_again() {
        let progress = Progress::default();
        progress.draining();
        progress.receiving();
        assert_eq!(progress.phase(), Phase::Draining);
    }
}
