//! A client of `CloudWatch`: series asked for, values told, errors sorted. The only file that names its
//! SDK. Knows nothing of who wants them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aws_sdk_cloudwatch::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::get_metric_data::{GetMetricDataError, GetMetricDataOutput},
    primitives::DateTime,
    types::{
        Dimension, Metric as SdkMetric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy,
        StatusCode,
    },
};

use crate::{
    queue::{AwsConfig, FetchError, Metric, chain_of_causes, credentials::Caller, shortened},
    scaling::QueueRef,
};

/// One attempt and one more: the poller comes back by itself.
const ATTEMPTS: u32 = 2;

/// A call with its retry, below the poller's own deadline so that the cause is told.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// An answer of so many pages is cut off: by `CloudWatch`'s own page size, all that we ask for has one.
const PAGES_MAX: usize = 400;

#[derive(Debug)]
pub(super) struct CloudWatchClient {
    sdk: Client,
    /// Set when queries that name the account of a queue are refused as such.
    takes_no_account: AtomicBool,
}

/// What to ask for: some metrics over some time.
#[derive(Debug)]
pub(super) struct Series<'a> {
    pub(super) asked: Vec<(&'a QueueRef, Metric)>,
    /// The length of what each value is about.
    pub(super) step: Duration,
    /// The beginning and the end, since the Unix epoch.
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// How many values a page may have.
    pub(super) page_values: i32,
}

/// Values of one metric: its place in the request, and each with the beginning of its step.
pub(super) type Told = (usize, Vec<(Duration, f64)>);

impl CloudWatchClient {
    pub(super) fn new(aws: &AwsConfig, caller: &Caller) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(CALL_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let mut config = aws_sdk_cloudwatch::config::Builder::from(&aws.of(caller))
            .timeout_config(timeouts)
            .retry_config(retries);
        if let Some(endpoint) = &caller.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Self {
            sdk: Client::from_conf(config.build()),
            takes_no_account: AtomicBool::new(false),
        }
    }

    /// Asks by queries that name the account of the queues. Where AWS does not take that, it is asked
    /// without: then a queue of another account has no minutes.
    pub(super) async fn ask(
        &self,
        series: &Series<'_>,
        account: Option<&String>,
    ) -> Result<Vec<Told>, FetchError> {
        let account = account.filter(|_| !self.takes_no_account.load(Ordering::Relaxed));
        match self.ask_of_account(series, account).await {
            Err(FetchError::Invalid { .. }) if account.is_some() => {
                self.takes_no_account.store(true, Ordering::Relaxed);
                self.ask_of_account(series, None).await
            }
            answer => answer,
        }
    }

    /// Asks for all pages.
    async fn ask_of_account(
        &self,
        series: &Series<'_>,
        account: Option<&String>,
    ) -> Result<Vec<Told>, FetchError> {
        let asked = series.asked.iter().enumerate();
        let queries = asked.map(|(id, asked)| query(id, *asked, series.step, account));
        let request = self
            .sdk
            .get_metric_data()
            .start_time(date_time(series.from))
            .end_time(date_time(series.until))
            .scan_by(ScanBy::TimestampAscending)
            .max_datapoints(series.page_values)
            .set_metric_data_queries(Some(queries.collect()));
        let (mut told, mut next_page) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page: GetMetricDataOutput = request
                .clone()
                .set_next_token(next_page)
                .send()
                .await
                .map_err(|error| fetch_error(&error))?;
            for result in page.metric_data_results() {
                permitted(result)?;
                told.extend(id_of(result).map(|id| (id, values(result).collect())));
            }
            next_page = page.next_token;
            if next_page.is_none() {
                break;
            }
        }
        Ok(told)
    }
}

/// Within an answer, a metric may be refused that another account does not share.
fn permitted(result: &MetricDataResult) -> Result<(), FetchError> {
    if result.status_code() == Some(&StatusCode::Forbidden) {
        return Err(FetchError::NoPermission {
            code: "Forbidden".to_owned(),
            message: "the account of the queue does not share its metrics".to_owned(),
        });
    }
    Ok(())
}

