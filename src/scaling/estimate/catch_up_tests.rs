//! What a copy of the scaler that has just been started learns of the time before it.

use std::time::Duration;

use super::*;
use crate::scaling::Backlog;

const STARTED: Duration = Duration::from_mins(100_000);

fn given_law() -> Law {
    Law {
        target_wait: Duration::from_mins(5),
        startup: Law::STARTUP,
        concurrency: Some(10),
        message: None,
        fifo_groups: None,
        noisy_wait: None,
    }
}

/// Ten in flight at a time, and ten done each second: a message takes a second.
fn given_minutes() -> Vec<Minute> {
    let minute = |ago: u32| Minute {
        from: STARTED.saturating_sub(Minute::LENGTH * (ago + 1)),
        received: Some(600.0),
        deleted: Some(600.0),
        visible: Some(50.0),
        in_flight: Some(10.0),
        ..Minute::default()
    };
    (1..30).rev().map(minute).collect()
}

fn look(estimator: &mut Estimator, after: u64, minutes: &[Minute]) -> Estimate {
    let backlog = Backlog {
        visible: 50,
        in_flight: 10,
        delayed: 0,
    };
    let seen = Seen {
        backlog: &backlog,
        minutes,
        ready_replicas: None,
        delay: None,
    };
    estimator.observe(STARTED + Duration::from_secs(after), &seen)
}

#[test]
fn minutes_that_come_after_the_first_look_tell_of_the_time_before_it() {
    let minutes = given_minutes();
    let mut waited = Estimator::new(given_law());
    assert_eq!(look(&mut waited, 0, &[]).message, None);
    let late = look(&mut waited, 15, &minutes);
    let mut at_once = Estimator::new(given_law());
    look(&mut at_once, 0, &minutes);
    let soon = look(&mut at_once, 15, &minutes);
    let seconds = |estimate: Estimate| estimate.message.map(|message| message.seconds);
    assert_eq!(seconds(late), seconds(soon));
    assert!((seconds(late).unwrap() - 1.0).abs() < 1e-9, "{late:?}");
    assert!((late.arrivals_per_second - soon.arrivals_per_second).abs() < 1e-9);
}

#[test]
fn minutes_of_the_time_that_was_seen_are_no_readings_of_it() {
    let mut estimator = Estimator::new(given_law());
    look(&mut estimator, 0, &[]);
    let mut minutes = given_minutes();
    for minute in &mut minutes {
        minute.from += Duration::from_hours(1);
    }
    let before = estimator.history.first().copied();
    look(&mut estimator, 15, &minutes);
    assert_eq!(estimator.history.first().copied(), before);
}
