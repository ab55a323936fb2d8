//! Where metrics are: those of the queues in their samples, all others here as they were put.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    CloudWatchError,
    samples::{MINUTE, SAMPLES_MAX},
    statistics::{Datapoint, Statistics, start_of},
};
use crate::local::{local_queue::LocalQueue, server::Shared};

/// The namespace whose metrics come from the queues.
pub(super) const SQS_NAMESPACE: &str = "AWS/SQS";
/// The dimension by which a queue is named there.
pub(super) const QUEUE_NAME: &str = "QueueName";

/// How long after its minute a queue's metric can be seen, as measured on AWS: one to three minutes.
pub(crate) const DELAY_DEFAULT: Duration = Duration::from_secs(90);
/// More custom metrics than this are refused.
const CUSTOM_METRICS_MAX: usize = 10_000;

/// Which metric, with all its dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metric {
    pub(super) namespace: String,
    #[serde(rename = "MetricName")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) value: String,
}

/// A stretch of time; its end is not part of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) start: Duration,
    pub(super) end: Duration,
}

/// Metrics that were put, and how the queues' own are published.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(super) custom: BTreeMap<Metric, BTreeMap<Duration, Statistics>>,
    pub(crate) delay: Duration,
    /// The end of the next minute to sample.
    pub(crate) next_sample_at: Duration,
}

impl Stretch {
    pub(super) fn contains(&self, at: Duration) -> bool {
        (self.start..self.end).contains(&at)
    }
}

impl Metrics {
    pub(crate) fn starting_at(now: Duration) -> Self {
        Self {
            custom: BTreeMap::new(),
            delay: DELAY_DEFAULT,
            next_sample_at: start_of(now, MINUTE) + MINUTE,
        }
    }

    /// Stores values of a metric for the minute of `at`; old minutes go.
    pub(super) fn put(
        &mut self,
        mut metric: Metric,
        at: Duration,
        values: &Statistics,
    ) -> Result<(), CloudWatchError> {
        metric.dimensions.sort();
        if self.custom.len() >= CUSTOM_METRICS_MAX && !self.custom.contains_key(&metric) {
            return Err(CloudWatchError::LimitExceeded(CUSTOM_METRICS_MAX));
        }
        let minutes = self.custom.entry(metric).or_default();
        minutes
            .entry(start_of(at, MINUTE))
            .and_modify(|known| known.add(values))
            .or_insert(*values);
        if minutes.len() > SAMPLES_MAX {
            minutes.pop_first();
        }
        Ok(())
    }
}

/// The minutes of a metric that are published by now, in the order of time.
pub(super) fn minutes(shared: &Shared, metric: &Metric, stretch: Stretch) -> Vec<Datapoint> {
    if metric.namespace == SQS_NAMESPACE {
        let published = shared.now().saturating_sub(shared.metrics().delay);
        let account = shared.account();
        let queue = queue_name(metric).and_then(|name| account.queues.get(name));
        return queue.map_or_else(Vec::new, |queue| {
            of_queue(queue, metric, stretch, published)
        });
    }
    let mut metric = metric.clone();
    metric.dimensions.sort();
    let metrics = shared.metrics();
    let minutes = metrics.custom.get(&metric).into_iter().flatten();
    minutes
        .filter(|(at, _)| stretch.contains(**at))
        .map(|(at, statistics)| Datapoint {
            at: *at,
            statistics: *statistics,
        })
        .collect()
}

fn of_queue(
    queue: &LocalQueue,
    metric: &Metric,
    stretch: Stretch,
    published: Duration,
) -> Vec<Datapoint> {
    let samples = queue.samples.iter();
    samples
        .filter(|sample| stretch.contains(sample.at) && sample.at + MINUTE <= published)
        .filter_map(|sample| {
            let statistics = sample.get(&metric.name)?;
            Some(Datapoint {
                at: sample.at,
                statistics,
            })
        })
        .collect()
}

/// The queue of an AWS/SQS metric: its one and only dimension.
fn queue_name(metric: &Metric) -> Option<&str> {
    match metric.dimensions.as_slice() {
        [only] if only.name == QUEUE_NAME => Some(&only.value),
        _ => None,
    }
}
