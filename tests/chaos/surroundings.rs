//! What a machine may do to the scaler: names that are not resolved for a while, and a clock that somebody sets.

use sluice::local::{FaultAction, FaultRule};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::answers::{Answers, Phase};
use crate::inside::Inside;
use crate::watch::{Watch, outage};
use crate::world::{BACKLOG, World};

const HOUR_SECONDS: i64 = 3_600;

/// Further ones of a trigger.
type Keys = &'static [(&'static str, &'static str)];

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_resolved_for_a_while_are_an_error_once_knowledge_is_too_old() {
    let world = World::start().await;
    let scaler = Inside::start(&world).await;
    let mut watch = Watch::of(scaler.grpc, (&world, &[]), "DNS fails for a while");
    watch.look_before().await;
    let (before, begun_at) = (scaler.names.asked(), Instant::now());
    scaler.names.fail(true);
    // Whoever is connected needs no name until the connection ends, as those to AWS do now and then.
    let ends = FaultRule::on("GetQueueAttributes", FaultAction::DropConnection);
    world.control.set_fault(ends.times(1));
    watch.look_for(outage(), Phase::During).await;
    watch.answers.requests = scaler.names.asked() - before;
    let lasted = begun_at.elapsed();
    scaler.names.fail(false);
    watch.look_until_recovered().await;
    println!("{}", watch.answers.row());
    watch.answers.assert_safe(BACKLOG.into(), BACKLOG.into());
    watch.answers.assert_told_as_error();
    watch.answers.assert_no_storm(lasted);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_not_asked_for_while_a_connection_lasts() {
    let world = World::start().await;
    let scaler = Inside::start(&world).await;
    let mut watch = Watch::of(scaler.grpc, (&world, &[]), "DNS fails, connections last");
    watch.look_before().await;
    scaler.names.fail(true);
    let before = world.asked();
    watch.look_for(outage(), Phase::During).await;
    watch.answers.requests = world.asked() - before;
    println!("{}", watch.answers.row());
    watch.answers.assert_safe(BACKLOG.into(), BACKLOG.into());
    watch.answers.assert_hardly_ever_an_error();
}

/// Requests are dated by it, and credentials seem to have expired, or to last for longer. The law has a memory, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_makes_no_answer_lower_and_none_an_error() {
    const LAW: Keys = &[("targetWaitSeconds", "60"), ("concurrency", "10")];
    let jumps: [(&'static str, i64, Keys); 4] = [
        ("own clock set an hour ahead", HOUR_SECONDS, &[]),
        ("own clock set back an hour", -HOUR_SECONDS, &[]),
        ("the same, ahead, the law decides", HOUR_SECONDS, LAW),
        ("the same, back, the law decides", -HOUR_SECONDS, LAW),
    ];
    let runs = jumps.map(|(name, ahead_seconds, keys)| set_clock(name, ahead_seconds, keys));
    for answers in runs.into_iter().collect::<JoinSet<_>>().join_all().await {
        println!("{}", answers.row());
    }
}

async fn set_clock(name: &'static str, ahead_seconds: i64, keys: Keys) -> Answers {
    let world = World::start().await;
    let scaler = Inside::start(&world).await;
    let mut watch = Watch::of(scaler.grpc, (&world, keys), name);
    watch.look_before().await;
    let known = watch.answers.seconds.first().unwrap().1.value.unwrap();
    let (before, begun_at) = (world.asked(), Instant::now());
    scaler.clock.set_ahead(ahead_seconds);
    watch.look_for(outage(), Phase::During).await;
    watch.answers.requests = world.asked() - before;
    let lasted = begun_at.elapsed();
    scaler.clock.set_ahead(0);
    watch.look_until_recovered().await;
    let answers = watch.answers;
    answers.assert_safe(known, f64::INFINITY);
    answers.assert_never_falls();
    answers.assert_hardly_ever_an_error();
    answers.assert_no_storm(lasted);
    answers
}
