//! What KEDA saw at each second of a run, the rules that hold for all of it, and the row that shows it.

use std::fmt::Write as _;

use tonic::Code;

use crate::keda::Poll;

/// Whether something was wrong while a poll was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Before,
    During,
    After,
}

/// The polls of one run, one a second.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) fault: &'static str,
    pub(crate) seconds: Vec<(Phase, Poll)>,
    /// Requests that reached the other side while the fault lasted, or connections where none could.
    pub(crate) requests: u64,
}

impl Answers {
    pub(crate) fn new(fault: &'static str) -> Self {
        Self {
            fault,
            seconds: Vec::new(),
            requests: 0,
        }
    }

    /// `backlog` waits all the time, and no more than `cap` may ever be asked for.
    pub(crate) fn assert_safe(&self, backlog: f64, cap: f64) {
        for (second, (phase, poll)) in self.seconds.iter().enumerate() {
            let at = format!("{}, second {second}, {phase:?}: {poll:?}", self.fault);
            if let Ok(is_active) = poll.active {
                assert!(is_active, "inactive while work waits: {at}");
            }
            if let Ok(value) = poll.value {
                assert!(value >= backlog, "lower than what waits: {at}");
                assert!(value <= cap, "above the cap: {at}");
            }
            for code in [poll.active.err(), poll.value.err()].into_iter().flatten() {
                assert_eq!(
                    code,
                    Code::Unavailable,
                    "KEDA must know that it is not known: {at}"
                );
            }
        }
    }

    /// KEDA's fallback needs an error; knowledge that is too old must not hide that nothing is known.
    pub(crate) fn assert_told_as_error(&self) {
        let mut during = self
            .seconds
            .iter()
            .filter(|(phase, _)| *phase == Phase::During);
        assert!(
            during.any(|(_, poll)| poll.value.is_err()),
            "{}: never an error",
            self.fault
        );
    }

    pub(crate) fn assert_never_an_error(&self) {
        let failed = self.seconds.iter().find(|(_, poll)| poll.value.is_err());
        assert_eq!(failed, None, "{}", self.fault);
    }

    /// Seconds after the fault until an answer came again.
    pub(crate) fn recovered_after(&self) -> Option<usize> {
        let mut after = self
            .seconds
            .iter()
            .filter(|(phase, _)| *phase == Phase::After);
        after.position(|(_, poll)| poll.value.is_ok() && poll.active.is_ok())
    }

    /// `40 40 | 40 40 ! ! ! | 40`: values, and `!` where it was an error; between the bars the fault.
    pub(crate) fn row(&self) -> String {
        let mut row = format!("{:<34}", self.fault);
        let mut last = Phase::Before;
        for (phase, poll) in &self.seconds {
            if *phase != last {
                row += " |";
                last = *phase;
            }
            let told = match (poll.active, poll.value) {
                (Ok(_), Ok(value)) => write!(row, " {value}"),
                (Err(_), Ok(value)) => write!(row, " {value}?"),
                (_, Err(_)) => write!(row, " !"),
            };
            told.expect("a string takes all that is written to it");
        }
        format!("{row}   ({} requests during it)", self.requests)
    }
}
