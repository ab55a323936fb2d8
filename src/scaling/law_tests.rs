//! The law in single cases: what it answers to what is believed, however that was learned.

#![allow(clippy::float_cmp, reason = "the numbers are given, not calculated")]

use std::time::Duration;

use super::histories::{given_estimate, given_law};
use crate::scaling::{Estimate, Law, LawTerm, MessageTime};

#[test]
fn the_horizon_is_the_target_less_what_starting_takes() {
    let law = |seconds| Law {
        target_wait: Duration::from_secs(seconds),
        ..given_law()
    };
    for (target, horizon) in [(60, 30), (300, 216), (900, 768), (1, 1)] {
        assert_eq!(
            law(target).horizon(),
            Duration::from_secs(horizon),
            "{target}"
        );
    }
}

/// Once found by chance: the shortest target that is tried, and work of six seconds.
#[test]
fn the_steady_state_of_a_short_target_needs_no_more_than_the_work() {
    let law = Law {
        target_wait: Duration::from_mins(2),
        concurrency: Some(4),
        message: None,
        ..given_law()
    };
    let (rate, seconds) = (2.276_325_546_767_536_5, 6.280_725_580_906_876);
    let estimate = Estimate {
        visible: 0.5 * rate * law.horizon().as_secs_f64(),
        in_flight: rate * seconds,
        message: Some(MessageTime {
            seconds,
            deletions: 100.0,
            is_at_most: false,
        }),
        arrivals_per_second: rate,
        concurrency: 4.0,
        ..given_estimate()
    };
    let (answer, wanted) = (law.answer(&estimate, 5.0).needed, rate * seconds / 4.0);
    assert!(
        (answer / wanted - 1.0).abs() < 0.02,
        "{answer} for {wanted}"
    );
}

/// Waiting, in flight, in flight at the first look, and the replicas by which that is answered.
#[test]
fn replicas_that_were_found_at_work_stay_while_nothing_is_known_of_it() {
    let table = [
        (5.0, 10.0, 10.0, 10.0),
        (0.0, 2.0, 10.0, 2.0),
        (5.0, 10.0, 0.0, 3.0),
        (100.0, 10.0, 0.0, 3.0),
        (100.0, 10.0, 2.0, 3.0),
    ];
    for (visible, in_flight, found_in_flight, expected) in table {
        let estimate = Estimate {
            visible,
            in_flight,
            found_in_flight,
            ..given_estimate()
        };
        let needed = given_law().answer(&estimate, 5.0).needed;
        assert!((needed - expected).abs() < 1e-9, "{needed}: {estimate:?}");
    }
}

/// In flight, found at work at the start, replicas that can exist, and those by which that is answered.
#[test]
fn replicas_that_were_found_at_work_stay_while_their_messages_are_there() {
    let table = [
        (10.0, 10.0, None, 10.0),
        (4.0, 10.0, None, 4.0),
        (10.0, 10.0, Some(6.0), 6.0),
    ];
    let message = Some(MessageTime {
        seconds: 1.0,
        deletions: 100.0,
        is_at_most: false,
    });
    for (in_flight, taken_over, replicas_max, needed) in table {
        let estimate = Estimate {
            in_flight,
            taken_over,
            message,
            replicas_max,
            ..given_estimate()
        };
        let answer = given_law().answer(&estimate, 5.0);
        assert_eq!(answer.bound_by, LawTerm::TakenOver, "{answer:?}");
        assert_eq!(answer.needed, needed, "{answer:?}");
        let later = Estimate {
            taken_over: 0.0,
            ..estimate
        };
        let answer = given_law().answer(&later, 5.0);
        assert_eq!(answer.bound_by, LawTerm::TargetWait, "{answer:?}");
    }
}

/// The target, since when there has been traffic and since when it has been worked on, in seconds, and the
/// replicas that are tried.
#[test]
fn no_more_is_tried_before_the_first_replicas_work_while_the_target_leaves_time() {
    let table = [
        (300, 0, None, 3.0),
        (300, 120, None, 3.0),
        (300, 276, None, 12.0),
        (300, 120, Some(29), 3.0),
        (300, 120, Some(60), 12.0),
        (300, 120, Some(89), 12.0),
        (300, 120, Some(120), 48.0),
        (60, 60, None, 12.0),
        (900, 180, Some(120), 12.0),
    ];
    for (target, traffic_for, worked_for, expected) in table {
        let law = Law {
            target_wait: Duration::from_secs(target),
            ..given_law()
        };
        let estimate = Estimate {
            visible: 10_000.0,
            traffic_for: Some(Duration::from_secs(traffic_for)),
            worked_for: worked_for.map(Duration::from_secs),
            ..given_estimate()
        };
        let needed = law.answer(&estimate, 5.0).needed;
        assert!((needed - expected).abs() < 1e-9, "{needed}: {estimate:?}");
    }
}

/// What a fall of the counts shows may be far too long, when as many messages came as were done.
#[test]
fn a_time_at_most_lowers_what_is_tried_and_never_raises_it() {
    let needed = |seconds: f64, is_at_most: bool| {
        let estimate = Estimate {
            visible: 10_000.0,
            message: Some(MessageTime {
                seconds,
                deletions: 100.0,
                is_at_most,
            }),
            worked_for: Some(Duration::from_secs(30)),
            concurrency: 4.0,
            ..given_estimate()
        };
        let answer = given_law().answer(&estimate, 5.0);
        (answer.needed, answer.bound_by)
    };
    let (tried, bound_by) = needed(100.0, true);
    assert_eq!((tried, bound_by), (6.0, LawTerm::Learning));
    let (known, bound_by) = needed(100.0, false);
    assert!(known > 100.0 && bound_by == LawTerm::TargetWait, "{known}");
    let few = needed(0.1, true);
    assert_eq!(few, needed(0.1, false));
    assert!(few.0 < tried, "{few:?}");
}
