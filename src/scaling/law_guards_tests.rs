//! What keeps the law from believing too much, and from keeping too much, in single cases.

#![allow(clippy::float_cmp, reason = "the numbers are given, not calculated")]

use std::time::Duration;

use super::histories::{Scaler, given_law, seen};
use crate::scaling::{Backlog, Estimate, Estimator, LawTerm, Minute, Seen};

#[test]
fn one_low_reading_is_not_believed_and_two_are() {
    let mut scaler = Scaler::under(given_law());
    scaler.poll((1_000, 0), &[]);
    scaler = scaler.after(15);
    assert_eq!(
        scaler.poll((0, 0), &[]).law.unwrap().estimate.visible,
        500.0
    );
    scaler = scaler.after(15);
    let decision = scaler.poll((0, 0), &[]);
    assert_eq!(decision.law.unwrap().bound_by, LawTerm::Empty);
    assert!(!decision.is_active);
}

#[test]
fn messages_that_fail_are_told_and_noise_is_not() {
    for (deleted, expected) in [(900.0, Some(0.25)), (1_150.0, None)] {
        let mut scaler = Scaler::under(given_law());
        let mut share = None;
        for _ in 0..4 {
            let from = scaler.now;
            for _ in 0..4 {
                scaler.poll((100, 20), &[]);
                scaler = scaler.after(15);
            }
            let published = Minute {
                from,
                received: Some(1_200.0),
                deleted: Some(deleted),
                ..Minute::default()
            };
            let law = scaler.poll((100, 20), &[published]).law.unwrap();
            share = law.estimate.failing_share;
        }
        assert_eq!(share, expected, "{deleted}");
    }
}

/// Twenty found at work, of whose messages half are done when the second look is taken.
fn taken_over_at(second: u64) -> Estimate {
    let mut estimator = Estimator::new(given_law());
    let begin = Duration::from_mins(20_000);
    let look = |in_flight| Backlog {
        in_flight,
        ..Backlog::default()
    };
    let mut last = None;
    for (after, backlog) in [(0, look(20)), (second, look(10))] {
        last = Some(estimator.observe(begin + Duration::from_secs(after), &seen(&backlog)));
    }
    last.unwrap()
}

#[test]
fn what_was_found_at_work_counts_for_a_window_of_the_autoscaler() {
    assert_eq!(taken_over_at(299).taken_over, 20.0);
    assert_eq!(taken_over_at(300).taken_over, 0.0);
}

/// Four replicas for four minutes, then eight; as much is done all the time.
fn ineffective_above(in_flight_before: i64, in_flight_after: i64) -> Option<f64> {
    let mut estimator = Estimator::new(given_law());
    let begin = Duration::from_mins(20_000);
    let mut last = None;
    for second in (0..480).step_by(15) {
        let now = begin + Duration::from_secs(second);
        let is_after = second >= 240;
        let backlog = Backlog {
            visible: 5_000,
            in_flight: if is_after {
                in_flight_after
            } else {
                in_flight_before
            },
            delayed: 0,
        };
        let minute = (second % 60 == 0 && second > 0).then(|| Minute {
            from: now.saturating_sub(Minute::LENGTH),
            received: Some(2_400.0),
            deleted: Some(2_400.0),
            ..Minute::default()
        });
        let seen = Seen {
            minutes: minute.as_slice(),
            ..seen(&backlog)
        };
        last = Some(estimator.observe(now, &seen));
        estimator.asked(now, if is_after { 8.0 } else { 4.0 });
    }
    last?.ineffective_above
}

#[test]
fn more_replicas_that_get_no_more_done_are_ineffective_only_when_they_are_at_work() {
    assert_eq!(ineffective_above(40, 80), Some(8.0));
    assert_eq!(ineffective_above(40, 42), None);
    assert_eq!(ineffective_above(80, 80), None);
}

/// As text what is kept is as long after an hour of looks as after twenty minutes.
#[test]
fn what_is_kept_does_not_grow_with_time() {
    let mut scaler = Scaler::under(given_law());
    let mut size_after = |polls: u64| {
        for poll in 0..polls {
            let minute = (poll % 60 == 0).then(|| Minute {
                from: scaler.now,
                received: Some(600.0),
                deleted: Some(600.0),
                ..Minute::default()
            });
            scaler.poll((5_000, 500), minute.as_slice());
            scaler = scaler.after(1);
        }
        format!("{:?}", scaler.estimator).len()
    };
    let (early, late) = (size_after(1_200), size_after(2_400));
    assert!(late * 4 <= early * 5, "{early} bytes as text became {late}");
}
