//! What is learned of the work from what is to be seen, in single cases.

#![allow(clippy::float_cmp, reason = "the numbers are given, not calculated")]

use std::time::Duration;

use super::histories::{Scaler, given_law, seen};
use crate::scaling::{Backlog, Estimator, Law, Minute, Seen};

#[test]
fn what_ready_replicas_hold_is_known_though_no_message_waits() {
    let law = Law {
        concurrency: None,
        ..given_law()
    };
    let mut estimator = Estimator::new(law);
    let mut concurrency = 0.0;
    for poll in 0..4 {
        let backlog = Backlog {
            in_flight: 12,
            ..Backlog::default()
        };
        let seen = Seen {
            ready_replicas: Some(2),
            ..seen(&backlog)
        };
        let now = Duration::from_secs(1_000_000 + 15 * poll);
        concurrency = estimator.observe(now, &seen).concurrency;
    }
    assert_eq!(concurrency, 6.0);
}

/// One replica of which nothing is known: it has room for more than the one message that it holds.
#[test]
fn what_is_learned_of_concurrency_does_not_multiply_what_was_in_flight_before() {
    let mut estimator = Estimator::new(Law {
        concurrency: None,
        message: None,
        ..given_law()
    });
    let begin = Duration::from_mins(20_000);
    let minute = Minute {
        from: begin,
        received: Some(60.0),
        deleted: Some(60.0),
        ..Minute::default()
    };
    let mut look = |after: u64, in_flight: i64, minutes: &[Minute]| {
        let backlog = Backlog {
            visible: 100 * (in_flight - 1),
            in_flight,
            delayed: 0,
        };
        let seen = Seen {
            minutes,
            ready_replicas: Some(1),
            ..seen(&backlog)
        };
        estimator.observe(begin + Duration::from_secs(after), &seen)
    };
    for after in [0, 20, 40, 60] {
        look(after, 1, &[]);
    }
    let taught = look(80, 1, &[minute]);
    assert_eq!(
        (taught.message.unwrap().seconds, taught.concurrency),
        (1.0, 1.0)
    );
    let mut later = taught;
    for poll in 0..8 {
        later = look(100 + 10 * poll, 10, &[minute]);
    }
    assert_eq!(
        (later.message.unwrap().seconds, later.concurrency),
        (1.0, 10.0)
    );
}

#[test]
fn silence_of_cloudwatch_changes_nothing_that_was_learned() {
    let mut scaler = Scaler::under(given_law());
    for _ in 0..200 {
        scaler = scaler.after(15);
        let law = scaler.poll((10, 2), &[]).law.unwrap();
        assert_eq!(law.estimate.message.unwrap().seconds, 1.0);
    }
}

#[test]
fn a_wrong_hint_is_unlearned_within_five_minutes_of_traffic() {
    let law = Law {
        message: Some(Duration::from_secs(4)),
        ..given_law()
    };
    let mut scaler = Scaler::under(law);
    let mut seconds = 0.0;
    for minute in 0..5_u64 {
        let from = scaler.now;
        for _ in 0..4 {
            // 20 in flight, 20 done per second: a second each.
            scaler.poll((100, 20), &[]);
            scaler = scaler.after(15);
        }
        let published = Minute {
            from,
            received: Some(1_200.0),
            deleted: Some(1_200.0),
            ..Minute::default()
        };
        let law = scaler.poll((100, 20), &[published]).law.unwrap();
        seconds = law.estimate.message.unwrap().seconds;
        assert!(minute > 0 || seconds < 1.1, "{seconds}");
    }
    assert!((seconds - 1.0).abs() < 0.02, "{seconds}");
}

#[test]
fn a_minute_that_is_told_twice_teaches_once() {
    let mut scaler = Scaler::under(given_law());
    let minute = Minute {
        from: scaler.now,
        received: Some(600.0),
        deleted: Some(600.0),
        ..Minute::default()
    };
    let mut learned = |minutes: &[Minute]| {
        scaler = scaler.after(30);
        let law = scaler.poll((100, 20), minutes).law.unwrap();
        law.estimate.message.unwrap().deletions
    };
    assert_eq!(learned(&[]), 5.0);
    let once = learned(&[minute]);
    assert!(once > 500.0);
    assert_eq!(learned(&[minute, minute]), once);
}

#[test]
fn messages_that_only_wait_are_not_worked_on() {
    let mut estimator = Estimator::new(given_law());
    let begin = Duration::from_mins(20_000);
    let worked_for = [(0, 0), (30, 0), (60, 4), (90, 0)].map(|(after, in_flight)| {
        let backlog = Backlog {
            visible: 100,
            in_flight,
            delayed: 0,
        };
        let estimate = estimator.observe(begin + Duration::from_secs(after), &seen(&backlog));
        estimate.worked_for.map(|time| time.as_secs())
    });
    assert_eq!(worked_for, [None, None, Some(0), Some(30)]);
}

#[test]
fn a_small_fall_tells_something_in_the_first_minutes_of_work_alone() {
    let after_a_fall = |minutes: u64, messages: i64| {
        let mut scaler = Scaler::under(Law {
            message: None,
            ..given_law()
        });
        for _ in 0..minutes * 4 {
            scaler = scaler.after(15);
            scaler.poll((10_000, 20), &[]);
        }
        scaler = scaler.after(15);
        let law = scaler.poll((messages, 20), &[]).law.unwrap();
        law.estimate.message.is_some()
    };
    let table = [
        (1, 9_600, false),
        (1, 9_300, true),
        (5, 9_300, false),
        (5, 8_900, true),
    ];
    for (minutes, messages, tells) in table {
        let told = after_a_fall(minutes, messages);
        assert_eq!(told, tells, "{messages} messages after {minutes} minutes");
    }
}

#[test]
fn a_fall_shows_a_time_at_most_and_cloudwatch_tells_the_time() {
    let mut scaler = Scaler::under(Law {
        message: None,
        ..given_law()
    });
    let minute = Minute {
        from: scaler.now,
        received: Some(600.0),
        deleted: Some(600.0),
        ..Minute::default()
    };
    let mut is_at_most = |visible: i64, minutes: &[Minute]| {
        scaler = scaler.after(30);
        let law = scaler.poll((visible, 20), minutes).law.unwrap();
        law.estimate.message.map(|message| message.is_at_most)
    };
    assert_eq!(is_at_most(10_000, &[]), None);
    assert_eq!(is_at_most(10_000, &[]), None);
    assert_eq!(is_at_most(9_000, &[]), Some(true));
    assert_eq!(is_at_most(9_000, &[minute]), Some(false));
}

#[test]
fn what_a_fall_has_shown_long_ago_is_doubted_while_messages_wait() {
    let mut scaler = Scaler::under(Law {
        message: None,
        ..given_law()
    });
    let mut message_after = |seconds: u64, counts: (i64, i64)| {
        scaler = scaler.after(seconds);
        let law = scaler.poll(counts, &[]).law.unwrap();
        law.estimate.message.map(|message| message.seconds)
    };
    assert_eq!(message_after(15, (1_000, 20)), None);
    assert_eq!(message_after(15, (1_000, 20)), None);
    let shown = message_after(15, (700, 20)).unwrap();
    let mut later = shown;
    for _ in 0..60 {
        later = message_after(15, (700, 20)).unwrap();
    }
    assert!((later / shown - 2.0).abs() < 0.05, "{later} after {shown}");
    let while_idle = message_after(30, (0, 0)).unwrap();
    assert!(message_after(3_600, (0, 0)).unwrap() <= while_idle);
}
