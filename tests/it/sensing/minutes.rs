//! The minutes of queues, which are asked of CloudWatch while an answer does not wait for them.

use std::{sync::Arc, time::Duration};

use sluice::{
    access::Access,
    clock::EpochClock,
    local::{FaultAction, FaultRule},
    queue::{
        AwsConfig, MinuteFeed, MinuteSettings, MinutesSeen, SensingState, SqsSource,
        cloudwatch::{CloudWatchEndpoint, CloudWatchSource},
    },
    scaling::QueueRef,
    service::{Sensors, ServiceSettings},
    workloads::WorkloadFeed,
};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};

use super::{FETCH, MINUTE};
use crate::support::*;

/// Much more than any of this takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks often, so that nobody has to wait for a minute.
pub(super) fn given_hasty_settings() -> MinuteSettings {
    MinuteSettings {
        every: Duration::from_millis(100),
        round: Duration::from_millis(50),
        ..MinuteSettings::default()
    }
}

/// A scaler that asks the server for minutes too, by the server's time, and what it knows of them.
pub(super) async fn given_sensing(
    sqs: &Sqs,
    minutes: MinuteSettings,
    endpoint: CloudWatchEndpoint,
) -> (Scaler, MinuteFeed) {
    let aws = AwsConfig::from_environment().await;
    let sensors = Sensors {
        queues: SqsSource::new(aws.clone(), FETCH),
        minutes: Some(CloudWatchSource::new(aws, endpoint)),
        workloads: WorkloadFeed::off(),
        clock: EpochClock::anchored(Instant::now(), sqs.control.now()),
        access: Access::for_stand_ins(),
    };
    let settings = ServiceSettings {
        minutes,
        ..given_settings_without_cache()
    };
    given_scaler_with(settings, sensors).await
}

/// Wants the minutes of `queue` until they are as `wanted`.
async fn until(
    feed: &MinuteFeed,
    queue: &Arc<QueueRef>,
    wanted: impl Fn(&MinutesSeen) -> bool,
) -> MinutesSeen {
    let looking = async {
        loop {
            let seen = feed.minutes(queue);
            if wanted(&seen) {
                return seen;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let found = timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("still {:?}", feed.minutes(queue)))
}

fn is_current(seen: &MinutesSeen) -> bool {
    seen.state == SensingState::Current
}

fn off_reason(seen: &MinutesSeen) -> String {
    match &seen.state {
        SensingState::Off { reason } => reason.to_string(),
        other => panic!("not off: {other:?}"),
    }
}

fn is_off(seen: &MinutesSeen) -> bool {
    matches!(seen.state, SensingState::Off { .. })
}

#[tokio::test]
async fn minutes_that_come_late_are_added_to_those_that_are_known() {
    let sqs = given_sqs().await;
    sqs.send(5);
    sqs.control.set_metric_delay(8 * MINUTE);
    sqs.control.advance_clock(10 * MINUTE);
    let (_, feed) = given_sensing(&sqs, given_hasty_settings(), CloudWatchEndpoint::Trigger).await;
    let queue = sqs.queue(QUEUE);
    let early = until(&feed, &queue, is_current).await;
    assert!((1..=3).contains(&early.minutes.len()), "{early:?}");
    let first = early.minutes[0];
    assert_eq!(
        (first.visible, first.received, first.deleted),
        (Some(5.0), Some(0.0), Some(0.0))
    );
    assert_eq!(first.groups_in_flight, None, "not a FIFO queue");

    sqs.control.set_metric_delay(Duration::ZERO);
    let late = until(&feed, &queue, |seen| seen.minutes.len() >= 9).await;
    assert_eq!(
        late.minutes[0], first,
        "what was known stays, what was sent too"
    );
    for pair in late.minutes.windows(2) {
        assert_eq!(pair[1].from, pair[0].from + MINUTE, "{late:?}");
        let ages = [pair[0].oldest_age.unwrap(), pair[1].oldest_age.unwrap()];
        let aged = ages[1].abs_diff(ages[0]);
        assert!(aged.abs_diff(MINUTE) <= Duration::from_secs(1), "{late:?}");
    }
}

#[tokio::test]
async fn a_fifo_queue_has_its_groups_in_flight() {
    let sqs = given_sqs().await;
    let fifo = [("FifoQueue", "true")];
    sqs.control.create_queue("jobs.fifo", &fifo).unwrap();
    sqs.control.advance_clock(5 * MINUTE);
    let (_, feed) = given_sensing(&sqs, given_hasty_settings(), CloudWatchEndpoint::Trigger).await;
    let seen = until(&feed, &sqs.queue("jobs.fifo"), is_current).await;
    assert!(!seen.minutes.is_empty());
    assert!(
        seen.minutes
            .iter()
            .all(|minute| minute.groups_in_flight == Some(0.0)),
        "{seen:?}"
    );
}

#[tokio::test]
async fn one_call_is_for_many_queues_and_none_for_those_that_nobody_wants() {
    let sqs = given_sqs().await;
    let settings = MinuteSettings {
        round: Duration::from_millis(500),
        ..MinuteSettings::default()
    };
    let (scaler, feed) = given_sensing(&sqs, settings, CloudWatchEndpoint::Trigger).await;
    let mut queues = Vec::new();
    for index in 0..50 {
        let name = format!("queue-{index}");
        sqs.control.create_queue(&name, &[]).unwrap();
        queues.push(sqs.queue(&name));
    }
    for queue in &queues {
        feed.known(queue);
    }
    // KEDA asks about a queue whose minutes change nothing.
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 0);
    sleep(2 * settings.round).await;
    assert_eq!(sqs.minutes_asked(), 0);
    for queue in &queues {
        feed.minutes(queue);
    }
    for queue in &queues {
        until(&feed, queue, is_current).await;
    }
    assert_eq!(sqs.minutes_asked(), 1);
    let page = scaler.page("/metrics").await.1;
    assert!(
        page.contains("sluice_cloudwatch_metrics_requested_total 250"),
        "{page}"
    );
    assert!(
        page.contains("sluice_cloudwatch_requests_total{outcome=\"Ok\"} 1"),
        "{page}"
    );
    assert!(
        page.contains("sluice_cloudwatch_dollars_per_month "),
        "{page}"
    );
}

#[tokio::test]
async fn without_permission_the_scaler_answers_and_cloudwatch_is_left_alone() {
    let sqs = given_sqs().await;
    sqs.control
        .set_fault(FaultRule::on("GetMetricData", FaultAction::AccessDenied));
    sqs.send(3);
    let (scaler, feed) =
        given_sensing(&sqs, given_hasty_settings(), CloudWatchEndpoint::Trigger).await;
    let seen = until(&feed, &sqs.queue(QUEUE), is_off).await;
    let reason = off_reason(&seen);
    assert!(
        reason.contains("does not let this identity read metrics (AccessDenied"),
        "{reason}"
    );
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 3);
    for _ in 0..20 {
        feed.minutes(&sqs.queue(QUEUE));
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        sqs.minutes_asked(),
        1,
        "asked again in a quarter of an hour"
    );
}

