//! `CloudWatch` as the Rust SDK sees it, over RPC v2 CBOR.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_cloudwatch::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, Statistic},
};
use sluice::local::{FaultAction, FaultRule};

use crate::support::{Running, given_a_server};

const HOUR: Duration = Duration::from_hours(1);

pub(crate) fn client(server: &Running) -> Client {
    let config = aws_sdk_cloudwatch::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(&server.endpoint)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn of_queue(name: &str) -> Dimension {
    Dimension::builder().name("QueueName").value(name).build()
}

fn query(id: &str, metric: &str, stat: &str, period_seconds: i32) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace("AWS/SQS")
        .metric_name(metric)
        .dimensions(of_queue("orders"));
    let stat = MetricStat::builder()
        .metric(metric.build())
        .period(period_seconds)
        .stat(stat)
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

/// The values of a metric of the queue "orders" over the last two hours of the server's time, the newest first.
pub(crate) async fn values(
    server: &Running,
    metric: &str,
    stat: &str,
    period_seconds: i32,
) -> Vec<f64> {
    let now = server.control.now();
    let answer = client(server)
        .get_metric_data()
        .start_time(DateTime::from(UNIX_EPOCH + now - 2 * HOUR))
        .end_time(DateTime::from(UNIX_EPOCH + now + HOUR))
        .metric_data_queries(query("m", metric, stat, period_seconds))
        .send()
        .await
        .unwrap();
    answer
        .metric_data_results()
        .first()
        .unwrap()
        .values()
        .to_vec()
}

#[tokio::test]
async fn a_message_that_waits_ages_by_sixty_seconds_a_minute() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    server.send_hello(&url).await;
    server.control.advance_clock(HOUR);
    let ages = values(&server, "ApproximateAgeOfOldestMessage", "Maximum", 60).await;
    assert!(ages.len() >= 57, "{ages:?}");
    assert!(
        ages.windows(2)
            .all(|pair| (pair[0] - pair[1] - 60.0).abs() < 1.5),
        "{ages:?}"
    );
    let visible = values(&server, "ApproximateNumberOfMessagesVisible", "Average", 60).await;
    assert!(
        visible
            .iter()
            .all(|count| (count - 1.0).abs() < f64::EPSILON),
        "{visible:?}"
    );
    let sent = values(&server, "NumberOfMessagesSent", "Sum", 60).await;
    assert!(
        (sent.iter().sum::<f64>() - 1.0).abs() < f64::EPSILON,
        "{sent:?}"
    );
    let sizes = values(&server, "SentMessageSize", "Maximum", 300).await;
    assert_eq!(sizes, [5.0]);
}

#[tokio::test]
async fn a_metric_is_published_late() {
    let server = given_a_server().await;
    server.given_a_queue("orders", &[]);
    server.control.set_metric_delay(Duration::from_mins(15));
    server.control.advance_clock(Duration::from_mins(10));
    let visible = || values(&server, "ApproximateNumberOfMessagesVisible", "Average", 60);
    assert_eq!(visible().await.len(), 0);
    server.control.advance_clock(Duration::from_mins(10));
    // A minute more or less, since a minute may end while the test runs.
    assert!((4..=6).contains(&visible().await.len()));
    server.control.set_metric_delay(Duration::ZERO);
    assert!((19..=21).contains(&visible().await.len()));
}

#[tokio::test]
async fn a_queue_that_nobody_uses_has_no_data_rather_than_zeros() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    server.control.advance_clock(10 * HOUR);
    assert!(
        values(&server, "ApproximateNumberOfMessagesVisible", "Average", 60)
            .await
            .is_empty()
    );
    server
        .sqs
        .get_queue_attributes()
        .queue_url(&url)
        .send()
        .await
        .unwrap();
    server.control.advance_clock(Duration::from_mins(10));
    let visible = values(&server, "ApproximateNumberOfMessagesVisible", "Average", 60).await;
    assert!(
        visible.len() >= 7,
        "asking for attributes makes it active: {visible:?}"
    );
}

