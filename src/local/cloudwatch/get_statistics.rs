//! `GetMetricStatistics`: one metric, all statistics that are asked for.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    CloudWatchError,
    period::{Seconds, checked_period, checked_stretch},
    statistics::{Datapoint, by_period},
    store::{Metric, minutes},
};
use crate::local::server::Shared;

/// `CloudWatch` gives this many datapoints at once and refuses to give more.
const DATAPOINTS_MAX: usize = 1_440;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricStatistics {
    #[serde(flatten)]
    metric: Metric,
    start_time: Seconds,
    end_time: Seconds,
    period: u64,
    #[serde(default)]
    statistics: Vec<String>,
}

pub(super) fn get_metric_statistics(
    shared: &Shared,
    request: GetMetricStatistics,
) -> Result<Value, CloudWatchError> {
    if request.statistics.is_empty() {
        return Err(CloudWatchError::InvalidParameterCombination(
            "Must specify either Statistics or ExtendedStatistics; the local server knows the former only."
                .to_owned(),
        ));
    }
    let period = checked_period(request.period)?;
    let stretch = checked_stretch(request.start_time, request.end_time, period)?;
    let points = by_period(
        minutes(shared, &request.metric, stretch).into_iter(),
        period,
    );
    if points.len() > DATAPOINTS_MAX {
        return Err(CloudWatchError::InvalidParameterCombination(format!(
            "You have requested up to {} datapoints, which exceeds the limit of {DATAPOINTS_MAX}.",
            points.len()
        )));
    }
    let datapoints = points
        .iter()
        .map(|point| request.show(point))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "Label": request.metric.name, "Datapoints": datapoints }))
}

impl GetMetricStatistics {
    fn show(&self, point: &Datapoint) -> Result<Value, CloudWatchError> {
        let mut shown = Map::new();
        shown.insert("Timestamp".to_owned(), json!(point.at.as_secs()));
        for name in &self.statistics {
            let value = point.statistics.get(name).ok_or_else(|| {
                CloudWatchError::InvalidParameterValue(format!(
                    "The statistic {name} is not known."
                ))
            })?;
            shown.insert(name.clone(), json!(value));
        }
        shown.insert("Unit".to_owned(), json!(unit(&self.metric.name)));
        Ok(Value::Object(shown))
    }
}

fn unit(metric: &str) -> &'static str {
    match metric {
        name if name.starts_with("ApproximateAgeOfOldestMessage") => "Seconds",
        "SentMessageSize" => "Bytes",
        name if name.contains("NumberOf") => "Count",
        _ => "None",
    }
}
