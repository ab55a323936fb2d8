//! The RPCs: find the trigger, observe its queue, decide, answer.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Code, Request, Response, Status};
use tracing::{Instrument, Span};

use super::{
    convert,
    judge::Judge,
    limits::{Limits, StreamPlace},
    live_trigger::{Judgement, LiveTrigger},
    live_triggers::LiveTriggers,
    proto::{
        GetMetricSpecResponse, GetMetricsResponse, IsActiveResponse,
        unread::{GetMetricsRequest, ScaledObjectRef, external_scaler_server::ExternalScaler},
    },
    streams,
};
use crate::{
    access::Access,
    cache::{ObservationCache, Sample},
    clock::EpochClock,
    dead_letters::DeadLetterFeed,
    metrics::{Call, Metrics},
    queue::{MinuteFeed, QueueSource},
    status::Board,
    traces,
    watchers::{WatchSettings, Watchers},
    workloads::WorkloadFeed,
};

/// How the RPCs behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalerSettings {
    /// A unary call is answered within this time, whatever SQS does: KEDA itself sets no deadline,
    /// and holds a lock while it waits.
    pub rpc_deadline: Duration,
    /// How queues are watched for open streams.
    pub watch: WatchSettings,
    /// How much clients may take.
    pub limits: Limits,
}

impl Default for ScalerSettings {
    fn default() -> Self {
        Self {
            rpc_deadline: Duration::from_secs(1),
            watch: WatchSettings::default(),
            limits: Limits::default(),
        }
    }
}

impl ScalerSettings {
    /// The part of a call's time that may be spent waiting for SQS.
    fn patience(&self) -> Duration {
        self.rpc_deadline.mul_f32(0.9)
    }
}

/// What a scaler sees of queues.
#[derive(Debug)]
pub struct Eyes<S> {
    /// Their counts.
    pub counts: ObservationCache<S>,
    /// Their minutes.
    pub minutes: MinuteFeed,
    /// Who works on them.
    pub workloads: WorkloadFeed,
    /// The time.
    pub clock: EpochClock,
    /// Where it is shown what was seen and decided.
    pub board: Arc<Board>,
    /// Who may ask for what.
    pub access: Access,
}

/// KEDA's external scaler.
#[derive(Debug)]
pub struct ScalerService<S> {
    cache: Arc<ObservationCache<S>>,
    pub(super) watchers: Arc<Watchers<S>>,
    pub(super) judge: Judge,
    access: Access,
    triggers: LiveTriggers,
    pub(super) settings: ScalerSettings,
    pub(super) metrics: Arc<Metrics>,
    /// Ends every stream when it is cancelled.
    pub(super) shutdown: CancellationToken,
    pub(super) streams: TaskTracker,
}

impl<S: QueueSource> ScalerService<S> {
    /// A scaler that looks through `eyes` until `shutdown` is cancelled.
    pub fn new(
        eyes: Eyes<S>,
        settings: ScalerSettings,
        metrics: Arc<Metrics>,
        shutdown: CancellationToken,
    ) -> Self {
        let triggers = LiveTriggers::new(settings.limits, eyes.board);
        let streams = TaskTracker::new();
        let cache = Arc::new(eyes.counts);
        let watchers = Watchers::new(Arc::clone(&cache), settings.watch, Arc::clone(&metrics));
        Self {
            watchers: Arc::new(watchers),
            judge: Judge {
                dead_letters: DeadLetterFeed::looking(Arc::clone(&cache)),
                minutes: eyes.minutes,
                workloads: eyes.workloads,
                clock: eyes.clock,
            },
            cache,
            access: eyes.access,
            triggers,
            settings,
            metrics,
            shutdown,
            streams,
        }
    }

    fn find(&self, reference: Option<ScaledObjectRef>) -> Result<Arc<LiveTrigger>, Status> {
        let reference = reference.ok_or_else(convert::missing_reference)?;
        self.triggers
            .find(reference)
            .map_err(|error| convert::not_taken(&error))
    }

    /// The trigger, where it may ask for its queue. The specs are told without that: they tell nothing of
    /// a queue, and without them KEDA shows no reason and uses no fallback.
    async fn find_permitted(
        &self,
        reference: Option<ScaledObjectRef>,
    ) -> Result<Arc<LiveTrigger>, Status> {
        let live = self.find(reference)?;
        let (namespace, queue) = (&live.object.namespace, &live.trigger.queue);
        let patience = self.settings.patience();
        let permitted = self
            .access
            .permit(&live.permit, (namespace, queue), patience);
        if let Err(refused) = permitted.await {
            live.status.failed(self.judge.now(), &refused);
            return Err(convert::refused(namespace, queue, &refused));
        }
        Ok(live)
    }

    fn stream_place(&self, live: &LiveTrigger) -> Result<StreamPlace, Status> {
        let max = self.settings.limits.trigger_streams_max;
        let place = live.open_streams.take(max);
        place.map_err(|limit| convert::beyond(&limit))
    }

