//! When a push stream says what: the state on open, then only inactive -> active edges. Pure.
//!
//! KEDA restarts a workload's cooldown with every `true` it is pushed, so one that is repeated while
//! there is work would keep the workload from ever scaling to zero.

use std::time::Duration;

/// KEDA drops a push that comes before it has written the metric's name into the object's status, so
/// an edge is repeated after these times, while it holds.
const RESENDS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

/// What one stream has said so far.
#[derive(Debug, Default)]
pub(super) struct ActivityEdges {
    said: Option<bool>,
    edge_at: Duration,
    resends: usize,
}

impl ActivityEdges {
    /// What to say at `now`, a time since any fixed moment, when the queue is known to be `is_active`.
    pub(super) fn next(&mut self, is_active: bool, now: Duration) -> Option<bool> {
        let before = self.said.replace(is_active);
        match (before, is_active) {
            (None, _) => {
                self.resends = RESENDS.len();
                Some(is_active)
            }
            (Some(false), true) => {
                (self.edge_at, self.resends) = (now, 0);
                Some(true)
            }
            (Some(true), true) => self.resend(now).then_some(true),
            (Some(_), false) => None,
        }
    }

    /// The state that was known last, if one was.
    pub(super) fn said(&self) -> Option<bool> {
        self.said
    }

    /// When the last edge is to be repeated, if it still holds then.
    pub(super) fn resend_at(&self) -> Option<Duration> {
        let after = RESENDS.get(self.resends)?;
        (self.said == Some(true)).then(|| self.edge_at.saturating_add(*after))
    }

    fn resend(&mut self, now: Duration) -> bool {
        let since_edge = now.saturating_sub(self.edge_at);
        let is_due = RESENDS
            .get(self.resends)
            .is_some_and(|after| since_edge >= *after);
        self.resends += usize::from(is_due);
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said in each second, for the state in each second.
    fn said(states: &[bool]) -> Vec<Option<bool>> {
        let mut edges = ActivityEdges::default();
        (0_u64..)
            .zip(states)
            .map(|(at, &state)| edges.next(state, Duration::from_secs(at)))
            .collect()
    }

    #[test]
    fn the_state_is_said_at_once_and_then_only_edges() {
        assert_eq!(said(&[false, false, true]), [Some(false), None, Some(true)]);
        assert_eq!(
            said(&[true, true, true, true]),
            [Some(true), None, None, None]
        );
        assert_eq!(said(&[true, false, true]), [Some(true), None, Some(true)]);
    }

    #[test]
    fn an_edge_is_repeated_twice_and_never_again() {
        let mut states = vec![true; 600];
        states.insert(0, false);
        let trues: Vec<usize> = said(&states)
            .iter()
            .enumerate()
            .filter(|(_, said)| **said == Some(true))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(trues, [1, 3, 11]);
    }

    #[test]
    fn it_is_known_when_a_repetition_is_due() {
        let mut edges = ActivityEdges::default();
        let at = |seconds| Some(Duration::from_secs(seconds));
        let mut due = |second, is_active| {
            edges.next(is_active, Duration::from_secs(second));
            edges.resend_at()
        };
        assert_eq!((due(0, false), due(5, true)), (None, at(7)));
        assert_eq!((due(8, true), due(20, true)), (at(15), None));
        assert_eq!((due(30, false), due(31, true)), (None, at(33)));
        assert_eq!(due(32, false), None);
    }

    #[test]
    fn an_edge_that_is_over_is_not_repeated() {
        assert_eq!(
            said(&[false, true, false, false]),
            [Some(false), Some(true), None, None]
        );
    }
}
