//! What a fair queue's minutes tell of its groups, in single cases.

#![allow(clippy::float_cmp, reason = "the numbers are given, not calculated")]

use super::*;
use crate::scaling::{Backlog, Law};

const BEGIN: Duration = Duration::from_mins(20_000);

/// A minute after which 1,000 messages waited on average, 10 of them of quiet groups.
fn given_minute() -> Minute {
    Minute {
        from: BEGIN,
        visible: Some(1_000.0),
        noisy_groups: Some(2.0),
        quiet_visible: Some(10.0),
        quiet_in_flight: Some(6.0),
        ..Minute::default()
    }
}

fn given_law() -> Law {
    Law {
        target_wait: Duration::from_mins(5),
        startup: Law::STARTUP,
        concurrency: Some(1),
        message: Some(Duration::from_secs(2)),
        fifo_groups: None,
        noisy_wait: Some(Duration::from_hours(1)),
    }
}

/// What is believed when `visible` messages wait so long after the end of the first minute.
fn noisy(law: Law, (visible, after): (i64, Duration), minutes: &[Minute]) -> Option<NoisyGroups> {
    let backlog = Backlog {
        visible,
        in_flight: 40,
        ..Backlog::default()
    };
    let seen = Seen {
        backlog: &backlog,
        minutes,
        ready_replicas: None,
        delay: None,
    };
    let now = BEGIN + Minute::LENGTH + after;
    Estimator::new(law).observe(now, &seen).noisy
}

const LATER: Duration = Duration::from_secs(KNOWN_FOR.as_secs() + 1);
const SOON: Duration = Duration::from_secs(100);

#[test]
fn what_waits_now_is_theirs_by_the_share_of_then() {
    for (visible, expected) in [(1_000, 990.0), (1_500, 1_485.0), (500, 495.0), (0, 0.0)] {
        let noisy = noisy(given_law(), (visible, SOON), &[given_minute()]).unwrap();
        assert_eq!((noisy.visible, noisy.groups), (expected, 2.0), "{visible}");
    }
}

#[test]
fn the_oldest_of_the_quiet_ones_presses_by_its_age_of_then() {
    let age = Duration::from_secs(40);
    let minute = Minute {
        quiet_oldest_age: Some(age),
        ..given_minute()
    };
    let told = |minute| noisy(given_law(), (1_000, SOON), &[minute]).unwrap();
    let cohort = told(minute).quiet_pressing.unwrap();
    assert_eq!((cohort.messages, cohort.age), (10.0, age));
    assert_eq!(told(given_minute()).quiet_pressing, None);
}

#[test]
fn what_is_not_known_of_groups_is_not_guessed() {
    let later = |minute: Minute| Minute {
        from: minute.from + Minute::LENGTH,
        ..minute
    };
    let watched = later(Minute {
        visible: None,
        quiet_visible: None,
        ..given_minute()
    });
    let quiet = later(Minute {
        noisy_groups: Some(0.0),
        ..given_minute()
    });
    let unknown = Minute {
        quiet_visible: None,
        ..given_minute()
    };
    let strict = Law {
        noisy_wait: None,
        ..given_law()
    };
    let cases = [
        ("told", given_law(), SOON, vec![given_minute()], true),
        (
            "no wait of theirs",
            strict,
            SOON,
            vec![given_minute()],
            false,
        ),
        (
            "at the last moment",
            given_law(),
            KNOWN_FOR,
            vec![given_minute()],
            true,
        ),
        ("long ago", given_law(), LATER, vec![given_minute()], false),
        (
            "only watched since",
            given_law(),
            SOON,
            vec![given_minute(), watched],
            true,
        ),
        ("only watched", given_law(), SOON, vec![watched], false),
        (
            "quiet since",
            given_law(),
            SOON,
            vec![given_minute(), quiet],
            false,
        ),
        ("not told apart", given_law(), SOON, vec![unknown], false),
        ("no minutes", given_law(), SOON, vec![], false),
    ];
    for (case, law, after, minutes, expected) in cases {
        let noisy = noisy(law, (1_000, after), &minutes);
        assert_eq!(noisy.is_some(), expected, "{case}");
    }
}

#[test]
fn a_minute_in_which_nothing_waited_tells_nothing() {
    let minute = Minute {
        visible: Some(0.0),
        quiet_visible: Some(0.0),
        ..given_minute()
    };
    assert_eq!(noisy(given_law(), (1_000, SOON), &[minute]), None);
}

/// Six quiet ones in flight of 2 s each are three a second, so seven of ten are the noisy groups'.
#[test]
fn quiet_arrivals_are_told_by_what_is_in_flight_of_them() {
    let estimate = |minute: Minute| {
        let backlog = Backlog::default();
        let seen = Seen {
            backlog: &backlog,
            minutes: &[minute],
            ready_replicas: None,
            delay: None,
        };
        let believed = Estimate {
            arrivals_per_second: 10.0,
            message: Estimator::new(given_law()).message(),
            ..Estimate::default()
        };
        let now = BEGIN + Minute::LENGTH + SOON;
        let told = Estimator::new(given_law()).tell_groups_apart(now, &seen, believed);
        (
            told.noisy.unwrap().arrivals_per_second,
            told.without_noisy().arrivals_per_second,
        )
    };
    assert_eq!(estimate(given_minute()), (7.0, 3.0));
    let unknown = Minute {
        quiet_in_flight: None,
        ..given_minute()
    };
    assert_eq!(estimate(unknown), (0.0, 10.0), "all may be of quiet groups");
}
