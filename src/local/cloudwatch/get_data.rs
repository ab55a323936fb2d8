//! `GetMetricData`: many metrics at once, in pages.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{
    CloudWatchError,
    period::{Seconds, checked_period, checked_stretch},
    statistics::{Datapoint, Statistics, by_period},
    store::{Metric, minutes},
};
use crate::local::server::Shared;

/// `CloudWatch` takes this many queries at once.
const QUERIES_MAX: usize = 500;
/// `CloudWatch` gives this many values at once.
const DATAPOINTS_MAX: usize = 100_800;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricData {
    #[serde(default)]
    metric_data_queries: Vec<Query>,
    start_time: Seconds,
    end_time: Seconds,
    next_token: Option<String>,
    scan_by: Option<String>,
    max_datapoints: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: String,
    metric_stat: Option<MetricStat>,
    label: Option<String>,
    return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Metric,
    period: u64,
    stat: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricData {
    #[serde(rename = "MetricDataResults")]
    results: Vec<MetricResult>,
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricResult {
    id: String,
    label: String,
    timestamps: Vec<u64>,
    values: Vec<f64>,
    status_code: &'static str,
}

pub(super) fn get_metric_data(
    shared: &Shared,
    request: GetMetricData,
) -> Result<MetricData, CloudWatchError> {
    check_queries(&request.metric_data_queries)?;
    let mut results = Vec::new();
    for query in request
        .metric_data_queries
        .iter()
        .filter(|query| query.return_data != Some(false))
    {
        results.push(request.result_of(shared, query)?);
    }
    let page_size = request
        .max_datapoints
        .unwrap_or(DATAPOINTS_MAX)
        .clamp(1, DATAPOINTS_MAX);
    let skipped = match &request.next_token {
        None => 0,
        Some(token) => token.parse().map_err(|_| {
            CloudWatchError::InvalidParameterValue(format!(
                "The NextToken \"{token}\" is not valid."
            ))
        })?,
    };
    let next_token = cut(&mut results, skipped, page_size);
    Ok(MetricData {
        results,
        messages: Vec::new(),
        next_token,
    })
}

impl GetMetricData {
    fn result_of(&self, shared: &Shared, query: &Query) -> Result<MetricResult, CloudWatchError> {
        let stat = query.metric_stat.as_ref().ok_or_else(|| {
            CloudWatchError::Validation(format!(
                "The query \"{}\" has no MetricStat; the local server knows no metric math.",
                query.id
            ))
        })?;
        let period = checked_period(stat.period)?;
        let stretch = checked_stretch(self.start_time, self.end_time, period)?;
        let mut points = by_period(minutes(shared, &stat.metric, stretch).into_iter(), period);
        if self.scan_by.as_deref() != Some("TimestampAscending") {
            points.reverse();
        }
        Ok(MetricResult {
            id: query.id.clone(),
            label: query
                .label
                .clone()
                .unwrap_or_else(|| stat.metric.name.clone()),
            timestamps: points.iter().map(|point| point.at.as_secs()).collect(),
            values: values(&points, &stat.stat)?,
            status_code: "Complete",
        })
    }
}

fn values(points: &[Datapoint], stat: &str) -> Result<Vec<f64>, CloudWatchError> {
    let unknown = || {
        CloudWatchError::Validation(format!(
            "The value {stat} for parameter Stat is not supported; expected Average, Sum, SampleCount, Minimum or Maximum."
        ))
    };
    // Asked of a value that is always there, so that a wrong name is an error without data too.
    Statistics::of(0.0).get(stat).ok_or_else(unknown)?;
    points
        .iter()
        .map(|point| point.statistics.get(stat).ok_or_else(unknown))
        .collect()
}

fn check_queries(queries: &[Query]) -> Result<(), CloudWatchError> {
    if queries.is_empty() {
        return Err(CloudWatchError::MissingParameter("MetricDataQueries"));
    }
    if queries.len() > QUERIES_MAX {
        return Err(CloudWatchError::Validation(format!(
            "The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}."
        )));
    }
    let mut seen = HashSet::new();
    for Query { id, .. } in queries {
        let starts_low = id.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !starts_low
            || !id
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        {
            return Err(CloudWatchError::Validation(format!(
                "The value {id} for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            )));
        }
        if !seen.insert(id) {
            return Err(CloudWatchError::Validation(format!(
                "The id {id} is used more than once."
            )));
        }
    }
    Ok(())
}

/// Leaves `size` values after the first `skipped` ones, and says where to go on if there are more.
fn cut(results: &mut [MetricResult], skipped: usize, size: usize) -> Option<String> {
    let (mut to_skip, mut left) = (skipped, size);
    let mut has_more = false;
    for result in results.iter_mut() {
        let skip = to_skip.min(result.values.len());
        result.values.drain(..skip);
        result.timestamps.drain(..skip);
        to_skip -= skip;
        if result.values.len() > left {
            has_more = true;
            result.status_code = "PartialData";
        }
        result.values.truncate(left);
        result.timestamps.truncate(left);
        left -= result.values.len();
    }
    has_more.then(|| (skipped + size).to_string())
}
