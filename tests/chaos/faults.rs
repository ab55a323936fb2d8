//! One fault after the other while forty messages wait: what KEDA is told meanwhile, and how soon it is told the truth
//! again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sluice::local::FaultAction;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::answers::{Answers, Phase};
use crate::scaler::{Keys, STALENESS_BOUND, Scaler};
use crate::watch::{Watch, outage};
use crate::wire::State;
use crate::world::{BACKLOG, World};

/// Beyond it faults are waited for together.
const LONG: Duration = Duration::from_mins(1);

/// What goes wrong.
enum Fault {
    Sqs(FaultAction),
    CloudWatch(FaultAction),
    Wire(State),
    /// After it has given credentials, which last for longer than this.
    Sts(State),
    /// Their source fails, and they expire.
    Credentials,
    /// SQS's clock jumps by an hour, back and forth being the same to one who only counts.
    Clock,
}

/// What a fault must look like to KEDA.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing is known: an error, once what was known is too old.
    AsError,
    /// What is known does not depend on it.
    Never,
}

fn faults() -> Vec<(&'static str, Fault, Told)> {
    let missing = FaultAction::MissingAttribute("ApproximateNumberOfMessages".into());
    let sqs = |action| Fault::Sqs(action);
    vec![
        (
            "SQS down (connections refused)",
            Fault::Wire(State::Refusing),
            Told::AsError,
        ),
        (
            "half-open connections",
            Fault::Wire(State::HalfOpen),
            Told::AsError,
        ),
        ("SQS hangs", sqs(FaultAction::Hang), Told::AsError),
        (
            "SQS slow (5 s)",
            sqs(FaultAction::Latency(Duration::from_secs(5))),
            Told::AsError,
        ),
        ("SQS throttles", sqs(FaultAction::Throttle), Told::AsError),
        ("SQS 500", sqs(FaultAction::ServerError(500)), Told::AsError),
        ("SQS 503", sqs(FaultAction::ServerError(503)), Told::AsError),
        ("SQS garbage", sqs(FaultAction::Garbage), Told::AsError),
        (
            "SQS drops connections",
            sqs(FaultAction::DropConnection),
            Told::AsError,
        ),
        ("SQS leaves a count out", sqs(missing), Told::AsError),
        (
            "permission taken away",
            sqs(FaultAction::AccessDenied),
            Told::AsError,
        ),
        ("credentials expire", Fault::Credentials, Told::AsError),
        (
            "CloudWatch 500",
            Fault::CloudWatch(FaultAction::ServerError(500)),
            Told::Never,
        ),
        (
            "CloudWatch hangs",
            Fault::CloudWatch(FaultAction::Hang),
            Told::Never,
        ),
        ("STS down, later", Fault::Sts(State::Refusing), Told::Never),
        ("STS hangs, later", Fault::Sts(State::HalfOpen), Told::Never),
        ("clock of SQS jumps by an hour", Fault::Clock, Told::Never),
    ]
}

impl Fault {
    fn begin(&self, world: &World) {
        match self {
            Self::Sqs(action) => world.fault("GetQueueAttributes", action.clone()),
            Self::CloudWatch(action) => world.fault("GetMetricData", action.clone()),
            Self::Wire(state) => world.wire.become_(*state),
            Self::Sts(state) => world.sts_wire.become_(*state),
            Self::Credentials => world.credentials_fail.store(true, Ordering::Relaxed),
            Self::Clock => world.control.advance_clock(Duration::from_hours(1)),
        }
    }

    fn keys(&self) -> Keys {
        match self {
            Self::Credentials => Keys::Expiring,
            Self::Sts(_) => Keys::WebIdentity,
            _ => Keys::Fixed,
        }
    }

    /// What reaches the other side, or would.
    fn requests(&self, world: &World) -> u64 {
        match self {
            Self::Wire(_) => world.wire.connections(),
            _ => world.asked(),
        }
    }
}

fn end_every_fault(world: &World) {
    world.control.clear_faults();
    world.wire.become_(State::Whole);
    world.sts_wire.become_(State::Whole);
    world.credentials_fail.store(false, Ordering::Relaxed);
}

