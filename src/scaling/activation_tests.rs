//! A workload's sleep, second by second, and over virtual days.

use super::*;
use crate::scaling::{Backlog, QueueSettings, ScalingPolicy, decide};

const DAY_SECONDS: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(1_000_000 + seconds)
}

fn signs(messages: i64) -> Signs {
    Signs {
        to_wake: messages,
        to_stay: messages > 0,
    }
}

/// The seconds at which a workload is woken that sees these counts, second by second.
fn wake_ups(counts: impl IntoIterator<Item = i64>, wakefulness: &Wakefulness) -> Vec<u64> {
    let (mut activation, mut was_awake) = (Activation::default(), false);
    let mut wake_ups = Vec::new();
    for (second, messages) in (0..).zip(counts) {
        let is_awake = activation.look(at(second), signs(messages), wakefulness);
        if is_awake && !was_awake {
            wake_ups.push(second);
        }
        was_awake = is_awake;
    }
    wake_ups
}

/// Numbers that look random and are the same in each run: a linear congruence of 64 bits.
fn given_chance() -> impl FnMut(u64) -> bool {
    let mut state = 7_u64;
    move |one_in| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).is_multiple_of(one_in)
    }
}

#[test]
fn a_clear_backlog_wakes_at_once_and_a_faint_one_at_the_second_look() {
    assert_eq!(wake_ups([0, 3], &Wakefulness::NONE), [1]);
    assert_eq!(wake_ups([0, 1, 1], &Wakefulness::NONE), [2]);
    assert_eq!(wake_ups([0, 2, 0, 0], &Wakefulness::NONE), [0_u64; 0]);
}

#[test]
fn who_is_only_polled_is_woken_at_once() {
    let mut activation = Activation::default();
    assert!(!activation.look(at(0), signs(0), &Wakefulness::NONE));
    assert!(activation.look(at(30), signs(1), &Wakefulness::NONE));
}

#[test]
fn the_first_look_of_a_process_is_believed_by_a_poll_and_confirmed_for_a_stream() {
    let policy = ScalingPolicy {
        wakefulness: Some(Wakefulness::default()),
        ..ScalingPolicy::default()
    };
    let mut activation = Activation::default();
    let mut told = |second| {
        activity(
            &mut activation,
            second,
            (given_observation(0, 1, 0), policy),
        )
    };
    for told in [told(0), told(0)] {
        assert!(told.polled && !told.pushed && told.is_in_doubt);
    }
    assert!(told(1).pushed);
}

#[test]
fn the_same_look_twice_and_an_older_one_confirm_nothing() {
    let mut activation = Activation::default();
    let mut look =
        |second, messages| activation.look(at(second), signs(messages), &Wakefulness::NONE);
    assert!(!look(0, 0) && !look(2, 1));
    assert!(!look(2, 1) && !look(1, 1));
    assert!(look(3, 1));
}

#[test]
fn a_day_of_phantoms_wakes_nothing() {
    let mut chance = given_chance();
    // A lone message too many at every fiftieth look, as in the twin's ordinary queue.
    let day = (0..DAY_SECONDS).map(|_| i64::from(chance(50)));
    assert_eq!(wake_ups(day, &Wakefulness::NONE), [0_u64; 0]);
    let mut chance = given_chance();
    let day = (0..DAY_SECONDS).map(|_| if chance(50) { 2 } else { 0 });
    assert_eq!(wake_ups(day, &Wakefulness::default()), [0_u64; 0]);
}

#[test]
fn an_hour_of_flicker_wakes_nothing() {
    let flicker = (0..3_600).map(|second| second % 2);
    assert_eq!(wake_ups(flicker, &Wakefulness::NONE), [0_u64; 0]);
    // Longer and longer, as if it learned what is believed.
    let flicker = (0..3_600).map(|second| i64::from(second % 20 < 1 + (second / 20).min(5)));
    assert_eq!(wake_ups(flicker, &Wakefulness::NONE), [0_u64; 0]);
}

#[test]
fn a_message_each_ten_minutes_wakes_each_time_within_two_looks() {
    let every = 600;
    // It is there for a minute, until somebody has worked on it.
    let day = (1..=DAY_SECONDS).map(|second| i64::from(second >= every && second % every < 60));
    let woken = wake_ups(day, &Wakefulness::NONE);
    let expected: Vec<u64> = (1..DAY_SECONDS / every).map(|n| n * every).collect();
    assert_eq!(woken.len(), expected.len());
    for (woken, sent) in woken.into_iter().zip(expected) {
        assert!(
            woken >= sent - 1 && woken <= sent,
            "sent {sent}, woken {woken}"
        );
    }
}

#[test]
fn a_message_wakes_within_ten_seconds_however_much_the_queue_has_flickered() {
    let flicker = (0..3_600).map(|second| second % 2);
    let woken = wake_ups(flicker.chain([0, 0]).chain([1; 30]), &Wakefulness::NONE);
    assert_eq!(woken.len(), 1);
    assert!(woken[0] <= 3_602 + u64::from(SIGNS_MAX), "{woken:?}");
}

