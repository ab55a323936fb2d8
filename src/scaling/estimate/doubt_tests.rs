//! A hint of `concurrency` against replicas that hold something else, or that do not come.

use std::{collections::VecDeque, time::Duration};

use crate::scaling::{Backlog, Estimate, Estimator, Law, Minute, Seen};

/// The work that there is, in slots; messages wait all the time.
const SLOTS: f64 = 100.0;

const POLL_SECONDS: u64 = 15;

/// A replica is there so many polls after it was asked for.
const STARTS_IN: usize = 4;

/// Replicas that hold so many messages each, of which only so many have room.
struct World {
    estimator: Estimator,
    now: Duration,
    asked: VecDeque<f64>,
    holds: f64,
    room: f64,
    minute: Option<Minute>,
}

impl World {
    fn new(hint: u32, holds: f64) -> Self {
        let law = Law {
            target_wait: Duration::from_mins(5),
            startup: Law::STARTUP,
            concurrency: Some(hint),
            message: Some(Duration::from_secs(1)),
            fifo_groups: None,
            noisy_wait: None,
        };
        Self {
            estimator: Estimator::new(law),
            now: Duration::from_mins(20_000),
            asked: VecDeque::from([1.0; STARTS_IN]),
            holds,
            room: f64::INFINITY,
            minute: None,
        }
    }

    fn with_room_for(mut self, replicas: f64) -> Self {
        self.room = replicas;
        self
    }

    fn poll(&mut self) -> Estimate {
        let there = self.asked.pop_front().unwrap_or(0.0).min(self.room);
        let backlog = Backlog {
            visible: 1_000,
            in_flight: format!("{:.0}", there * self.holds).parse().unwrap(),
            delayed: 0,
        };
        let seen = Seen {
            backlog: &backlog,
            minutes: self.minute.as_slice(),
            ready_replicas: None,
            delay: None,
        };
        let estimate = self.estimator.observe(self.now, &seen);
        let asked = (SLOTS / estimate.concurrency).ceil();
        self.estimator.asked(self.now, asked);
        self.asked.push_back(asked);
        self.now += Duration::from_secs(POLL_SECONDS);
        estimate
    }

    fn after_minutes(&mut self, minutes: u64) -> Estimate {
        let polls = minutes * 60 / POLL_SECONDS;
        let last = (0..polls).map(|_| self.poll()).last();
        last.expect("at least one poll")
    }
}

fn is_near(found: f64, wanted: f64) -> bool {
    (found / wanted - 1.0).abs() < 0.12
}

#[test]
fn a_hint_that_says_too_much_is_unlearned_within_minutes() {
    for (hint, minutes) in [(20, 8), (40, 14)] {
        let estimate = World::new(hint, 10.0).after_minutes(minutes);
        let found = estimate.concurrency;
        assert!(is_near(found, 10.0), "{found} for a hint of {hint}");
        assert_eq!(estimate.concurrency_at_most, None, "it is certain by now");
    }
}

#[test]
fn what_is_tried_is_said_to_be_in_doubt() {
    let mut world = World::new(20, 10.0);
    let tried = (0..40).map(|_| world.poll());
    let first = tried.map(|estimate| estimate.concurrency_at_most);
    let first = first.flatten().next();
    assert!(first.is_some_and(|held| is_near(held, 10.0)), "{first:?}");
}

#[test]
fn a_right_hint_is_never_doubted() {
    let mut world = World::new(10, 10.0);
    for _ in 0..240 {
        let estimate = world.poll();
        assert!((estimate.concurrency - 10.0).abs() < 1e-9);
        assert_eq!(estimate.concurrency_at_most, None);
    }
}

#[test]
fn where_replicas_are_missing_the_hint_holds_again_and_for_a_while() {
    let mut world = World::new(10, 10.0).with_room_for(5.0);
    let tried = world.after_minutes(4);
    assert!(is_near(tried.concurrency, 5.0), "{tried:?}");
    let mut minutes_in_doubt = 4;
    while world.after_minutes(1).concurrency < 10.0 {
        minutes_in_doubt += 1;
        assert!(minutes_in_doubt < 10, "the hint never came back");
    }
    for _ in 0..25 {
        let estimate = world.after_minutes(1);
        assert!((estimate.concurrency - 10.0).abs() < 1e-9);
        assert!(estimate.concurrency_at_most.is_some(), "still told");
    }
}

#[test]
fn replicas_that_come_late_bring_the_hint_back() {
    let mut world = World::new(10, 10.0).with_room_for(5.0);
    world.after_minutes(4);
    world.room = f64::INFINITY;
    let estimate = world.after_minutes(10);
    assert!(estimate.concurrency > 9.0, "{estimate:?}");
}

#[test]
fn groups_are_no_reason_to_doubt() {
    let mut world = World::new(10, 5.0);
    world.minute = Some(Minute {
        from: world.now,
        groups_in_flight: Some(16.0),
        ..Minute::default()
    });
    let estimate = world.after_minutes(20);
    assert!((estimate.concurrency - 10.0).abs() < 1e-9);
}
