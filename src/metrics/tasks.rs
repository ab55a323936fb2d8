//! How many tasks the runtime has that have not ended: a leak shows here before it shows in memory.

use std::fmt;

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, metrics::MetricType};
use tokio::runtime::Handle;

/// Counted when it is asked for, by the runtime that answers; nothing is written outside of one.
#[derive(Debug)]
pub(super) struct Tasks;

impl Collector for Tasks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Ok(runtime) = Handle::try_current() else {
            return Ok(());
        };
        let help = "Tasks of the scaler that have not ended";
        encoder
            .encode_descriptor("tasks", help, None, MetricType::Gauge)?
            .encode_gauge(&runtime.metrics().num_alive_tasks())
    }
}
