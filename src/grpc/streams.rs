//! The two streams that KEDA holds open for an `external-push` trigger. Each ends with OK when the
//! scaler stops or its connection retires, because KEDA then comes back in 2 s; after an error it
//! waits up to a minute.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status};

use super::{
    activity::ActivityEdges,
    connection::ConnectionAge,
    convert,
    judge::Judge,
    limits::StreamPlace,
    live_trigger::LiveTrigger,
    proto::{GetMetricSpecResponse, IsActiveResponse},
    scaler::{ScalerService, decide_from},
};
use crate::{
    cache::Sample,
    metrics::Metrics,
    queue::QueueSource,
    scaling::Activity,
    watchers::{Interest, Subscription},
};

/// Messages waiting for a slow client. What is late is old, so there is no point in keeping more.
const UNSENT_MAX: usize = 1;

/// The streams of a connection end over so long after it has retired, so that KEDA does not open all
/// of them again at the same moment.
const RETIREMENT_SPREAD: Duration = Duration::from_secs(1);

/// The first state is not taken from a sample that is older: a queue may have changed since.
const FIRST_STATE_AGE_MAX: Duration = Duration::from_secs(5);

/// A stream's place among those of its trigger, and when it is to end.
type Place = (StreamPlace, Option<Instant>);

type Sender<T> = mpsc::Sender<Result<T, Status>>;
type Receiver<T> = ReceiverStream<Result<T, Status>>;

/// When a stream asked for by `request` is to end, if its connection is one that retires.
pub(super) fn retirement<T>(request: &Request<T>) -> Option<Instant> {
    let retires_at = request.extensions().get::<ConnectionAge>()?.retires_at?;
    Some(retires_at + RETIREMENT_SPREAD.mul_f64(fastrand::f64()))
}

/// Whether there is work: the state as soon as it is known, then edges.
pub(super) fn activity<S: QueueSource>(
    service: &ScalerService<S>,
    live: Arc<LiveTrigger>,
    place: Place,
) -> Receiver<IsActiveResponse> {
    let (sender, receiver) = mpsc::channel(UNSENT_MAX);
    let pushes = Pushes {
        samples: service.watchers.subscribe(&live.trigger.queue),
        live,
        judge: service.judge.clone(),
        metrics: Arc::clone(&service.metrics),
        edges: ActivityEdges::default(),
        client: sender.clone(),
    };
    keep_open(service, ("StreamIsActive", place), sender, pushes.send());
    ReceiverStream::new(receiver)
}

/// The specs, once: they depend on the metadata alone, and KEDA opens a new stream when it changes.
pub(super) fn metric_spec<S: QueueSource>(
    service: &ScalerService<S>,
    live: &LiveTrigger,
    place: Place,
) -> Receiver<GetMetricSpecResponse> {
    let (sender, receiver) = mpsc::channel(UNSENT_MAX);
    let (client, specs) = (sender.clone(), convert::metric_spec(&live.trigger));
    let feed = async move {
        if client.send(Ok(specs)).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    keep_open(service, ("StreamMetricSpec", place), sender, feed);
    ReceiverStream::new(receiver)
}

/// Lets `feed` fill a stream until the client leaves, its connection retires or the scaler stops.
fn keep_open<S: QueueSource, T: Send + 'static>(
    service: &ScalerService<S>,
    (method, (place, retirement)): (&'static str, Place),
    sender: Sender<T>,
    feed: impl Future<Output = ()> + Send + 'static,
) {
    let shutdown = service.shutdown.clone();
    let open_stream = service.metrics.stream_opened(method);
    service.streams.spawn(async move {
        let _held = (open_stream, place);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sender.closed() => {}
            () = at(retirement) => {}
            () = feed => {}
        }
    });
}

/// Waits until then; for ever where there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// What is pushed to one stream.
struct Pushes<S> {
    samples: Subscription<S>,
    live: Arc<LiveTrigger>,
    judge: Judge,
    metrics: Arc<Metrics>,
    edges: ActivityEdges,
    client: Sender<IsActiveResponse>,
}

impl<S: QueueSource> Pushes<S> {
    /// Says what the edges have to say of each sample. For an edge that is to be repeated the queue is
    /// looked at again: what is over is not repeated.
    async fn send(mut self) {
        let opened_at = Instant::now();
        let mut is_asked = false;
        loop {
            let resend_at = self.edges.resend_at().map(|after| opened_at + after);
            tokio::select! {
                () = at(resend_at), if !is_asked => {
                    is_asked = true;
                    self.samples.wants(Interest::Work);
                }
                outcome = self.samples.next(self.age_max()) => {
                    let sample = match outcome {
                        Ok(sample) => sample,
                        Err(error) => {
                            self.live.status.failed(self.judge.now(), &error);
                            continue;
                        }
                    };
                    is_asked = false;
                    if let Some(is_active) = self.hear(&sample, opened_at.elapsed())
                        && self.client.send(Ok(convert::is_active(is_active))).await.is_err()
                    {
                        return;
                    }
                }
            }
        }
    }

    /// What to say after a sample.
    fn hear(&mut self, sample: &Sample, now: Duration) -> Option<bool> {
        // A count that is needed and unknown is not zero: nothing is said.
        let activity = decide_from(&self.judge, &self.live, sample).ok()?.activity;
        self.samples.wants(interest(activity));
        let before = self.edges.said();
        // Nor is anything said too early: an older KEDA takes a `false` for an order to scale down.
        if before.is_none() && activity.is_in_doubt {
            return None;
        }
        let said = self.edges.next(activity.pushed, now);
        if (before, said) == (Some(false), Some(true)) {
            self.metrics.woken();
        }
        said
    }

    fn age_max(&self) -> Duration {
        match self.edges.said() {
            None => FIRST_STATE_AGE_MAX,
            Some(_) => Duration::MAX,
        }
    }
}

fn interest(activity: Activity) -> Interest {
    match activity {
        Activity { pushed: true, .. } => Interest::None,
        Activity {
            is_in_doubt: true, ..
        } => Interest::Confirmation,
        Activity { .. } => Interest::Work,
    }
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
