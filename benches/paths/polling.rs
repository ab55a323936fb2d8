//! What the RPCs do with the bytes of a request when the cache knows the queue: decode, find the
//! trigger, decide, count, encode. HTTP/2 is not in it.

use std::{hint::black_box, sync::Arc, time::Duration};

use prost::{Message, bytes::Bytes};
use sluice::{
    access::{Access, OwnAccount},
    cache::{CacheSettings, ObservationCache},
    clock::EpochClock,
    grpc::{
        Eyes, ScalerService, ScalerSettings,
        proto::{
            self,
            unread::{GetMetricsRequest, ScaledObjectRef, external_scaler_server::ExternalScaler},
        },
    },
    queue::{LoopbackEndpoints, MinuteFeed, ObserveError, QueueSource},
    scaling::{Observation, QueueRef, QueueSettings},
    status::Board,
    workloads::WorkloadFeed,
};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tonic::Request;

use super::deciding::metadata;

/// No observation gets old while this runs.
const FOR_EVER: Duration = Duration::from_hours(24);

/// A queue that always has the same messages.
#[derive(Debug)]
struct Still;

impl QueueSource for Still {
    async fn observe(&self, _queue: &QueueRef) -> Result<Observation, ObserveError> {
        Ok(Observation {
            visible: Ok(2_000),
            in_flight: Ok(90),
            delayed: Ok(0),
            settings: QueueSettings::default(),
        })
    }
}

/// The rules that hold without a file, for the account of the queue that is asked about.
fn access_to_own_queues() -> Access {
    let own_account = OwnAccount::known("123456789012");
    let rules = Access::load(None, LoopbackEndpoints::Refused, (own_account, true));
    rules.expect("rules without a file")
}

/// A scaler and the bytes that it is sent.
pub(super) struct Polling {
    runtime: Runtime,
    service: ScalerService<Still>,
    metrics_request: Bytes,
    reference: Bytes,
}

impl Polling {
    pub(super) fn given() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let cache = CacheSettings {
            ttl: FOR_EVER,
            ..CacheSettings::default()
        };
        let clock = EpochClock::start();
        let eyes = Eyes {
            counts: ObservationCache::new(Still, cache, Arc::default()),
            minutes: MinuteFeed::off("there are none"),
            workloads: WorkloadFeed::off(),
            clock,
            board: Arc::new(Board::new(clock)),
            access: access_to_own_queues(),
        };
        let stop = CancellationToken::new();
        let entered = runtime.enter();
        let service = ScalerService::new(eyes, ScalerSettings::default(), Arc::default(), stop);
        drop(entered);
        let reference = proto::ScaledObjectRef {
            name: "worker".to_owned(),
            namespace: "shop".to_owned(),
            scaler_metadata: metadata(&[]),
        };
        let polling = Self {
            runtime,
            service,
            reference: reference.encode_to_vec().into(),
            metrics_request: proto::GetMetricsRequest {
                scaled_object_ref: Some(reference),
                metric_name: "aws-sqs-orders".to_owned(),
            }
            .encode_to_vec()
            .into(),
        };
        polling.get_metrics();
        polling
    }

    pub(super) fn get_metrics(&self) {
        let request = GetMetricsRequest::decode(black_box(self.metrics_request.clone()));
        let request = Request::new(request.expect("a request"));
        let answer = self.runtime.block_on(self.service.get_metrics(request));
        let answer = answer.expect("an answer").into_inner();
        assert_eq!(answer.metric_values[0].metric_value, 2_090);
        black_box(answer.encode_to_vec());
    }

    pub(super) fn is_active(&self) {
        let answer = self
            .runtime
            .block_on(self.service.is_active(self.reference()));
        let answer = answer.expect("an answer").into_inner();
        assert!(answer.result);
        black_box(answer.encode_to_vec());
    }

    pub(super) fn get_metric_spec(&self) {
        let answer = self
            .runtime
            .block_on(self.service.get_metric_spec(self.reference()));
        let answer = answer.expect("an answer").into_inner();
        assert_eq!(answer.metric_specs[0].target_size, 5);
        black_box(answer.encode_to_vec());
    }

    fn reference(&self) -> Request<ScaledObjectRef> {
        let reference = ScaledObjectRef::decode(black_box(self.reference.clone()));
        Request::new(reference.expect("a reference"))
    }
}