fn date_time(since_epoch: Duration) -> DateTime {
    DateTime::from_secs(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}

/// One metric of one queue, in steps of some length. Its id carries its place in the request.
fn query(
    id: usize,
    (queue, metric): (&QueueRef, Metric),
    step: Duration,
    account: Option<&String>,
) -> MetricDataQuery {
    let (name, statistic) = name_of(metric);
    let dimension = Dimension::builder().name("QueueName").value(&queue.name);
    let asked = SdkMetric::builder()
        .namespace("AWS/SQS")
        .metric_name(name)
        .dimensions(dimension.build());
    let series = MetricStat::builder()
        .metric(asked.build())
        .period(i32::try_from(step.as_secs()).unwrap_or(i32::MAX))
        .stat(statistic);
    MetricDataQuery::builder()
        .id(format!("m{id}"))
        .set_account_id(account.cloned())
        .metric_stat(series.build())
        .build()
}

/// What SQS calls a metric, and which statistic of a minute is meant.
fn name_of(metric: Metric) -> (&'static str, &'static str) {
    match metric {
        Metric::Sent => ("NumberOfMessagesSent", "Sum"),
        Metric::Received => ("NumberOfMessagesReceived", "Sum"),
        Metric::Deleted => ("NumberOfMessagesDeleted", "Sum"),
        Metric::Visible => ("ApproximateNumberOfMessagesVisible", "Average"),
        Metric::InFlight => ("ApproximateNumberOfMessagesNotVisible", "Average"),
        Metric::OldestAge => ("ApproximateAgeOfOldestMessage", "Maximum"),
        Metric::GroupsInFlight => ("ApproximateNumberOfGroupsWithInflightMessages", "Maximum"),
        Metric::NoisyGroups => ("ApproximateNumberOfNoisyGroups", "Maximum"),
        Metric::QuietVisible => ("ApproximateNumberOfMessagesVisibleInQuietGroups", "Average"),
        Metric::QuietInFlight => (
            "ApproximateNumberOfMessagesNotVisibleInQuietGroups",
            "Average",
        ),
        Metric::QuietOldestAge => ("ApproximateAgeOfOldestMessageInQuietGroups", "Maximum"),
    }
}

fn id_of(result: &MetricDataResult) -> Option<usize> {
    result.id()?.strip_prefix('m')?.parse().ok()
}

/// The values of a result, each with the time since the Unix epoch at which its stretch began. One that is
/// no count is left out.
fn values(result: &MetricDataResult) -> impl Iterator<Item = (Duration, f64)> {
    let points = result.timestamps().iter().zip(result.values());
    points.filter_map(|(at, value)| {
        let from = Duration::from_secs(u64::try_from(at.secs()).ok()?);
        (value.is_finite() && *value >= 0.0).then_some((from, *value))
    })
}

fn fetch_error(error: &SdkError<GetMetricDataError>) -> FetchError {
    let SdkError::ServiceError(refusal) = error else {
        return FetchError::Failed {
            cause: chain_of_causes(error),
        };
    };
    let code = refusal.err().code().unwrap_or("unknown error").to_owned();
    let message = shortened(refusal.err().message().unwrap_or("no message"));
    let names = |words: &[&str]| words.iter().any(|word| code.contains(word));
    if names(&["Throttl", "RequestLimitExceeded", "TooManyRequests"]) {
        FetchError::Throttled { code }
    } else if names(&[
        "AccessDenied",
        "NotAuthorized",
        "Unauthorized",
        "UnrecognizedClient",
    ]) || names(&[
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "OptInRequired",
    ]) {
        FetchError::NoPermission { code, message }
    } else if names(&["Validation", "InvalidParameter"]) {
        FetchError::Invalid { code, message }
    } else {
        FetchError::Failed {
            cause: format!("{code}: {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_counts_are_left_out() {
        let result = MetricDataResult::builder()
            .id("m7")
            .set_timestamps(Some(
                (-1..5)
                    .map(|minute| DateTime::from_secs(60 * minute))
                    .collect(),
            ))
            .set_values(Some(vec![1.0, 2.0, f64::NAN, -1.0, f64::INFINITY, 0.0]))
            .build();
        let seen: Vec<_> = values(&result).collect();
        let at = Duration::from_secs;
        assert_eq!(seen, [(at(0), 2.0), (at(240), 0.0)]);
        assert_eq!(id_of(&result), Some(7));
    }
}