#[test]
fn a_message_that_is_now_and_then_not_counted_wakes_too() {
    let mut chance = given_chance();
    let flicker = (0..3_600).map(|second| second % 2);
    let message = (0..60).map(move |_| i64::from(!chance(10)));
    let woken = wake_ups(flicker.chain(message), &Wakefulness::NONE);
    assert!(woken.first().is_some_and(|at| *at < 3_630), "{woken:?}");
}

#[test]
fn flicker_is_forgotten_in_time() {
    let flicker = (0..60).map(|second| second % 2);
    let quiet = std::iter::repeat_n(0, 2 * 60 * 60);
    let woken = wake_ups(flicker.chain(quiet).chain([1, 1]), &Wakefulness::NONE);
    assert_eq!(woken, [60 + 7_200 + 1]);
}

/// When a workload that was awake until 0 is asleep, for looks every so many seconds.
fn asleep_after(every: u64, wakefulness: &Wakefulness) -> u64 {
    let mut activation = Activation::default();
    assert!(activation.look(at(0), signs(5), wakefulness));
    let looks = (1..10_000).map(|look| look * every);
    looks
        .into_iter()
        .find(|second| !activation.look(at(*second), signs(0), wakefulness))
        .expect("sleep in the end")
}

#[test]
fn sleep_comes_after_confirmed_zeros_and_the_time_to_keep_warm() {
    let kept = |empty_confirm, keep_warm| Wakefulness {
        empty_confirm: Duration::from_secs(empty_confirm),
        keep_warm: Duration::from_secs(keep_warm),
    };
    assert_eq!(asleep_after(1, &Wakefulness::NONE), 1);
    assert_eq!(asleep_after(1, &kept(60, 0)), 61);
    assert_eq!(asleep_after(30, &kept(60, 0)), 90);
    // A minute is over at the second zero.
    assert_eq!(asleep_after(300, &kept(60, 0)), 600);
    assert_eq!(asleep_after(30, &kept(60, 600)), 600);
    assert_eq!(asleep_after(30, &kept(0, 600)), 600);
}

#[test]
fn a_message_while_emptiness_is_being_confirmed_begins_again() {
    let (mut activation, wakefulness) = (Activation::default(), Wakefulness::default());
    let mut look = |second, messages| activation.look(at(second), signs(messages), &wakefulness);
    assert!(look(0, 5) && look(1, 0) && look(60, 0) && look(60, 0));
    assert!(look(62, 1), "a faint sign keeps awake");
    assert!(look(63, 0) && look(122, 0));
    assert!(!look(123, 0));
}

fn given_observation(visible: i64, in_flight: i64, delayed: i64) -> Observation {
    Observation {
        visible: Ok(visible),
        in_flight: Ok(in_flight),
        delayed: Ok(delayed),
        settings: QueueSettings::default(),
    }
}

fn activity(
    activation: &mut Activation,
    second: u64,
    (seen, policy): (Observation, ScalingPolicy),
) -> Activity {
    let backlog: Backlog = seen.backlog(&policy).unwrap();
    activation.activity(at(second), &seen, &decide(&policy, &backlog, None))
}

#[test]
fn without_a_key_a_poll_is_told_what_keda_would_say_whatever_a_stream_is() {
    let (mut activation, policy) = (Activation::default(), ScalingPolicy::default());
    for (second, visible) in (0..).zip([0, 1, 0, 1, 1, 0, 1]) {
        let told = activity(
            &mut activation,
            second,
            (given_observation(visible, 0, 0), policy),
        );
        assert_eq!(told.polled, visible > 0, "{second}");
        assert!(!told.pushed, "{second}");
    }
}

#[test]
fn with_a_key_what_is_in_flight_or_delayed_keeps_awake_and_does_not_wake() {
    let policy = ScalingPolicy {
        scale_on_in_flight: false,
        wakefulness: Some(Wakefulness::default()),
        ..ScalingPolicy::default()
    };
    for left in [given_observation(0, 1, 0), given_observation(0, 0, 1)] {
        let mut activation = Activation::default();
        let mut told = |second, seen| activity(&mut activation, second, (seen, policy)).polled;
        assert!(!told(0, left.clone()) && !told(1, left.clone()));
        assert!(told(2, given_observation(9, 0, 0)));
        assert!(told(3, left.clone()) && told(300, left.clone()));
        assert!(told(301, given_observation(0, 0, 0)) && told(330, given_observation(0, 0, 0)));
        assert!(!told(361, given_observation(0, 0, 0)));
    }
}

#[test]
fn a_first_faint_sign_asks_for_a_second_look_and_a_flickering_queue_does_not() {
    let (mut activation, policy) = (Activation::default(), ScalingPolicy::default());
    let mut told = |second, visible| {
        activity(
            &mut activation,
            second,
            (given_observation(visible, 0, 0), policy),
        )
    };
    assert!(!told(0, 0).is_in_doubt);
    assert!(told(1, 1).is_in_doubt);
    assert!(!told(2, 0).is_in_doubt);
    assert!(!told(3, 1).is_in_doubt);
}
