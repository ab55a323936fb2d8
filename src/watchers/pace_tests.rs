//! The times of looks, in paused time.

use std::sync::Arc;

use super::*;
use crate::scaling::{Observation, QueueSettings};

const SECOND: Duration = Duration::from_secs(1);

fn given_sample(asked_at: Instant, empty_since: Option<Instant>) -> Sample {
    let observation = Observation {
        visible: Ok(0),
        in_flight: Ok(0),
        delayed: Ok(0),
        settings: QueueSettings::default(),
    };
    Sample {
        observation: Arc::new(observation),
        asked_at,
        empty_since,
    }
}

/// The looks of `watchers` over `seconds`, each of them in time.
fn looks(watchers: u64, seconds: u64) -> Vec<(u64, Instant)> {
    let origin = Instant::now();
    let mut looks = Vec::new();
    for number in 0..watchers {
        let pace = Pace::new(SECOND, origin, number);
        let mut at = origin;
        while at < origin + SECOND * u32::try_from(seconds).unwrap() {
            at = pace.due(Some(&given_sample(at, None)), Watching::Idle, at);
            looks.push((number, at));
        }
    }
    looks
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_queues_are_spread_evenly_and_each_is_looked_at_once_a_second() {
    let origin = Instant::now();
    let looks = looks(10_000, 5);
    let mut bins = [0_u32; 50];
    for (_, at) in &looks {
        let bin = usize::try_from((*at - origin).as_millis() / 100).unwrap();
        if let Some(bin) = bins.get_mut(bin) {
            *bin += 1;
        }
    }
    // The first second begins with half an interval of rest.
    let steady = &bins[20..];
    assert!(
        steady.iter().all(|looks| (990..=1_010).contains(looks)),
        "{bins:?}"
    );
    let of_one: Vec<_> = looks.iter().filter(|(number, _)| *number == 77).collect();
    assert!(
        of_one
            .windows(2)
            .all(|pair| pair[1].1 - pair[0].1 == SECOND)
    );
}

#[tokio::test(start_paused = true)]
async fn whichever_queues_are_left_they_are_spread_evenly() {
    let origin = Instant::now();
    let mut bins = [0_u32; 10];
    for number in (0..10_000).filter(|number| number % 7 == 3) {
        let at = Pace::new(SECOND, origin, number).after(origin + SECOND, SECOND);
        let bin = usize::try_from((at - origin).as_millis() % 1_000 / 100).unwrap();
        bins[bin] += 1;
    }
    assert!(
        bins.iter().all(|looks| (135..=151).contains(looks)),
        "{bins:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_a_message_for_hours_is_looked_at_less_often() {
    let now = Instant::now() + Duration::from_hours(48);
    let pace = Pace::new(SECOND, Instant::now(), 1);
    for (hours, seconds) in [(0, 1), (1, 2), (5, 2), (6, 5), (23, 5), (24, 10), (48, 10)] {
        let sample = given_sample(now, Some(now - Duration::from_hours(hours)));
        assert_eq!(
            pace.interval(Some(&sample), now),
            Duration::from_secs(seconds),
            "{hours}"
        );
    }
    let filled = given_sample(now, None);
    assert_eq!(pace.interval(Some(&filled), now), SECOND);
    let slow = Pace::new(10 * SECOND, Instant::now(), 1);
    let sample = given_sample(now, Some(now - Duration::from_hours(7)));
    assert_eq!(slow.interval(Some(&sample), now), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_cannot_be_read_is_asked_later_and_later_and_never_later_than_a_minute() {
    let now = Instant::now();
    let mut pace = Pace::new(SECOND, now, 1);
    for failures in 1..100_u32 {
        pace.looked(false, now);
        let waits = pace.due(None, Watching::Idle, now) - now;
        let longest = SECOND * 2_u32.pow(failures.min(6)).min(60);
        assert!(
            waits >= longest / 2 && waits <= longest,
            "{failures}: {waits:?}"
        );
    }
    pace.looked(true, now);
    assert!(pace.due(None, Watching::Idle, now) < now + SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_queue_at_work_is_left_to_its_polls_and_a_doubt_is_settled_soon() {
    let now = Instant::now();
    let pace = Pace::new(SECOND, now, 1);
    let sample = given_sample(now, None);
    let due = |watching| pace.due(Some(&sample), watching, now) - now;
    assert_eq!(due(Watching::Active), UNPOLLED_MAX);
    assert_eq!(due(Watching::Doubtful), Duration::from_millis(400));
}
