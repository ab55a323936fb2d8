//! What of a trigger is recorded, and when that is a change.

use std::collections::HashMap;

use super::*;
use crate::scaling::{Backlog, QueueSettings, ScalingPolicy, decide};

fn given_status() -> TriggerStatus {
    let metadata = [("queueURL", "orders"), ("awsRegion", "eu-west-1")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let trigger = Trigger::parse(&HashMap::from(metadata)).unwrap();
    let object = ObjectName {
        namespace: "shop".to_owned(),
        name: "worker".to_owned(),
    };
    let about = (Arc::new(object), Arc::new(trigger));
    TriggerStatus::new(about, Tally::default(), Duration::ZERO)
}

fn given_look(seconds: u64, visible: i64) -> Look {
    let backlog = Backlog {
        visible,
        ..Backlog::default()
    };
    let decision = decide(&ScalingPolicy::default(), &backlog, None);
    Look {
        at: Duration::from_secs(seconds),
        observation: Arc::new(Observation {
            visible: Ok(visible),
            in_flight: Ok(0),
            delayed: Ok(0),
            settings: QueueSettings::default(),
        }),
        decision,
        activity: Activity {
            polled: decision.is_active,
            pushed: decision.is_active,
            is_in_doubt: false,
        },
        minutes: None,
        ready_replicas: None,
        dead_letters: None,
    }
}

#[test]
fn a_sample_is_news_once() {
    let status = given_status();
    assert!(status.is_news(Duration::from_secs(10)));
    assert!(status.record(given_look(10, 12)).is_some());
    assert!(!status.is_news(Duration::from_secs(10)));
    assert!(!status.is_news(Duration::from_secs(9)));
    assert_eq!(status.record(given_look(9, 900)), None);
    let last = status.lock().last.clone().unwrap();
    assert_eq!(last.decision.backlog.visible, 12);
}

#[test]
fn a_change_is_one_of_replicas_activity_or_reason_and_not_of_the_counts_alone() {
    let status = given_status();
    let changes = [(1, 11), (2, 12), (3, 16), (4, 0), (5, 0)]
        .map(|(seconds, visible)| status.record(given_look(seconds, visible)));
    let before = changes.map(|change| change.map(|change| change.replicas_before));
    assert_eq!(
        before,
        [Some(None), None, Some(Some(3.0)), Some(Some(4.0)), None]
    );
}

#[test]
fn a_failure_lasts_until_the_queue_is_seen_again() {
    let status = given_status();
    status.failed(Duration::from_secs(20), &"no answer");
    status.failed(Duration::from_secs(50), &"refused");
    let failure = status.lock().failure.clone().unwrap();
    let since = Duration::from_secs(20);
    let cause = "refused".to_owned();
    assert_eq!(failure, Failure { cause, since });
    status.record(given_look(60, 1));
    assert_eq!(status.lock().failure, None);
}

#[test]
fn a_count_that_does_not_fit_is_drawn_as_the_nearest_that_does() {
    let status = given_status();
    let counts = [(30, -1, 0), (60, 5, 5), (90, i64::MAX, u32::MAX)];
    for (seconds, visible, _) in counts {
        status.record(given_look(seconds, visible));
    }
    let state = status.lock();
    let drawn = state.history.since_an_hour(Duration::from_mins(1));
    let drawn: Vec<u32> = drawn.map(|moment| moment.visible).collect();
    assert_eq!(drawn, counts.map(|(_, _, drawn)| drawn));
}
