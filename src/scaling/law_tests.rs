//! The law and its estimators in single cases.

#![allow(clippy::float_cmp, reason = "the numbers are given, not calculated")]

use std::time::Duration;

use super::histories::{Scaler, given_estimate, given_law};
use crate::scaling::{
    Backlog, Estimate, Estimator, Law, LawTerm, MessageTime, Minute, ScalingPolicy, Seen,
};

/// Nothing but the counts.
fn seen(backlog: &Backlog) -> Seen<'_> {
    Seen {
        backlog,
        minutes: &[],
        ready_replicas: None,
        delay: None,
    }
}

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

#[test]
fn silence_of_cloudwatch_changes_nothing_that_was_learned() {
    let policy = ScalingPolicy {
        law: Some(given_law()),
        ..ScalingPolicy::default()
    };
    let mut scaler = Scaler::new(policy);
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
    let mut scaler = Scaler::new(ScalingPolicy {
        law: Some(law),
        ..ScalingPolicy::default()
    });
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
fn messages_that_fail_are_told_and_noise_is_not() {
    for (deleted, expected) in [(900.0, Some(0.25)), (1_150.0, None)] {
        let mut scaler = Scaler::new(ScalingPolicy {
            law: Some(given_law()),
            ..ScalingPolicy::default()
        });
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

#[test]
fn one_low_reading_is_not_believed_and_two_are() {
    let mut scaler = Scaler::new(ScalingPolicy {
        law: Some(given_law()),
        ..ScalingPolicy::default()
    });
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
fn a_minute_that_is_told_twice_teaches_once() {
    let mut scaler = Scaler::new(ScalingPolicy {
        law: Some(given_law()),
        ..ScalingPolicy::default()
    });
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

/// As text what is kept is as long after an hour of looks as after twenty minutes.
#[test]
fn what_is_kept_does_not_grow_with_time() {
    let mut scaler = Scaler::new(ScalingPolicy {
        law: Some(given_law()),
        ..ScalingPolicy::default()
    });
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
            ..given_estimate()
        };
        let answer = given_law().answer(&estimate, 5.0);
        (answer.needed, answer.bound_by)
    };
    let (tried, bound_by) = needed(100.0, true);
    assert_eq!((tried, bound_by), (6.0, LawTerm::Learning));
    let (known, bound_by) = needed(100.0, false);
    assert!(known > 100.0 && bound_by == LawTerm::TargetWait, "{known}");
    let (few, bound_by) = needed(0.1, true);
    assert_eq!((few, bound_by), needed(0.1, false));
    assert!(few < 6.0, "{few}");
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

#[test]
fn a_small_fall_tells_something_in_the_first_minutes_of_work_alone() {
    let after_a_fall = |minutes: u64, messages: i64| {
        let mut scaler = Scaler::new(ScalingPolicy {
            law: Some(Law {
                message: None,
                ..given_law()
            }),
            ..ScalingPolicy::default()
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
fn what_a_fall_has_shown_long_ago_is_doubted_while_messages_wait() {
    let mut scaler = Scaler::new(ScalingPolicy {
        law: Some(Law {
            message: None,
            ..given_law()
        }),
        ..ScalingPolicy::default()
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
