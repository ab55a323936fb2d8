//! The past of a queue, as CloudWatch has kept it.

use std::time::Duration;

use sluice::{
    clock::EpochClock,
    history::{self, HistorySettings},
    queue::{
        AwsConfig,
        cloudwatch::{CloudWatchEndpoint, CloudWatchSource, PAGE_VALUES_MAX},
    },
};
use tokio::time::Instant;

use super::MINUTE;
use crate::support::*;

/// A CloudWatch with two and a half hours of a queue that was sent 5 messages and then 7.
async fn given_a_past() -> (Sqs, CloudWatchSource, EpochClock) {
    let sqs = given_sqs().await;
    sqs.control.set_metric_delay(Duration::ZERO);
    sqs.send(5);
    sqs.control.advance_clock(30 * MINUTE);
    sqs.send(7);
    sqs.control.advance_clock(120 * MINUTE);
    let endpoint = CloudWatchEndpoint::Url(sqs.metadata["awsEndpoint"].clone());
    let source = CloudWatchSource::new(AwsConfig::from_environment().await, endpoint);
    let clock = EpochClock::anchored(Instant::now(), sqs.control.now());
    (sqs, source, clock)
}

#[tokio::test]
async fn the_past_of_a_queue_comes_in_pages() {
    let (sqs, source, clock) = given_a_past().await;
    let (queue, now) = (sqs.queue(QUEUE), clock.at(Instant::now()));
    let history = |page_values| source.history_by_pages(&queue, (1, now), page_values);
    let whole = history(PAGE_VALUES_MAX).await.unwrap();
    assert_eq!((whole.step, sqs.minutes_asked()), (MINUTE, 1));
    assert!((149..=151).contains(&whole.sent.len()), "{whole:?}");
    let paged = history(50).await.unwrap();
    let pages = u64::try_from(whole.sent.len().div_ceil(50)).unwrap();
    assert_eq!(sqs.minutes_asked(), 1 + pages);
    assert_eq!(paged, whole);
    let sent: Vec<f64> = whole.sent.iter().map(|(_, sent)| *sent).collect();
    let some: Vec<_> = sent.iter().copied().filter(|sent| *sent > 0.0).collect();
    assert_eq!(some, [5.0, 7.0]);

    let by_fives = source.history(&queue, 15, now).await.unwrap();
    assert_eq!(by_fives.step, 5 * MINUTE, "minutes are not kept so long");
    let sum: f64 = by_fives.sent.iter().map(|(_, sent)| *sent).sum();
    assert!((sum - 12.0).abs() < f64::EPSILON, "{by_fives:?}");
}

#[tokio::test]
async fn the_past_of_a_queue_is_saved_as_a_trace() {
    let (sqs, source, clock) = given_a_past().await;
    let (queue, now) = (sqs.queue(QUEUE), clock.at(Instant::now()));
    let name = format!("sluice-history-{}.csv", std::process::id());
    let settings = HistorySettings {
        queue: QUEUE.to_owned(),
        region: Some("eu-west-1".to_owned()),
        days: 1,
        save: std::env::temp_dir().join(name),
    };
    let saved = history::save(&settings, &queue, &source, now)
        .await
        .unwrap();
    let text = std::fs::read_to_string(&saved.path).unwrap();
    std::fs::remove_file(&saved.path).unwrap();
    assert!(text.starts_with("minute,messages\n0,5\n1,0\n"), "{text}");
    assert!(text.contains(",7\n"), "{text}");
    assert_eq!(
        (text.lines().count(), saved.untold_rows),
        (saved.rows + 1, 0)
    );

    let unknown = sqs.queue("nobody");
    let error = history::save(&settings, &unknown, &source, now)
        .await
        .unwrap_err();
    let expected = "CloudWatch knows of no message sent to a queue \"nobody\" in eu-west-1";
    assert!(error.to_string().starts_with(expected), "{error}");
}