    async fn metrics(&self, request: GetMetricsRequest) -> Result<GetMetricsResponse, Status> {
        let live = self.find_permitted(request.scaled_object_ref).await?;
        let asked = &request.metric_name;
        // People who call by hand may leave the name out; KEDA never does.
        if !asked.is_empty() && *asked != live.trigger.metric_name {
            return Err(convert::unknown_metric(asked, &live.trigger));
        }
        let decided = self.decide_now(&live).await;
        // A poll whose value is not known must not be active by what an earlier one knew.
        live.give(decided.as_ref().ok().map(|(sample, _)| sample));
        decided.map(|(_, judged)| convert::metric_value(&live.trigger, &judged.decision))
    }

    /// What is known now, and what the trigger's policy makes of it.
    async fn decide_now(&self, live: &LiveTrigger) -> Result<(Sample, Judgement), Status> {
        let sample = self.observe(live).await?;
        let judged = self.decide(live, &sample)?;
        Ok((sample, judged))
    }

    async fn activity(&self, reference: ScaledObjectRef) -> Result<IsActiveResponse, Status> {
        let live = self.find_permitted(Some(reference)).await?;
        let sample = match live.given_in_this_poll() {
            Some(sample) => sample,
            None => self.observe(&live).await?,
        };
        let judged = self.decide(&live, &sample)?;
        Ok(convert::is_active(judged.activity.polled))
    }

    /// What is made of `sample`, as a part of the call's trace.
    fn decide(&self, live: &LiveTrigger, sample: &Sample) -> Result<Judgement, Status> {
        let span = traces::decision(&live.trigger.queue);
        let judged = span.in_scope(|| decide_from(&self.judge, live, sample))?;
        traces::decided(&span, &judged.decision, judged.activity.polled);
        Ok(judged)
    }

    /// What is known of the trigger's queue.
    async fn observe(&self, live: &LiveTrigger) -> Result<Sample, Status> {
        let queue = &live.trigger.queue;
        let sample = self.cache.sample(queue, self.settings.patience()).await;
        let failure = match &sample {
            Ok(sample) => self.cache.failure_since(queue, sample),
            Err(error) => Some(error.clone()),
        };
        if let Some(error) = failure {
            live.status.failed(self.judge.now(), &error);
        }
        sample.map_err(|error| convert::unobservable(queue, &error))
    }

    fn spec(&self, reference: ScaledObjectRef) -> Result<GetMetricSpecResponse, Status> {
        Ok(convert::metric_spec(&self.find(Some(reference))?.trigger))
    }

    /// Counts, times and traces a unary call.
    async fn measured<T>(
        &self,
        (call, span): (Call, Span),
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Result<Response<T>, Status> {
        let started = Instant::now();
        let answer = answer.instrument(span.clone()).await;
        let code = answer.as_ref().err().map_or(Code::Ok, Status::code);
        self.metrics.rpc_answered(call, code, started);
        traces::answered(&span, code.into());
        answer.map(Response::new)
    }
}

/// A call in its trace, which its headers may tell of.
fn traced<T>(call: Call, request: &Request<T>, object: Option<&ScaledObjectRef>) -> (Call, Span) {
    let object = object.map_or(("", ""), |object| (&*object.namespace, &*object.name));
    let header = |name: &str| request.metadata().get(name)?.to_str().ok();
    (call, traces::call(call.name(), object, header))
}

/// What the trigger's policy makes of a sample.
pub(super) fn decide_from(
    judge: &Judge,
    live: &LiveTrigger,
    sample: &Sample,
) -> Result<Judgement, Status> {
    live.decide(judge, sample).map_err(|error| {
        live.status.failed(judge.now(), &error);
        convert::unknown_count(&live.trigger.queue, &error)
    })
}

#[tonic::async_trait]
impl<S: QueueSource> ExternalScaler for ScalerService<S> {
    async fn is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<IsActiveResponse>, Status> {
        let call = traced(Call::IsActive, &request, Some(request.get_ref()));
        self.measured(call, self.activity(request.into_inner()))
            .await
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        let call = traced(Call::GetMetricSpec, &request, Some(request.get_ref()));
        self.measured(call, async { self.spec(request.into_inner()) })
            .await
    }

    async fn get_metrics(
        &self,
        request: Request<GetMetricsRequest>,
    ) -> Result<Response<GetMetricsResponse>, Status> {
        let object = request.get_ref().scaled_object_ref.as_ref();
        let call = traced(Call::GetMetrics, &request, object);
        self.measured(call, self.metrics(request.into_inner()))
            .await
    }

    type StreamIsActiveStream = ReceiverStream<Result<IsActiveResponse, Status>>;

    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        let retirement = streams::retirement(&request);
        let live = self.find_permitted(Some(request.into_inner())).await?;
        let place = self.stream_place(&live)?;
        let stream = streams::activity(self, live, (place, retirement));
        Ok(Response::new(stream))
    }

    type StreamMetricSpecStream = ReceiverStream<Result<GetMetricSpecResponse, Status>>;

    async fn stream_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        let retirement = streams::retirement(&request);
        let live = self.find(Some(request.into_inner()))?;
        let place = self.stream_place(&live)?;
        let stream = streams::metric_spec(self, &live, (place, retirement));
        Ok(Response::new(stream))
    }
}
