//! Many triggers for as long as is asked for, with a fault now and then: memory stays flat, and no descriptor or thread is
//! left behind. `SLUICE_SOAK_SECONDS=7200 SLUICE_SOAK_TRIGGERS=2000` for a long one.

use std::time::Duration;

use sluice::grpc::proto::ScaledObjectRef;
use sluice::local::{FaultAction, FaultRule};
use tokio::task::JoinSet;
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
/// Who runs it for hours is told how it goes.
const TOLD_EVERY: Duration = Duration::from_mins(5);
/// One connection of KEDA, and those to AWS while some of them hang.
const DESCRIPTORS_MAX: usize = 250;
/// Those that are always there, and those of a few connections.
const TASKS_MAX: usize = 100;
/// Each trigger may be asked about at once, and each may wait for a look.
const TASKS_OF_TRIGGER_MAX: usize = 2;
/// Samples to a look at the tasks, which writes a page about all triggers.
const COUNTED_EVERY: usize = 5;

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

/// Polls a trigger for ever, and fails when it is told that there is no work.
async fn poll_on(mut keda: Keda, object: ScaledObjectRef, first: Instant) {
    sleep_until(first).await;
    loop {
        let poll = keda.poll(&object).await;
        assert_ne!(poll.active, Ok(false), "{poll:?}");
        sleep(POLL_INTERVAL).await;
    }
}

/// Half of the time it was less: a leak raises it, and what piles up for a moment behind a fault does not.
fn median_resident(samples: &[Resources]) -> f64 {
    let mut resident: Vec<f64> = samples
        .iter()
        .map(|sample| sample.resident_kibibytes)
        .collect();
    resident.sort_by(f64::total_cmp);
    resident[resident.len() / 2]
}

/// One figure of each quarter of a run.
fn quarters<Sample, Figure>(
    samples: &[Sample],
    figure: impl Fn(&[Sample]) -> Figure,
) -> Vec<Figure> {
    let quarter = (samples.len() / 4).max(1);
    samples.chunks(quarter).take(4).map(figure).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_with_faults_leaves_nothing_behind() {
    let lasts = Duration::from_secs(asked("SLUICE_SOAK_SECONDS", 20));
    let triggers = asked("SLUICE_SOAK_TRIGGERS", 100);
    let world = World::start().await;
    let scaler = Scaler::start(&world, Keys::Fixed).await;
    let (keda, begun_at) = (Keda::of(scaler.grpc), Instant::now());
    let mut polls = JoinSet::new();
    for number in 0..triggers {
        let name = format!("orders-{number}");
        let url = world.control.create_queue(&name, &[]).unwrap();
        world.control.send(&name, "work").unwrap();
        let object = object(&format!("worker-{number}"), &url, &[]);
        let first = begun_at + POLL_INTERVAL.mul_f64(fastrand::f64());
        polls.spawn(poll_on(keda.clone(), object, first));
    }
    let (mut chance, mut samples) = (fastrand::Rng::with_seed(1), Vec::new());
    let (mut tasks, mut told) = (Vec::new(), Duration::ZERO);
    while begun_at.elapsed() < lasts {
        sleep(Duration::from_secs(1)).await;
        samples.push(Resources::of(scaler.id()));
        if samples.len().is_multiple_of(COUNTED_EVERY) {
            tasks.push(scaler.tasks().await);
        }
        if begun_at.elapsed() >= told + TOLD_EVERY {
            told += TOLD_EVERY;
            println!(
                "after {told:?}: {:?}, tasks {:?}",
                samples.last(),
                tasks.last()
            );
        }
        if chance.u8(..20) == 0 {
            break_something(&world, &mut chance);
        }
        if let Some(ended) = polls.try_join_next() {
            ended.unwrap();
        }
    }
    let quarters_of_tasks = quarters(&tasks, |some| *some.iter().max().unwrap());
    let residents = quarters(&samples, median_resident);
    let quarters = quarters(&samples, Resources::most);
    println!(
        "{triggers} triggers for {lasts:?}, in each quarter the median of KiB resident: {residents:?}, the most: \
         {quarters:?}, tasks {quarters_of_tasks:?}"
    );
    let (second, last) = (quarters[1], quarters[quarters.len() - 1]);
    assert!(last.descriptors <= DESCRIPTORS_MAX, "{last:?}");
    let tasks_max = TASKS_MAX + TASKS_OF_TRIGGER_MAX * usize::try_from(triggers).unwrap();
    assert!(quarters_of_tasks.iter().all(|most| *most <= tasks_max));
    if lasts >= JUDGED_FROM {
        assert!(last.threads <= second.threads, "{quarters:?}");
        assert!(last.descriptors <= second.descriptors + 10, "{quarters:?}");
        assert!(residents[residents.len() - 1] <= residents[1] * GROWTH_MAX);
        assert!(last.resident_kibibytes <= second.resident_kibibytes * GROWTH_MAX);
    }
}
