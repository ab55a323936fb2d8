//! A fair queue whose noisy tenants may wait longer: what the law asks for then, in single cases and for
//! any estimate.

use std::time::Duration;

use proptest::prelude::*;

use super::histories::{given_law, laws};
use crate::scaling::{Cohort, Estimate, Law, LawAnswer, LawTerm, MessageTime, NoisyGroups, Oldest};

const QUEUE_LENGTH: f64 = 5.0;

fn given_estimate(message_seconds: f64, noisy: Option<NoisyGroups>) -> Estimate {
    Estimate {
        visible: 60_010.0,
        in_flight: 20.0,
        arrivals_per_second: 10.0,
        concurrency: 1.0,
        is_work_clean: true,
        message: Some(MessageTime {
            seconds: message_seconds,
            deletions: 100.0,
            is_at_most: false,
        }),
        noisy,
        ..Estimate::default()
    }
}

fn given_noisy() -> NoisyGroups {
    NoisyGroups {
        groups: 1.0,
        visible: 60_000.0,
        arrivals_per_second: 5.0,
        quiet_pressing: None,
    }
}

fn patient() -> Law {
    Law {
        target_wait: Duration::from_mins(1),
        noisy_wait: Some(Duration::from_hours(2)),
        ..given_law()
    }
}

fn answer(law: Law, message_seconds: f64, noisy: Option<NoisyGroups>) -> LawAnswer {
    law.answer(&given_estimate(message_seconds, noisy), QUEUE_LENGTH)
}

/// 60,000 messages of 6 s within 110 minutes are 54 replicas; for the minute of the others it would be
/// thousands.
#[test]
fn a_flood_that_may_wait_buys_what_drains_it_by_then() {
    let told = answer(patient(), 6.0, Some(given_noisy()));
    let untold = answer(patient(), 6.0, None);
    assert_eq!(
        (told.bound_by, untold.bound_by),
        (LawTerm::NoisyGroups, LawTerm::TargetWait)
    );
    assert!((54.0..90.0).contains(&told.needed), "{}", told.needed);
    assert!(untold.needed > 2_000.0, "{}", untold.needed);
}

#[test]
fn a_flood_that_has_waited_as_long_as_it_may_waits_no_longer() {
    let old = Estimate {
        oldest: Some(Oldest {
            age: Duration::from_hours(3),
            is_measured: true,
        }),
        ..given_estimate(2.0, Some(given_noisy()))
    };
    let told = patient().answer(&old, QUEUE_LENGTH);
    let untold = answer(patient(), 2.0, None);
    let share = told.needed / untold.needed;
    assert!((0.99..=1.0).contains(&share), "{share}");
}

/// A flood that drains by itself within its wait, but for what keeps the others ahead of it.
fn with_little_work(message_seconds: f64, visible: f64, groups: f64) -> f64 {
    let law = Law {
        noisy_wait: Some(Duration::from_hours(300)),
        ..patient()
    };
    let noisy = NoisyGroups {
        groups,
        visible,
        arrivals_per_second: 10.0,
        ..given_noisy()
    };
    let estimate = Estimate {
        visible,
        in_flight: 0.0,
        ..given_estimate(message_seconds, Some(noisy))
    };
    law.answer(&estimate, QUEUE_LENGTH).needed
}

/// SQS forgives a group with fewer than thirty in flight, and hands out the flood first again.
#[test]
fn so_many_of_each_noisy_group_stay_in_flight_that_it_is_taken_for_one() {
    for (groups, expected) in [(1.0, 36.0), (3.0, 108.0)] {
        let needed = with_little_work(2.0, 20_000.0, groups);
        assert!((needed - expected).abs() < 0.01, "{needed} of {expected}");
    }
    let needed = with_little_work(60.0, 20.0, 1.0);
    assert!((needed - 20.0).abs() < 0.01, "a slot a message: {needed}");
}

/// With 36 slots at messages of half an hour one falls free every 50 seconds: whoever is next in it is late.
#[test]
fn so_many_slots_fall_free_that_a_quiet_message_gets_one_in_time() {
    let needed = with_little_work(1_800.0, 100.0, 1.0);
    let expected = 1_800.0 / patient().horizon().as_secs_f64();
    assert!((needed - expected).abs() < 0.01, "{needed} of {expected}");
    assert!(expected > 50.0);
}