async fn run((name, fault, told): (&'static str, Fault, Told)) -> Answers {
    let world = World::start().await;
    let scaler = Scaler::start_talkative(&world, fault.keys()).await;
    // The cap is not reached; the law looks at CloudWatch.
    let keys: &[(&str, &str)] = match fault {
        Fault::CloudWatch(_) => &[("targetWaitSeconds", "60"), ("mode", "shadow")],
        _ => &[],
    };
    let mut watch = Watch::of(scaler.grpc, (&world, keys), name);
    watch.look_before().await;
    let before = fault.requests(&world);
    let begun_at = Instant::now();
    fault.begin(&world);
    watch.look_for(outage(), Phase::During).await;
    watch.answers.requests = fault.requests(&world) - before;
    let lasted = begun_at.elapsed();
    end_every_fault(&world);
    watch.look_until_recovered().await;
    let answers = watch.answers;
    let backlog = BACKLOG.into();
    answers.assert_safe(backlog, backlog);
    match told {
        Told::AsError => answers.assert_told_as_error(),
        Told::Never => answers.assert_hardly_ever_an_error(),
    }
    answers.assert_no_storm(lasted);
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_keda_is_never_told_less_than_what_waits() {
    let mut rest = faults();
    // Each is a process of its own; long ones all at once, or they would take hours.
    let at_once = if outage() > LONG { rest.len() } else { 5 };
    println!("fault, what KEDA saw at each second (`!` an error), between the bars the fault");
    while !rest.is_empty() {
        let some = rest.split_off(rest.len().saturating_sub(at_once));
        for answers in some
            .into_iter()
            .map(run)
            .collect::<JoinSet<_>>()
            .join_all()
            .await
        {
            println!("{}", answers.row());
        }
    }
}

/// Far more waits than the cap can work on, so the law asks for more at every look; what it does not see, it must not guess.
#[tokio::test(flavor = "multi_thread")]
async fn the_law_asks_for_no_less_and_never_passes_its_cap_while_nothing_is_known() {
    const CAP: f64 = 3.0;
    let world = World::start().await;
    let scaler = Scaler::start(&world, Keys::Fixed).await;
    let keys = [("targetWaitSeconds", "2"), ("maxReplicas", "3")];
    let mut watch = Watch::of(scaler.grpc, (&world, &keys), "SQS hangs, the law decides");
    let cap = CAP * watch.keda.target(&watch.object).await;
    watch.look_before().await;
    let known = watch.answers.seconds.last().unwrap().1.value.unwrap();
    world.fault("GetQueueAttributes", FaultAction::Hang);
    watch.look_for(outage(), Phase::During).await;
    end_every_fault(&world);
    watch.look_until_recovered().await;
    println!("{} (the cap is {cap})", watch.answers.row());
    watch.answers.assert_told_as_error();
    for (phase, poll) in &watch.answers.seconds {
        let told = format!("{phase:?} {poll:?}: {}", watch.answers.row());
        assert_ne!(poll.active, Ok(false), "{told}");
        let least = if *phase == Phase::During { known } else { 0.0 };
        let is_safe = |value: f64| (least..=cap).contains(&value);
        assert!(poll.value.ok().is_none_or(is_safe), "{told}");
    }
}

/// Zeros that SQS tells are no lack of knowledge, so the value follows them; but a workload is put to sleep only when they
/// have been confirmed for long enough.
#[tokio::test(flavor = "multi_thread")]
async fn zeros_that_do_not_last_put_nobody_to_sleep() {
    let world = World::start().await;
    let scaler = Scaler::start(&world, Keys::Fixed).await;
    let keys = [("emptyConfirmSeconds", "120")];
    let mut watch = Watch::of(scaler.grpc, (&world, &keys), "SQS tells zeros");
    watch.look_before().await;
    world.fault("GetQueueAttributes", FaultAction::ZeroCounts);
    watch.look_for(2 * STALENESS_BOUND, Phase::During).await;
    world.control.clear_faults();
    watch.look_until_recovered().await;
    println!("{}", watch.answers.row());
    for (_, poll) in &watch.answers.seconds {
        assert_ne!(poll.active, Ok(false), "{}", watch.answers.row());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_sts_is_an_error_until_there_is_one() {
    let world = World::start().await;
    world.sts_wire.become_(State::Refusing);
    let scaler = Scaler::start_talkative(&world, Keys::WebIdentity).await;
    let mut watch = Watch::of(scaler.grpc, (&world, &[]), "STS down at the start");
    watch.look_for(outage(), Phase::During).await;
    world.sts_wire.become_(State::Whole);
    watch.look_until_recovered().await;
    println!("{}", watch.answers.row());
    watch.answers.assert_safe(BACKLOG.into(), BACKLOG.into());
    watch.answers.assert_told_as_error();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_is_an_error_for_as_long_as_it_lasts() {
    let world = World::start().await;
    let scaler = Scaler::start_nowhere(&world).await;
    let mut watch = Watch::of(scaler.grpc, (&world, &[]), "no DNS");
    watch.look_for(outage(), Phase::During).await;
    println!("{}", watch.answers.row());
    let is_error = |poll: &crate::keda::Poll| poll.value.is_err() && poll.active.is_err();
    assert!(watch.answers.seconds.iter().all(|(_, poll)| is_error(poll)));
    watch.answers.assert_safe(BACKLOG.into(), BACKLOG.into());
}