#[tokio::test]
async fn a_cloudwatch_that_hangs_delays_no_answer() {
    let sqs = given_sqs().await;
    sqs.control
        .set_fault(FaultRule::on("GetMetricData", FaultAction::Hang));
    sqs.send(3);
    let (scaler, feed) =
        given_sensing(&sqs, given_hasty_settings(), CloudWatchEndpoint::Trigger).await;
    let queue = sqs.queue(QUEUE);
    until(&feed, &queue, |_| sqs.minutes_asked() > 0).await;
    let started = Instant::now();
    for _ in 0..50 {
        assert_eq!(feed.minutes(&queue).state, SensingState::Waiting);
        assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 3);
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(
        sqs.minutes_asked(),
        1,
        "one call hangs, no second one follows it"
    );
}

#[tokio::test]
async fn a_cloudwatch_that_is_down_or_talks_nonsense_is_off_with_the_cause() {
    let sqs = given_sqs().await;
    let nobody = TcpListener::bind(LOOPBACK).await.unwrap().local_addr();
    let down = CloudWatchEndpoint::Url(format!("http://{}", nobody.unwrap()));
    let (_, feed) = given_sensing(&sqs, given_hasty_settings(), down).await;
    let seen = until(&feed, &sqs.queue(QUEUE), is_off).await;
    let reason = off_reason(&seen);
    assert!(reason.contains("CloudWatch cannot be read: "), "{reason}");

    let outages = [
        (FaultAction::Garbage, "CloudWatch cannot be read"),
        (FaultAction::ServerError(500), "CloudWatch cannot be read"),
        (FaultAction::Throttle, "CloudWatch throttles (Throttling"),
    ];
    for (action, cause) in outages {
        sqs.control.clear_faults();
        sqs.control
            .set_fault(FaultRule::on("GetMetricData", action));
        let endpoint = CloudWatchEndpoint::Trigger;
        let (_, feed) = given_sensing(&sqs, given_hasty_settings(), endpoint).await;
        let reason = off_reason(&until(&feed, &sqs.queue(QUEUE), is_off).await);
        assert!(reason.contains(cause), "{reason}");
    }
}

#[tokio::test]
async fn the_cloudwatch_of_a_stand_in_for_sqs_is_not_guessed() {
    let sqs = given_sqs().await;
    let (_, feed) = given_sensing(&sqs, given_hasty_settings(), CloudWatchEndpoint::Region).await;
    let reason = off_reason(&until(&feed, &sqs.queue(QUEUE), is_off).await);
    assert!(reason.contains("--cloudwatch-endpoint"), "{reason}");
    assert_eq!(sqs.minutes_asked(), 0);
}

#[tokio::test]
async fn what_the_budget_does_not_pay_is_not_asked_for() {
    let sqs = given_sqs().await;
    let settings = |dollars_per_month| MinuteSettings {
        dollars_per_month,
        ..given_hasty_settings()
    };
    let (_, feed) = given_sensing(&sqs, settings(0.0), CloudWatchEndpoint::Trigger).await;
    let seen = feed.minutes(&sqs.queue(QUEUE));
    assert_eq!(off_reason(&seen), "the budget for CloudWatch is $0");
    assert_eq!(sqs.minutes_asked(), 0);

    let (scaler, feed) = given_sensing(&sqs, settings(0.001), CloudWatchEndpoint::Trigger).await;
    let seen = until(&feed, &sqs.queue(QUEUE), is_off).await;
    let reason = off_reason(&seen);
    assert!(
        reason.contains("the budget of $0.001 a month for CloudWatch is used up"),
        "{reason}"
    );
    let asked = sqs.minutes_asked();
    assert!(
        (1..=3).contains(&asked),
        "ten metrics at most, after {asked} calls"
    );
    sleep(Duration::from_millis(500)).await;
    assert_eq!(sqs.minutes_asked(), asked);
    let page = scaler.page("/metrics").await.1;
    assert!(
        page.contains("sluice_cloudwatch_budget_refusals_total 1"),
        "{page}"
    );
}
