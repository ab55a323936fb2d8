//! `ListMetrics`: which metrics there are.

use serde::{Deserialize, Serialize};

use super::{
    CloudWatchError,
    samples::metric_names,
    store::{Dimension, Metric, QUEUE_NAME, SQS_NAMESPACE},
};
use crate::local::{local_queue::LocalQueue, server::Shared};

/// `CloudWatch` lists this many metrics at once.
const PAGE_SIZE: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMetrics {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<DimensionFilter>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DimensionFilter {
    name: String,
    value: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricList {
    metrics: Vec<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list_metrics(
    shared: &Shared,
    request: ListMetrics,
) -> Result<MetricList, CloudWatchError> {
    let skipped: usize = match &request.next_token {
        None => 0,
        Some(token) => token.parse().map_err(|_| {
            CloudWatchError::InvalidParameterValue(format!(
                "The NextToken \"{token}\" is not valid."
            ))
        })?,
    };
    let mut metrics: Vec<Metric> = shared
        .account()
        .queues
        .values()
        .flat_map(of_queue)
        .collect();
    metrics.extend(shared.metrics().custom.keys().cloned());
    let mut matching = metrics
        .into_iter()
        .filter(|metric| request.covers(metric))
        .skip(skipped);
    let metrics: Vec<Metric> = matching.by_ref().take(PAGE_SIZE).collect();
    let next_token = matching.next().map(|_| (skipped + PAGE_SIZE).to_string());
    Ok(MetricList {
        metrics,
        next_token,
    })
}

impl ListMetrics {
    fn covers(&self, metric: &Metric) -> bool {
        self.namespace
            .as_ref()
            .is_none_or(|namespace| *namespace == metric.namespace)
            && self
                .metric_name
                .as_ref()
                .is_none_or(|name| *name == metric.name)
            && self.dimensions.iter().all(|filter| {
                metric.dimensions.iter().any(|dimension| {
                    dimension.name == filter.name
                        && filter
                            .value
                            .as_ref()
                            .is_none_or(|value| *value == dimension.value)
                })
            })
    }
}

/// The metrics that a queue has had a value of.
fn of_queue(queue: &LocalQueue) -> impl Iterator<Item = Metric> {
    let is_known = |name: &&str| {
        queue
            .samples
            .iter()
            .any(|sample| sample.get(name).is_some())
    };
    metric_names().filter(is_known).map(|name| Metric {
        namespace: SQS_NAMESPACE.to_owned(),
        name: name.to_owned(),
        dimensions: vec![Dimension {
            name: QUEUE_NAME.to_owned(),
            value: queue.name.clone(),
        }],
    })
}
