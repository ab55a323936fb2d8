//! Streams over virtual days, from the queue to what KEDA would be told.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    cache::{CacheSettings, ObservationCache},
    clock::EpochClock,
    grpc::{
        Eyes, ScalerSettings, metadata,
        proto::unread::{ScaledObjectRef, external_scaler_server::ExternalScaler},
    },
    queue::{MinuteFeed, ObserveError},
    scaling::{Observation, QueueRef, QueueSettings},
};

const DAY: Duration = Duration::from_hours(24);

/// A queue whose visible messages are a function of the look's number and the time since the start.
#[derive(Debug)]
struct Script<F> {
    visible: F,
    started_at: Instant,
    looks: Arc<AtomicU64>,
}

impl<F: Fn(u64, Duration) -> i64 + Send + Sync + 'static> QueueSource for Script<F> {
    async fn observe(&self, _queue: &QueueRef) -> Result<Observation, ObserveError> {
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        Ok(Observation {
            visible: Ok((self.visible)(look, self.started_at.elapsed())),
            in_flight: Ok(0),
            delayed: Ok(0),
            settings: QueueSettings::default(),
        })
    }
}

/// What is said over a day, each with its time, and how often the queue was looked at.
async fn day(
    visible: impl Fn(u64, Duration) -> i64 + Send + Sync + 'static,
) -> (Vec<(Duration, bool)>, u64) {
    let (started_at, looks) = (Instant::now(), Arc::default());
    let source = Script {
        visible,
        started_at,
        looks: Arc::clone(&looks),
    };
    let eyes = Eyes {
        workloads: crate::workloads::WorkloadFeed::off(),
        counts: ObservationCache::new(source, CacheSettings::default(), Arc::default()),
        minutes: MinuteFeed::off("there are none"),
        clock: EpochClock::start(),
        access: crate::access::Access::for_stand_ins(),
        board: Arc::new(crate::status::Board::new(EpochClock::start())),
    };
    let stop = CancellationToken::new();
    let service = ScalerService::new(
        eyes,
        ScalerSettings::default(),
        Arc::default(),
        stop.clone(),
    );
    let keys = [("queueURL", "orders"), ("awsRegion", "eu-west-1")];
    let reference = ScaledObjectRef {
        name: "worker".to_owned(),
        namespace: "shop".to_owned(),
        scaler_metadata: keys.map(|(key, value)| metadata::entry(key, value)).into(),
    };
    let stream = service.stream_is_active(Request::new(reference)).await;
    let mut stream = stream.unwrap().into_inner();
    let mut said = Vec::new();
    let listening = async {
        while let Some(message) = stream.next().await {
            said.push((started_at.elapsed(), message.unwrap().result));
        }
    };
    let stopping = async {
        tokio::time::sleep(DAY).await;
        stop.cancel();
    };
    tokio::join!(listening, stopping);
    (said, looks.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn a_day_of_phantoms_wakes_nothing() {
    // One look in fifty counts a message or two too many.
    let (said, looks) = day(|look, _| match look.wrapping_mul(2_654_435_761) % 101 {
        0 => 1,
        1 => 2,
        _ => 0,
    })
    .await;
    assert_eq!(said.iter().filter(|(_, is_active)| *is_active).count(), 0);
    assert!((80_000..95_000).contains(&looks), "{looks} looks");
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_a_message_for_a_day_is_looked_at_less_and_less() {
    let (said, looks) = day(|_, _| 0).await;
    assert_eq!(said.len(), 1);
    // An hour at 1 s, five at 2 s, and the rest at 5 s.
    assert!((25_500..25_700).contains(&looks), "{looks} looks");
}

#[tokio::test(start_paused = true)]
async fn a_message_each_ten_minutes_wakes_each_time_within_two_seconds() {
    const EVERY: u64 = 600;
    // It is there until a worker has started and done it.
    let (said, _) =
        day(|_, now| i64::from(now.as_secs() >= EVERY && now.as_secs() % EVERY < 45)).await;
    let trues: Vec<Duration> = said
        .into_iter()
        .filter_map(|(at, is_active)| is_active.then_some(at))
        .collect();
    for message in 1..DAY.as_secs() / EVERY {
        let sent = Duration::from_secs(message * EVERY);
        let of_it: Vec<_> = trues
            .iter()
            .filter(|at| **at >= sent && **at < sent + Duration::from_secs(EVERY))
            .collect();
        assert_eq!(of_it.len(), 3, "an edge and two repetitions: {of_it:?}");
        let late = of_it[0].saturating_sub(sent);
        assert!(late < Duration::from_secs(2), "message {message}: {late:?}");
    }
}
