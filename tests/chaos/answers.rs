//! What KEDA saw at each second of a run, the rules that hold for all of it, and the row that shows it.

use std::time::Duration;

use tonic::Code;

use crate::keda::Poll;
use crate::scaler::{FAILURE_MEMORY, TIME_TO_LIVE};

/// One request and one retry.
const ATTEMPTS: u64 = 2;
/// Of so many answers one may be an error while nothing is wrong with what the answer depends on.
const ERRORS_ONE_IN: usize = 15;
/// More cells of a kind than a short run has.
const SHOWN_MAX: usize = 30;

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

    /// A law that knows nothing yet feels its way up, and from what it has asked for once it does not go back.
    pub(crate) fn assert_never_falls(&self) {
        let values = self.seconds.iter().filter_map(|(_, poll)| poll.value.ok());
        assert!(values.is_sorted(), "lower than before: {}", self.row());
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

    /// What is known does not depend on the fault. A machine that is busy for longer than the short staleness bound makes an
    /// error of it now and then.
    pub(crate) fn assert_hardly_ever_an_error(&self) {
        let failed = self.seconds.iter().filter(|(_, poll)| poll.value.is_err());
        let failed = failed.count();
        assert!(
            failed * ERRORS_ONE_IN <= self.seconds.len(),
            "{failed} errors: {}",
            self.row()
        );
    }

    /// No more was asked for in the time that the fault `lasted` than once in each memory of a failure.
    pub(crate) fn assert_no_storm(&self, lasted: Duration) {
        let each = FAILURE_MEMORY.min(TIME_TO_LIVE).as_millis();
        let fetches = u64::try_from(lasted.as_millis() / each).unwrap() + 2;
        assert!(
            self.requests <= fetches * ATTEMPTS,
            "a storm: {}",
            self.row()
        );
    }

    /// Seconds after the fault until an answer came again.
    pub(crate) fn recovered_after(&self) -> Option<usize> {
        let mut after = self
            .seconds
            .iter()
            .filter(|(phase, _)| *phase == Phase::After);
        after.position(|(_, poll)| poll.value.is_ok() && poll.active.is_ok())
    }

    /// `40 40 | 40 40 ! ! ! | 40`: values, and `!` where it was an error; between the bars the fault. Of what stays the
    /// same for long it says how often.
    pub(crate) fn row(&self) -> String {
        let mut row = format!("{:<34}", self.fault);
        let mut last = Phase::Before;
        for same in self.seconds.chunk_by(|one, other| one == other) {
            let (phase, poll) = same[0];
            if phase != last {
                row += " |";
                last = phase;
            }
            let cell = cell(poll);
            let cells = match same.len() {
                times if times > SHOWN_MAX => format!(" {cell} ({times} times)"),
                times => format!(" {cell}").repeat(times),
            };
            row.push_str(&cells);
        }
        format!("{row}   ({} requests during it)", self.requests)
    }
}

fn cell(poll: Poll) -> String {
    match (poll.active, poll.value) {
        (Ok(_), Ok(value)) => value.to_string(),
        (Err(_), Ok(value)) => format!("{value}?"),
        (_, Err(_)) => "!".to_owned(),
    }
}
