//! A stand-in for KEDA: asks the scaler over real gRPC in KEDA's order, and holds its push stream.

use std::collections::HashMap;

use tokio::sync::mpsc;
use tonic::{Status, transport::Channel};

use crate::{
    grpc::proto::{
        GetMetricsRequest, ScaledObjectRef, external_scaler_client::ExternalScalerClient,
    },
    simulation::hpa::Metric,
};

/// What one poll found: the metric, and whether there is work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Poll {
    pub(super) metric: Metric,
    pub(super) is_active: bool,
}

/// KEDA's client of one trigger.
#[derive(Debug, Clone)]
pub(super) struct Keda {
    scaler: ExternalScalerClient<Channel>,
    reference: ScaledObjectRef,
}

impl Keda {
    pub(super) fn new(channel: Channel, scaler_metadata: HashMap<String, String>) -> Self {
        let (name, namespace) = ("demo-worker".to_owned(), "demo".to_owned());
        Self {
            scaler: ExternalScalerClient::new(channel),
            reference: ScaledObjectRef {
                name,
                namespace,
                scaler_metadata,
            },
        }
    }

    /// The three calls of a poll, one after the other.
    pub(super) async fn poll(&mut self) -> Result<Poll, Status> {
        let specs = self
            .scaler
            .get_metric_spec(self.reference.clone())
            .await?
            .into_inner();
        let spec = specs.metric_specs.first().cloned().unwrap_or_default();
        let request = GetMetricsRequest {
            scaled_object_ref: Some(self.reference.clone()),
            metric_name: spec.metric_name,
        };
        let values = self.scaler.get_metrics(request).await?.into_inner();
        let activity = self
            .scaler
            .is_active(self.reference.clone())
            .await?
            .into_inner();
        Ok(Poll {
            metric: Metric {
                // KEDA adds up whatever it is given.
                value: values
                    .metric_values
                    .iter()
                    .map(|value| value.metric_value_float)
                    .sum(),
                target: spec.target_size_float,
            },
            is_active: activity.result,
        })
    }

    /// Tells `awake` of every `true` that is pushed, until the stream or the receiver ends.
    pub(super) async fn follow_pushes(mut self, awake: mpsc::Sender<()>) -> Result<(), Status> {
        let mut pushes = self
            .scaler
            .stream_is_active(self.reference)
            .await?
            .into_inner();
        while let Some(activity) = pushes.message().await? {
            if activity.result && awake.send(()).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}
