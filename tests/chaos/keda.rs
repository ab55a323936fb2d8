//! KEDA as the scaler sees it: one connection, and for each poll whether there is work and how much.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use sluice::grpc::proto::external_scaler_client::ExternalScalerClient;
use sluice::grpc::proto::{GetMetricsRequest, ScaledObjectRef};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::planted::secrets::assert_no_secret;

/// What KEDA would wait for; a call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one poll was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Poll {
    pub(crate) active: Result<bool, Code>,
    pub(crate) value: Result<f64, Code>,
}

/// One connection; it is made anew by itself when it breaks.
#[derive(Clone)]
pub(crate) struct Keda(ExternalScalerClient<Channel>);

impl Keda {
    pub(crate) fn of(scaler: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{scaler}")).unwrap();
        let endpoint = endpoint.timeout(PATIENCE).connect_timeout(PATIENCE);
        Self(ExternalScalerClient::new(endpoint.connect_lazy()))
    }

    /// As the loop of a `ScaledObject` does.
    pub(crate) async fn poll(&mut self, object: &ScaledObjectRef) -> Poll {
        let active = self.0.is_active(object.clone()).await;
        Poll {
            active: active
                .map(|told| told.into_inner().result)
                .map_err(|status| looked_at(&status)),
            value: self
                .value(object)
                .await
                .map_err(|status| looked_at(&status)),
        }
    }

    /// As the autoscaler asks for it.
    pub(crate) async fn value(&mut self, object: &ScaledObjectRef) -> Result<f64, Status> {
        let request = GetMetricsRequest {
            scaled_object_ref: Some(object.clone()),
            metric_name: String::new(),
        };
        let told = self.0.get_metrics(request).await?.into_inner();
        assert_eq!(told.metric_values.len(), 1);
        Ok(told.metric_values.first().unwrap().metric_value_float)
    }

    pub(crate) async fn target(&mut self, object: &ScaledObjectRef) -> f64 {
        let told = self.0.get_metric_spec(object.clone()).await.unwrap();
        let spec = told.into_inner().metric_specs.pop().unwrap();
        spec.target_size_float
    }
}

/// What `status` says, in which there is no secret.
fn looked_at(status: &Status) -> Code {
    assert_no_secret(format!("{status:?}"));
    status.code()
}

/// A `ScaledObject` of a queue, with further keys of its trigger.
pub(crate) fn object(name: &str, queue_url: &str, keys: &[(&str, &str)]) -> ScaledObjectRef {
    let fixed = [("queueURL", queue_url), ("awsRegion", "us-east-1")];
    let metadata: HashMap<_, _> = fixed
        .iter()
        .chain(keys)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    ScaledObjectRef {
        name: name.to_owned(),
        namespace: "shop".to_owned(),
        scaler_metadata: metadata,
    }
}
