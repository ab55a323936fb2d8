//! Amazon `CloudWatch`, and the only file that names its SDK. Reads the metrics that SQS writes of its
//! queues, and changes nothing. It needs `cloudwatch:GetMetricData`, which AWS grants for all metrics or
//! for none.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_cloudwatch::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::get_metric_data::{GetMetricDataError, GetMetricDataOutput},
    primitives::DateTime,
    types::{Dimension, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode},
};
use moka::sync::Cache;

use super::{
    AwsConfig, FetchError, Metric, MinuteCall, MinuteSource, Place, chain_of_causes,
    credentials::Caller, shortened,
};
use crate::scaling::{Minute, QueueRef};

/// Distinct (region, endpoint, identity) whose connections are kept; more are made anew.
const CLIENTS_MAX: u64 = 256;

/// A client that nobody has used for so long is dropped with its connections.
const CLIENT_IDLE: Duration = Duration::from_hours(1);

/// One attempt and one more: the poller comes back by itself.
const ATTEMPTS: u32 = 2;

/// A call with its retry, below the poller's own deadline so that the cause is told.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// An answer of so many pages is cut off: a call of 500 metrics and half an hour has one, a history of two
/// months has one.
const PAGES_MAX: usize = 400;

/// `CloudWatch` gives at most so many values in a page.
pub const PAGE_VALUES_MAX: i32 = 100_800;

/// `CloudWatch` keeps single minutes for 15 days and five minutes for 63; a day less is safe to ask for.
const MINUTES_KEPT_DAYS: u32 = 14;
/// More days than this cannot be had in steps short enough to replay.
pub const HISTORY_DAYS_MAX: u32 = 62;

const MINUTE: Duration = Duration::from_mins(1);

/// The endpoints of AWS itself, whose queues have their metrics in the region's `CloudWatch`.
const AWS_DOMAINS: [&str; 4] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
];

/// Which `CloudWatch` is asked for a queue whose trigger names an endpoint of its own for SQS, such as a
/// stand-in for it: the real one knows nothing of such a queue, or worse, of another one by its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CloudWatchEndpoint {
    /// The region's, or the one that `AWS_ENDPOINT_URL_CLOUDWATCH` or `AWS_ENDPOINT_URL` names; none for
    /// queues at endpoints that are not AWS's.
    #[default]
    Region,
    /// The same endpoint that the trigger names for SQS, as a stand-in for both; else as above.
    Trigger,
    /// This one, for every queue.
    Url(String),
}

/// Asks Amazon `CloudWatch`, or an endpoint that stands in for it.
#[derive(Debug)]
pub struct CloudWatchSource {
    aws: AwsConfig,
    endpoint: CloudWatchEndpoint,
    clients: Cache<Caller, Arc<CloudWatchClient>>,
}

#[derive(Debug)]
struct CloudWatchClient {
    sdk: Client,
    /// Set when queries that name the account of a queue are refused as such.
    takes_no_account: AtomicBool,
}

/// A series that is asked for, over some time.
#[derive(Debug)]
struct Series {
    queries: Vec<MetricDataQuery>,
    from: Duration,
    until: Duration,
    page_values: i32,
}

impl CloudWatchSource {
    /// Asks nothing yet.
    pub fn new(aws: AwsConfig, endpoint: CloudWatchEndpoint) -> Self {
        let clients = Cache::builder()
            .max_capacity(CLIENTS_MAX)
            .time_to_idle(CLIENT_IDLE)
            .build();
        Self {
            aws,
            endpoint,
            clients,
        }
    }

    fn client(&self, place: &Place) -> Arc<CloudWatchClient> {
        let caller = Caller {
            region: place.region.clone(),
            endpoint: place.endpoint.clone(),
            identity: place.identity.clone(),
        };
        self.clients
            .get_with_by_ref(&caller, || Arc::new(self.new_client(&caller)))
    }