#[tokio::test]
async fn results_come_in_pages() {
    let server = given_a_server().await;
    server.given_a_queue("orders", &[]);
    server.control.advance_clock(HOUR);
    let now = server.control.now();
    let mut pages = client(&server)
        .get_metric_data()
        .start_time(DateTime::from(UNIX_EPOCH + now - 2 * HOUR))
        .end_time(DateTime::from(UNIX_EPOCH + now))
        .metric_data_queries(query("sent", "NumberOfMessagesSent", "Sum", 60))
        .metric_data_queries(query("age", "ApproximateAgeOfOldestMessage", "Maximum", 60))
        .max_datapoints(50)
        .into_paginator()
        .send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let results = page.unwrap().metric_data_results.unwrap();
        sizes.push(
            results
                .iter()
                .map(|result| result.values().len())
                .sum::<usize>(),
        );
    }
    let (last, full) = sizes.split_last().unwrap();
    assert!(
        full.iter().all(|size| *size == 50) && full.len() >= 2 && *last <= 50,
        "{sizes:?}"
    );
}

#[tokio::test]
async fn statistics_of_one_metric_come_with_their_unit() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    server.send_hello(&url).await;
    server.control.advance_clock(Duration::from_mins(10));
    let now = server.control.now();
    let answer = client(&server)
        .get_metric_statistics()
        .namespace("AWS/SQS")
        .metric_name("ApproximateAgeOfOldestMessage")
        .dimensions(of_queue("orders"))
        .start_time(DateTime::from(UNIX_EPOCH + now - HOUR))
        .end_time(DateTime::from(UNIX_EPOCH + now))
        .period(3_600)
        .statistics(Statistic::Maximum)
        .statistics(Statistic::SampleCount)
        .send()
        .await
        .unwrap();
    let maximum = answer
        .datapoints()
        .iter()
        .filter_map(|point| point.maximum)
        .fold(0.0, f64::max);
    assert!((420.0..=600.0).contains(&maximum), "{answer:?}");
    assert_eq!(answer.datapoints()[0].unit().unwrap().as_str(), "Seconds");
}

#[tokio::test]
async fn metrics_of_ones_own_are_kept_and_listed() {
    let server = given_a_server().await;
    let client = client(&server);
    let datum = MetricDatum::builder()
        .metric_name("Done")
        .dimensions(of_queue("orders"));
    let put = client
        .put_metric_data()
        .namespace("Shop")
        .metric_data(datum.value(7.5).build());
    put.send().await.unwrap();
    let listed = client
        .list_metrics()
        .namespace("Shop")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.metrics()[0].metric_name(), Some("Done"));
    let reserved = client
        .put_metric_data()
        .namespace("AWS/SQS")
        .send()
        .await
        .unwrap_err();
    assert_eq!(reserved.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn the_metrics_of_queues_are_listed() {
    let server = given_a_server().await;
    server.given_a_queue("orders", &[]);
    server.given_a_queue("payments.fifo", &[("FifoQueue", "true")]);
    server.control.advance_clock(Duration::from_mins(2));
    let listed = client(&server)
        .list_metrics()
        .namespace("AWS/SQS")
        .send()
        .await
        .unwrap();
    assert_eq!(
        listed.metrics().len(),
        8 + 9,
        "the standard queue has no groups: {listed:?}"
    );
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_a_validation_error() {
    let server = given_a_server().await;
    let now = DateTime::from(UNIX_EPOCH + server.control.now());
    let request = client(&server)
        .get_metric_data()
        .start_time(now)
        .end_time(now);
    let request = request.metric_data_queries(query("m", "NumberOfMessagesSent", "Sum", 60));
    let error = request.send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationError"), "{error:?}");
}

#[tokio::test]
async fn cloudwatch_can_be_throttled_while_sqs_works() {
    let server = given_a_server().await;
    let url = server.given_a_queue("orders", &[]);
    server
        .control
        .set_fault(FaultRule::on("ListMetrics", FaultAction::Throttle));
    let error = client(&server).list_metrics().send().await.unwrap_err();
    assert_eq!(error.code(), Some("Throttling"), "{error:?}");
    assert!(
        server
            .sqs
            .get_queue_attributes()
            .queue_url(&url)
            .send()
            .await
            .is_ok()
    );
    assert_eq!(server.control.requests("ListMetrics"), 1);
}
