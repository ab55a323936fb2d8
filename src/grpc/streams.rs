//! The two streams that KEDA holds open for an `external-push` trigger. Each ends with OK when the
//! scaler stops, because KEDA then comes back in 2 s; after an error it waits up to a minute.

use std::sync::Arc;

use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{
    activity::ActivityEdges,
    convert,
    judge::Judge,
    live_triggers::LiveTrigger,
    proto::{GetMetricSpecResponse, IsActiveResponse},
    scaler::{ScalerService, ScalerSettings, decide_from, observe},
};
use crate::{cache::ObservationCache, queue::QueueSource};

/// Messages waiting for a slow client. What is late is old, so there is no point in keeping more.
const UNSENT_MAX: usize = 1;

type Sender<T> = mpsc::Sender<Result<T, Status>>;
type Receiver<T> = ReceiverStream<Result<T, Status>>;

/// Whether there is work: the state as soon as it is known, then edges.
pub(super) fn activity<S: QueueSource>(
    service: &ScalerService<S>,
    live: Arc<LiveTrigger>,
) -> Receiver<IsActiveResponse> {
    let (sender, receiver) = mpsc::channel(UNSENT_MAX);
    let (cache, judge) = (Arc::clone(&service.cache), service.judge.clone());
    let (client, settings) = (sender.clone(), service.settings);
    let feed = async move { send_edges(&client, (&cache, &judge), &live, settings).await };
    keep_open(service, "StreamIsActive", sender, feed);
    ReceiverStream::new(receiver)
}

/// The specs, once: they depend on the metadata alone, and KEDA opens a new stream when it changes.
pub(super) fn metric_spec<S: QueueSource>(
    service: &ScalerService<S>,
    live: &LiveTrigger,
) -> Receiver<GetMetricSpecResponse> {
    let (sender, receiver) = mpsc::channel(UNSENT_MAX);
    let (client, specs) = (sender.clone(), convert::metric_spec(&live.trigger));
    let feed = async move {
        if client.send(Ok(specs)).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    keep_open(service, "StreamMetricSpec", sender, feed);
    ReceiverStream::new(receiver)
}

/// Lets `feed` fill a stream until the client leaves or the scaler stops.
fn keep_open<S: QueueSource, T: Send + 'static>(
    service: &ScalerService<S>,
    method: &'static str,
    sender: Sender<T>,
    feed: impl Future<Output = ()> + Send + 'static,
) {
    let shutdown = service.shutdown.clone();
    let open_stream = service.metrics.stream_opened(method);
    service.streams.spawn(async move {
        let _open_stream = open_stream;
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sender.closed() => {}
            () = feed => {}
        }
    });
}

/// Looks at the queue again and again and says what `edges` has to say.
async fn send_edges<S: QueueSource>(
    client: &Sender<IsActiveResponse>,
    (cache, judge): (&ObservationCache<S>, &Judge),
    live: &LiveTrigger,
    settings: ScalerSettings,
) {
    let opened_at = Instant::now();
    let mut edges = ActivityEdges::default();
    let mut looks = interval(settings.push_interval);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        // A queue that cannot be observed is not an inactive one: nothing is said.
        let Ok(sample) = observe(cache, live, settings).await else {
            continue;
        };
        let Ok(decision) = decide_from(judge, live, &sample) else {
            continue;
        };
        if let Some(is_active) = edges.next(decision.is_active, opened_at.elapsed())
            && client
                .send(Ok(convert::is_active(is_active)))
                .await
                .is_err()
        {
            return;
        }
    }
}