    fn new_client(&self, caller: &Caller) -> CloudWatchClient {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(CALL_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let mut config = aws_sdk_cloudwatch::config::Builder::from(&self.aws.of(caller))
            .timeout_config(timeouts)
            .retry_config(retries);
        if let Some(endpoint) = &caller.endpoint {
            config = config.endpoint_url(endpoint);
        }
        CloudWatchClient {
            sdk: Client::from_conf(config.build()),
            takes_no_account: AtomicBool::new(false),
        }
    }

    /// How many messages were sent to `queue` in the last `days` before `now`: by minutes, and by five
    /// minutes where `days` reach back too far for that. Stretches that nothing is known of are left out.
    ///
    /// # Errors
    /// When the queue has no metrics to ask for, or `CloudWatch` does not give them.
    pub async fn history(
        &self,
        queue: &QueueRef,
        days: u32,
        now: Duration,
    ) -> Result<History, FetchError> {
        self.history_by_pages(queue, (days, now), PAGE_VALUES_MAX)
            .await
    }

    /// As [`Self::history`], with so many values in a page.
    ///
    /// # Errors
    /// As [`Self::history`].
    pub async fn history_by_pages(
        &self,
        queue: &QueueRef,
        (days, now): (u32, Duration),
        page_values: i32,
    ) -> Result<History, FetchError> {
        let place = self.place(queue).map_err(|reason| FetchError::Failed {
            cause: reason.to_string(),
        })?;
        let step = if days <= MINUTES_KEPT_DAYS {
            MINUTE
        } else {
            5 * MINUTE
        };
        let until = start_of(now, step);
        let length = Duration::from_hours(24).saturating_mul(days.min(HISTORY_DAYS_MAX));
        let series = Series {
            queries: vec![query(
                0,
                (Metric::Sent, step),
                queue,
                place.account.as_ref(),
            )],
            from: until.saturating_sub(length),
            until,
            page_values,
        };
        let mut sent = BTreeMap::new();
        for result in self.client(&place).ask(series).await? {
            sent.extend(values(&result));
        }
        let sent = sent.into_iter().collect();
        Ok(History { step, sent })
    }
}

/// What was sent to a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// From the beginning of a stretch to its end.
    pub step: Duration,
    /// The beginning of each stretch since the Unix epoch and the messages sent in it, in order.
    pub sent: Vec<(Duration, f64)>,
}

impl MinuteSource for CloudWatchSource {
    fn place(&self, queue: &QueueRef) -> Result<Place, Arc<str>> {
        let own = queue.endpoint.as_deref().filter(|url| !is_of_aws(url));
        let endpoint = match (&self.endpoint, own) {
            (CloudWatchEndpoint::Url(url), _) => Some(url.clone()),
            (CloudWatchEndpoint::Trigger, Some(url)) => Some(url.to_owned()),
            (CloudWatchEndpoint::Region, Some(_)) => {
                let reason = "the trigger's awsEndpoint is not AWS's, and no CloudWatch is known that \
                              goes with it (--cloudwatch-endpoint)";
                return Err(reason.into());
            }
            (_, None) => None,
        };
        Ok(Place {
            region: queue.region.clone(),
            // A stand-in may know nothing of accounts.
            account: endpoint.is_none().then(|| account(&queue.url)).flatten(),
            endpoint,
            identity: queue.identity.clone(),
        })
    }

    async fn fetch(
        &self,
        place: &Place,
        call: &MinuteCall,
    ) -> Result<Vec<Vec<Minute>>, FetchError> {
        let client = self.client(place);
        let asked: Vec<(usize, Metric)> = call
            .queues
            .iter()
            .enumerate()
            .flat_map(|(index, (_, metrics))| metrics.iter().map(move |metric| (index, *metric)))
            .collect();
        let account = place.account.as_ref();
        let queries = |account: Option<&String>| {
            let queries = asked
                .iter()
                .enumerate()
                .filter_map(|(id, (index, metric))| {
                    let (queue, _) = call.queues.get(*index)?;
                    Some(query(id, (*metric, MINUTE), queue, account))
                });
            Series {
                queries: queries.collect(),
                from: call.from,
                until: call.until,
                page_values: PAGE_VALUES_MAX,
            }
        };
        let results = client.ask_of_account(queries, account).await?;
        let mut minutes = vec![BTreeMap::new(); call.queues.len()];
        for result in results {
            let told = result_id(&result).and_then(|id| asked.get(id));
            if let Some((minutes, metric)) =
                told.and_then(|(index, metric)| Some((minutes.get_mut(*index)?, metric)))
            {
                fill(minutes, *metric, &result);
            }
        }
        let sorted = |minutes: BTreeMap<Duration, Minute>| minutes.into_values().collect();
        Ok(minutes.into_iter().map(sorted).collect())
    }
}

impl CloudWatchClient {
    /// Asks by queries that name the account of the queues. Where AWS does not take that, it is asked
    /// without: then a queue of another account has no minutes.
    async fn ask_of_account(
        &self,
        series: impl Fn(Option<&String>) -> Series,
        account: Option<&String>,
    ) -> Result<Vec<MetricDataResult>, FetchError> {
        let account = account.filter(|_| !self.takes_no_account.load(Ordering::Relaxed));
        match self.ask(series(account)).await {
            Err(FetchError::Invalid { .. }) if account.is_some() => {
                self.takes_no_account.store(true, Ordering::Relaxed);
                self.ask(series(None)).await
            }
            answer => answer,
        }
    }

    /// Asks for all pages.
    async fn ask(&self, series: Series) -> Result<Vec<MetricDataResult>, FetchError> {
        let time = |since_epoch: Duration| {
            DateTime::from_secs(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
        };
        let request = self
            .sdk
            .get_metric_data()
            .start_time(time(series.from))
            .end_time(time(series.until))
            .scan_by(ScanBy::TimestampAscending)
            .max_datapoints(series.page_values)
            .set_metric_data_queries(Some(series.queries));
        let (mut results, mut next_page) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page: GetMetricDataOutput = request
                .clone()
                .set_next_token(next_page)
                .send()
                .await
                .map_err(|error| fetch_error(&error))?;
            next_page = page.next_token;
            results.extend(page.metric_data_results.unwrap_or_default());
            if next_page.is_none() {
                break;
            }
        }
        match results
            .iter()
            .find(|result| result.status_code == Some(StatusCode::Forbidden))
        {
            Some(_) => Err(FetchError::NoPermission {
                code: "Forbidden".to_owned(),
                message: "the account of the queue does not share its metrics".to_owned(),
            }),
            None => Ok(results),
        }
    }
}

