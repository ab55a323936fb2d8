//! A thousand objects whose KEDA restarts: all of them ask at once, over a new connection each time.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::keda::{Keda, object};
use crate::scaler::{Keys, Scaler, TIME_TO_LIVE};
use crate::world::World;

const OBJECTS: usize = 1_000;
const QUEUES: usize = 100;
const RESTARTS: usize = 3;
/// One request and one retry.
const ATTEMPTS: u64 = 2;
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_objects_that_reconnect_are_answered_and_cost_one_request_a_queue() {
    let world = World::start().await;
    let queues: Vec<_> = (0..QUEUES)
        .map(|number| {
            let name = format!("orders-{number}");
            let url = world.control.create_queue(&name, &[]).unwrap();
            for _ in 0..7 {
                world.control.send(&name, "work").unwrap();
            }
            url
        })
        .collect();
    let scaler = Scaler::start(&world, Keys::Fixed).await;
    let objects: Vec<_> = (0..OBJECTS)
        .map(|number| object(&format!("worker-{number}"), &queues[number % QUEUES], &[]))
        .collect();
    let begun_at = Instant::now();
    let mut answered = 0;
    for _ in 0..RESTARTS {
        let keda = Keda::of(scaler.grpc);
        let polls = objects.iter().cloned().map(|object| {
            let mut keda = keda.clone();
            async move { keda.poll(&object).await }
        });
        for poll in polls.collect::<JoinSet<_>>().join_all().await {
            assert_ne!(poll.active, Ok(false), "{poll:?}");
            assert!(poll.value.is_err() || poll.value == Ok(7.0), "{poll:?}");
            answered += usize::from(poll.value.is_ok());
        }
    }
    let storm = begun_at.elapsed();
    let lives = u64::try_from(storm.as_millis() / TIME_TO_LIVE.as_millis()).unwrap() + 1;
    let queues = u64::try_from(QUEUES).unwrap();
    let allowed = queues * lives * ATTEMPTS;
    println!(
        "{OBJECTS} objects, {RESTARTS} restarts: {answered} of {} answered in {storm:.1?}, {} requests",
        OBJECTS * RESTARTS,
        world.asked()
    );
    assert!(world.asked() <= allowed, "{} requests", world.asked());
    // When the storm is over everybody is answered.
    let mut keda = Keda::of(scaler.grpc);
    for object in &objects {
        while keda.value(object).await.ok() != Some(7.0) {
            assert!(
                begun_at.elapsed() < PATIENCE,
                "{} is not answered",
                object.name
            );
            sleep(Duration::from_millis(200)).await;
        }
    }
}
