//! `PutMetricData`: metrics of one's own. They can be seen at once, where AWS takes up to two minutes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    CloudWatchError,
    period::Seconds,
    statistics::Statistics,
    store::{Dimension, Metric},
};
use crate::local::server::Shared;

/// `CloudWatch` takes this many metrics at once.
const DATA_MAX: usize = 1_000;
/// `CloudWatch` takes this many values of one metric at once.
const VALUES_MAX: usize = 150;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutMetricData {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<Seconds>,
    value: Option<f64>,
    statistic_values: Option<StatisticSet>,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    counts: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatisticSet {
    sample_count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

pub(super) fn put_metric_data(
    shared: &Shared,
    request: PutMetricData,
) -> Result<Value, CloudWatchError> {
    if request.namespace.starts_with("AWS/") {
        return Err(CloudWatchError::InvalidParameterValue(
            "The value AWS/ for parameter Namespace is invalid: it is reserved.".to_owned(),
        ));
    }
    if request.metric_data.len() > DATA_MAX {
        return Err(CloudWatchError::InvalidParameterValue(format!(
            "The collection MetricData must not have a size greater than {DATA_MAX}."
        )));
    }
    let checked: Vec<_> = request
        .metric_data
        .into_iter()
        .map(|datum| datum.statistics().map(|statistics| (datum, statistics)))
        .collect::<Result<_, _>>()?;
    let now = shared.now();
    for (datum, statistics) in checked {
        let at = datum.timestamp.map_or(now, |timestamp| timestamp.0);
        let metric = Metric {
            namespace: request.namespace.clone(),
            name: datum.metric_name,
            dimensions: datum.dimensions,
        };
        shared.metrics().put(metric, at, &statistics)?;
    }
    Ok(json!({}))
}

impl Datum {
    fn statistics(&self) -> Result<Statistics, CloudWatchError> {
        match (self.value, &self.statistic_values, self.values.as_slice()) {
            (Some(value), None, []) if value.is_finite() => Ok(Statistics::of(value)),
            (None, Some(set), []) => Ok(Statistics {
                sum: set.sum,
                samples: set.sample_count,
                minimum: set.minimum,
                maximum: set.maximum,
            }),
            (None, None, [first, ..]) if self.values.len() <= VALUES_MAX => {
                Ok(self.of_values(*first))
            }
            _ => Err(CloudWatchError::InvalidParameterCombination(format!(
                "The metric {} must have exactly one of Value, StatisticValues and 1 to {VALUES_MAX} Values.",
                self.metric_name
            ))),
        }
    }

    /// Each value as often as its count says, or once.
    fn of_values(&self, first: f64) -> Statistics {
        let mut all = Statistics {
            sum: 0.0,
            samples: 0.0,
            minimum: first,
            maximum: first,
        };
        for (index, value) in self.values.iter().enumerate() {
            let samples = self.counts.get(index).copied().unwrap_or(1.0);
            all.add(&Statistics {
                sum: value * samples,
                samples,
                minimum: *value,
                maximum: *value,
            });
        }
        all
    }
}
