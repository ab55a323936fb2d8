//! Amazon `CloudWatch`: reads the metrics that SQS writes of its queues, and changes nothing. It needs
//! `cloudwatch:GetMetricData`, which AWS grants for all metrics or for none.

mod client;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use moka::sync::Cache;

use self::client::{CloudWatchClient, Series};
use super::{
    AwsConfig, FetchError, LoopbackEndpoints, Metric, MinuteCall, MinuteSource, Place,
    credentials::Caller, endpoint::is_of_aws,
};
use crate::scaling::{Minute, QueueRef, is_account};

/// Distinct (region, endpoint, identity) whose connections are kept; more are made anew.
const CLIENTS_MAX: u64 = 256;

/// A client that nobody has used for so long is dropped with its connections.
const CLIENT_IDLE: Duration = Duration::from_hours(1);

/// `CloudWatch` gives at most so many values in a page.
pub const PAGE_VALUES_MAX: i32 = 100_800;

/// `CloudWatch` keeps single minutes for 15 days and five minutes for 63; a day less is safe to ask for.
const MINUTES_KEPT_DAYS: u32 = 14;
/// More days than this cannot be had in steps short enough to replay.
pub const HISTORY_DAYS_MAX: u32 = 62;

const MINUTE: Duration = Duration::from_mins(1);

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

impl CloudWatchSource {
    /// Asks nothing yet.
    pub fn new(aws: AwsConfig, endpoint: CloudWatchEndpoint) -> Self {
        let clients = Cache::builder()
            .max_capacity(CLIENTS_MAX)
            .time_to_idle(CLIENT_IDLE)
            .build();
        // Who runs the scaler may name any endpoint.
        let aws = match endpoint {
            CloudWatchEndpoint::Url(_) => aws.guarded(LoopbackEndpoints::Allowed),
            CloudWatchEndpoint::Region | CloudWatchEndpoint::Trigger => aws,
        };
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
        self.clients.get_with_by_ref(&caller, || {
            Arc::new(CloudWatchClient::new(&self.aws, &caller))
        })
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
            asked: vec![(queue, Metric::Sent)],
            step,
            from: until.saturating_sub(length),
            until,
            page_values,
        };
        let client = self.client(&place);
        let told = client.ask(&series, place.account.as_ref()).await?;
        let sent: BTreeMap<_, _> = told.into_iter().flat_map(|(_, values)| values).collect();
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
        let asked: Vec<(usize, Metric)> = call
            .queues
            .iter()
            .enumerate()
            .flat_map(|(index, (_, metrics))| metrics.iter().map(move |metric| (index, *metric)))
            .collect();
        let queue_of = |index: usize| call.queues.get(index).map(|(queue, _)| &**queue);
        let series = Series {
            asked: asked
                .iter()
                .filter_map(|(index, metric)| Some((queue_of(*index)?, *metric)))
                .collect(),
            step: MINUTE,
            from: call.from,
            until: call.until,
            page_values: PAGE_VALUES_MAX,
        };
        let client = self.client(place);
        let mut minutes = vec![BTreeMap::new(); call.queues.len()];
        for (id, told) in client.ask(&series, place.account.as_ref()).await? {
            if let Some((index, metric)) = asked.get(id)
                && let Some(minutes) = minutes.get_mut(*index)
            {
                fill(minutes, *metric, told);
            }
        }
        let sorted = |minutes: BTreeMap<Duration, Minute>| minutes.into_values().collect();
        Ok(minutes.into_iter().map(sorted).collect())
    }
}

fn fill(minutes: &mut BTreeMap<Duration, Minute>, metric: Metric, told: Vec<(Duration, f64)>) {
    for (from, value) in told {
        let minute = minutes.entry(from).or_default();
        minute.from = from;
        match metric {
            Metric::Sent => minute.sent = Some(value),
            Metric::Received => minute.received = Some(value),
            Metric::Deleted => minute.deleted = Some(value),
            Metric::OldestAge => minute.oldest_age = Duration::try_from_secs_f64(value).ok(),
            Metric::Visible => minute.visible = Some(value),
            Metric::InFlight => minute.in_flight = Some(value),
            Metric::GroupsInFlight => minute.groups_in_flight = Some(value),
            Metric::NoisyGroups => minute.noisy_groups = Some(value),
            Metric::QuietVisible => minute.quiet_visible = Some(value),
            Metric::QuietInFlight => minute.quiet_in_flight = Some(value),
            Metric::QuietOldestAge => {
                minute.quiet_oldest_age = Duration::try_from_secs_f64(value).ok();
            }
        }
    }
}

/// The account in a queue's URL.
fn account(queue_url: &str) -> Option<String> {
    let (_, after_scheme) = queue_url.split_once("://")?;
    let account = after_scheme.split('/').nth(1)?;
    is_account(account).then(|| account.to_owned())
}

/// The multiple of `step` at or before `at`.
fn start_of(at: Duration, step: Duration) -> Duration {
    let seconds = at.as_secs();
    Duration::from_secs(seconds - seconds.checked_rem(step.as_secs()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_queue(url: &str, endpoint: Option<&str>) -> QueueRef {
        QueueRef {
            endpoint: endpoint.map(str::to_owned),
            ..QueueRef::given(url)
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
}
