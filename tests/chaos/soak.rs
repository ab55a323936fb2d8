//! Many triggers for as long as is asked for, with a fault now and then: memory stays flat, and no descriptor or thread is
//! left behind. `SLUICE_SOAK_SECONDS=7200 SLUICE_SOAK_TRIGGERS=2000` for a long one.

use std::time::Duration;

use sluice::local::{FaultAction, FaultRule};
use tokio::time::{Instant, sleep, sleep_until};

use crate::keda::{Keda, object};
use crate::resources::Resources;
use crate::scaler::{Keys, Scaler};
use crate::world::World;

/// As many polls of one trigger apart as KEDA's are with a short interval.
const POLL_INTERVAL: Duration = Duration::from_secs(15);
/// Only a run that is long enough to have settled is held to this.
const JUDGED_FROM: Duration = Duration::from_mins(20);
const GROWTH_MAX: f64 = 1.03;
/// One connection of KEDA, and those to AWS while some of them hang.
const DESCRIPTORS_MAX: usize = 250;

fn asked(variable: &str, untold: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.map_or(untold, |asked| asked.parse().unwrap())
}

/// Something that goes wrong for some requests, of one queue or of all.
fn break_something(world: &World, chance: &mut fastrand::Rng) {
    let actions = [
        FaultAction::Throttle,
        FaultAction::ServerError(503),
        FaultAction::Latency(Duration::from_secs(3)),
        FaultAction::Garbage,
        FaultAction::DropConnection,
    ];
    let chosen = chance.usize(..actions.len());
    let action = actions.into_iter().nth(chosen).unwrap();
    let rule = FaultRule::on("GetQueueAttributes", action);
    world.control.set_fault(rule.times(chance.u64(1..100)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_with_faults_leaves_nothing_behind() {
    let lasts = Duration::from_secs(asked("SLUICE_SOAK_SECONDS", 20));
    let triggers = asked("SLUICE_SOAK_TRIGGERS", 100);
    let world = World::start().await;
    let scaler = Scaler::start(&world, Keys::Fixed).await;
    let (keda, begun_at) = (Keda::of(scaler.grpc), Instant::now());
    for number in 0..triggers {
        let name = format!("orders-{number}");
        let url = world.control.create_queue(&name, &[]).unwrap();
        world.control.send(&name, "work").unwrap();
        let (mut keda, object) = (keda.clone(), object(&format!("worker-{number}"), &url, &[]));
        let first = begun_at + POLL_INTERVAL.mul_f64(fastrand::f64());
        tokio::spawn(async move {
            sleep_until(first).await;
            loop {
                let poll = keda.poll(&object).await;
                assert_ne!(poll.active, Ok(false), "{poll:?}");
                sleep(POLL_INTERVAL).await;
            }
        });
    }
    let (mut chance, mut samples) = (fastrand::Rng::with_seed(1), Vec::new());
    while begun_at.elapsed() < lasts {
        sleep(Duration::from_secs(1)).await;
        samples.push(Resources::of(scaler.id()));
        if chance.u8(..20) == 0 {
            break_something(&world, &mut chance);
        }
    }
    let quarter = samples.len() / 4;
    let quarters: Vec<_> = samples
        .chunks(quarter.max(1))
        .take(4)
        .map(Resources::most)
        .collect();
    println!("{triggers} triggers for {lasts:?}, most in each quarter: {quarters:?}");
    let (second, last) = (quarters[1], quarters[quarters.len() - 1]);
    assert!(last.descriptors <= DESCRIPTORS_MAX, "{last:?}");
    if lasts >= JUDGED_FROM {
        assert!(last.threads <= second.threads, "{quarters:?}");
        assert!(last.descriptors <= second.descriptors + 10, "{quarters:?}");
        assert!(last.resident_kibibytes <= second.resident_kibibytes * GROWTH_MAX);
    }
}
