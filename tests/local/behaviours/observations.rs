//! Steps that look: attributes of a queue, and metrics.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat},
};
use aws_sdk_sqs::types::QueueAttributeName;

use super::{
    row::MetricQuery,
    steps::{Difference, Outcome, Run, same},
};
use crate::cloudwatch;

impl Run {
    pub(super) async fn attributes(
        &self,
        names: &[String],
        are: &BTreeMap<String, String>,
        only: bool,
    ) -> Outcome {
        let names = names
            .iter()
            .map(|name| QueueAttributeName::from(name.as_str()))
            .collect();
        let request = self
            .server
            .sqs
            .get_queue_attributes()
            .queue_url(self.url(None));
        let answer = request.set_attribute_names(Some(names)).send().await?;
        let found: BTreeMap<String, String> = answer
            .attributes()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
            .collect();
        for (name, wanted) in are {
            let value = found.get(name).map(String::as_str).unwrap_or_default();
            let is_number =
                !value.is_empty() && value.bytes().all(|letter| letter.is_ascii_digit());
            if !(wanted == value || wanted.starts_with('~') && is_number) {
                return Err(Difference::Found(format!(
                    "{name} is {value:?}, wanted {wanted:?}"
                )));
            }
        }
        if only {
            same("names", &are.len(), &found.len())
        } else {
            Ok(())
        }
    }

    fn dimension(&self) -> Dimension {
        Dimension::builder()
            .name("QueueName")
            .value(format!("main{}", self.suffix))
            .build()
    }

    pub(super) async fn put_metric(&self, namespace: &str, name: &str, value: f64) -> Outcome {
        let datum = MetricDatum::builder()
            .metric_name(name)
            .dimensions(self.dimension())
            .value(value);
        let request = cloudwatch::client(&self.server)
            .put_metric_data()
            .namespace(namespace);
        request.metric_data(datum.build()).send().await?;
        Ok(())
    }

    pub(super) async fn metric(&self, query: &MetricQuery) -> Outcome {
        let metric = Metric::builder()
            .namespace(&query.namespace)
            .metric_name(&query.name);
        let metric = metric.dimensions(self.dimension()).build();
        let stat = MetricStat::builder()
            .metric(metric)
            .period(60)
            .stat("Maximum")
            .build();
        let now = UNIX_EPOCH + self.server.control.now();
        let around = Duration::from_hours(query.hours.unwrap_or(1));
        let answer = cloudwatch::client(&self.server)
            .get_metric_data()
            .metric_data_queries(MetricDataQuery::builder().id("m").metric_stat(stat).build())
            .start_time(DateTime::from(now - around))
            .end_time(DateTime::from(now + around))
            .send()
            .await?;
        let found = answer
            .metric_data_results()
            .first()
            .map(|result| result.values().to_vec());
        let found = found.unwrap_or_default();
        same("values", query.values.as_ref().unwrap_or(&found), &found)?;
        let highest = found.iter().copied().fold(0.0, f64::max);
        match query.over {
            Some(over) if highest <= over => {
                Err(Difference::Found(format!("{found:?}, wanted over {over}")))
            }
            _ => Ok(()),
        }
    }
}