/// One metric of one queue, in steps of some length. Its id carries its place in the request.
fn query(
    id: usize,
    (metric, step): (Metric, Duration),
    queue: &QueueRef,
    account: Option<&String>,
) -> MetricDataQuery {
    let (name, statistic) = name_of(metric);
    let dimension = Dimension::builder().name("QueueName").value(&queue.name);
    let asked = aws_sdk_cloudwatch::types::Metric::builder()
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
        Metric::OldestAge => ("ApproximateAgeOfOldestMessage", "Maximum"),
        Metric::GroupsInFlight => ("ApproximateNumberOfGroupsWithInflightMessages", "Maximum"),
    }
}

fn result_id(result: &MetricDataResult) -> Option<usize> {
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

fn fill(minutes: &mut BTreeMap<Duration, Minute>, metric: Metric, result: &MetricDataResult) {
    for (from, value) in values(result) {
        let minute = minutes.entry(from).or_default();
        minute.from = from;
        match metric {
            Metric::Sent => minute.sent = Some(value),
            Metric::Received => minute.received = Some(value),
            Metric::Deleted => minute.deleted = Some(value),
            Metric::OldestAge => minute.oldest_age = Duration::try_from_secs_f64(value).ok(),
            Metric::GroupsInFlight => minute.groups_in_flight = Some(value),
        }
    }
}

fn fetch_error(error: &SdkError<GetMetricDataError>) -> FetchError {
    let SdkError::ServiceError(refusal) = error else {
        return FetchError::Failed {
            cause: chain_of_causes(&DisplayErrorContext(error)),
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

/// The account in a queue's URL.
fn account(queue_url: &str) -> Option<String> {
    let (_, after_scheme) = queue_url.split_once("://")?;
    let account = after_scheme.split('/').nth(1)?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| account.to_owned())
}

fn is_of_aws(endpoint: &str) -> bool {
    let after_scheme = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    let host = after_scheme.split(['/', ':']).next().unwrap_or_default();
    AWS_DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// The multiple of `step` at or before `at`.
fn start_of(at: Duration, step: Duration) -> Duration {
    let seconds = at.as_secs();
    Duration::from_secs(seconds - seconds.checked_rem(step.as_secs()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::Identity;

    fn given_queue(url: &str, endpoint: Option<&str>) -> QueueRef {
        QueueRef {
            url: url.to_owned(),
            name: "orders".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: endpoint.map(str::to_owned),
            identity: Identity::Own,
        }
    }

    async fn given_source(endpoint: CloudWatchEndpoint) -> CloudWatchSource {
        CloudWatchSource::new(AwsConfig::from_environment().await, endpoint)
    }

    #[tokio::test]
    async fn a_queue_at_an_endpoint_that_is_not_of_aws_has_minutes_only_if_it_is_said_where() {
        let own = Some("http://127.0.0.1:9324");
        let vpc = Some("https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com");
        let url = || CloudWatchEndpoint::Url("http://cw:1".to_owned());
        let cases = [
            (CloudWatchEndpoint::Region, None, Ok(None)),
            (CloudWatchEndpoint::Region, vpc, Ok(None)),
            (CloudWatchEndpoint::Region, own, Err(())),
            (
                CloudWatchEndpoint::Region,
                Some("https://sqs.evil-amazonaws.com"),
                Err(()),
            ),
            (CloudWatchEndpoint::Trigger, None, Ok(None)),
            (CloudWatchEndpoint::Trigger, own, Ok(own)),
            (url(), own, Ok(Some("http://cw:1"))),
            (url(), None, Ok(Some("http://cw:1"))),
        ];
        for (setting, endpoint, expected) in cases {
            let source = given_source(setting.clone()).await;
            let place = source.place(&given_queue("orders", endpoint));
            let found = place.map(|place| place.endpoint).map_err(|_| ());
            let expected = expected.map(|url| url.map(str::to_owned));
            assert_eq!(found, expected, "{setting:?} {endpoint:?}");
        }
    }

    #[tokio::test]
    async fn a_queue_of_another_account_is_in_another_place() {
        let source = given_source(CloudWatchEndpoint::Region).await;
        let account = |url| source.place(&given_queue(url, None)).unwrap().account;
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
        assert_eq!(account(url).as_deref(), Some("123456789012"));
        assert_eq!(account("orders"), None);
        assert_eq!(
            account("https://sqs.eu-west-1.amazonaws.com/queue/orders"),
            None
        );
    }

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
        assert_eq!(result_id(&result), Some(7));
    }
}