#[test]
fn quiet_messages_that_have_waited_press_and_noisy_ones_do_not() {
    let cohort = |messages, seconds| {
        Some(Cohort {
            messages,
            age: Duration::from_secs(seconds),
        })
    };
    let needed = |pressing, quiet_pressing| {
        let noisy = NoisyGroups {
            quiet_pressing,
            ..given_noisy()
        };
        let estimate = Estimate {
            pressing,
            ..given_estimate(2.0, Some(noisy))
        };
        patient().answer(&estimate, QUEUE_LENGTH).needed
    };
    let calm = needed(None, None);
    assert!((needed(cohort(60_000.0, 50), None) - calm).abs() < 1e-9);
    assert!(needed(None, cohort(500.0, 50)) > calm);
}

/// The oldest of all is of a noisy group, and may wait longer; the oldest of the others may not.
#[test]
fn late_is_who_has_waited_longer_than_is_his_to_wait() {
    let minutes = |minutes| Duration::from_mins(minutes);
    let quiet = |messages, age| Some(Cohort { messages, age });
    let is_late = |oldest, noisy: Option<Option<Cohort>>| {
        let noisy = noisy.map(|quiet_pressing| NoisyGroups {
            quiet_pressing,
            ..given_noisy()
        });
        patient().is_late(&Estimate {
            oldest: Some(Oldest {
                age: oldest,
                is_measured: true,
            }),
            ..given_estimate(2.0, noisy)
        })
    };
    assert!(is_late(minutes(2), None) && !is_late(minutes(1), None));
    assert!(!is_late(minutes(119), Some(None)) && is_late(minutes(121), Some(None)));
    assert!(is_late(minutes(2), Some(quiet(3.0, minutes(2)))));
    assert!(!is_late(minutes(2), Some(quiet(3.0, minutes(1)))));
    assert!(
        !is_late(minutes(2), Some(quiet(0.0, minutes(2)))),
        "of none"
    );
}

fn any_estimate() -> impl Strategy<Value = Estimate> {
    let visible = 0.0..100_000.0_f64;
    let told = (0.0..1.0_f64, 0.0..1.0_f64, 0_u64..100_000, 0_u64..1_000);
    (
        visible,
        0.0..500.0_f64,
        0.0..50.0_f64,
        0.01..600.0_f64,
        told,
    )
        .prop_map(
            |(
                visible,
                in_flight,
                arrivals_per_second,
                seconds,
                (share, quick, oldest, quiet_age),
            )| {
                Estimate {
                    visible,
                    in_flight,
                    arrivals_per_second,
                    oldest: Some(Oldest {
                        age: Duration::from_secs(oldest),
                        is_measured: true,
                    }),
                    noisy: Some(NoisyGroups {
                        groups: 1.0,
                        visible: share * visible,
                        arrivals_per_second: quick * arrivals_per_second,
                        quiet_pressing: Some(Cohort {
                            messages: (1.0 - share) * visible,
                            age: Duration::from_secs(quiet_age),
                        }),
                    }),
                    ..given_estimate(seconds, None)
                }
            },
        )
}

proptest! {
    #[test]
    fn to_know_of_noisy_groups_never_raises_the_answer(law in laws(), estimate in any_estimate()) {
        let untold = Estimate { noisy: None, ..estimate };
        let [told, untold] = [estimate, untold].map(|estimate| law.answer(&estimate, QUEUE_LENGTH).needed);
        prop_assert!(told <= untold + 1e-9, "{told} of {untold}");
    }

    #[test]
    fn to_let_them_wait_longer_never_raises_it(
        law in laws(), estimate in any_estimate(), factor in 1.0..10.0_f64,
    ) {
        let wait = law.noisy_wait.unwrap_or(law.target_wait);
        let needed = |wait| {
            Law { noisy_wait: Some(wait), ..law }.answer(&estimate, QUEUE_LENGTH).needed
        };
        prop_assert!(needed(wait.mul_f64(factor)) <= needed(wait) + 1e-9);
    }

    #[test]
    fn more_messages_of_either_kind_never_lower_it(
        law in laws(), estimate in any_estimate(), more in 0.0..10_000.0_f64,
    ) {
        let with = |noisy: f64| {
            let mut estimate = estimate;
            estimate.visible += more;
            if let Some(groups) = &mut estimate.noisy {
                groups.visible += noisy;
            }
            law.answer(&estimate, QUEUE_LENGTH).needed
        };
        let needed = law.answer(&estimate, QUEUE_LENGTH).needed;
        prop_assert!(with(0.0) >= needed - 1e-9, "quiet: {} of {needed}", with(0.0));
        prop_assert!(with(more) >= needed - 1e-9, "noisy: {} of {needed}", with(more));
    }

    #[test]
    fn with_work_present_it_is_above_zero(law in laws(), estimate in any_estimate()) {
        let answer = law.answer(&estimate, QUEUE_LENGTH);
        prop_assert!(answer.replicas.is_finite());
        prop_assert!(estimate.visible + estimate.in_flight <= 0.0 || answer.replicas > 0.0);
    }
}
