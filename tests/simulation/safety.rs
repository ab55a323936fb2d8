//! Random scenarios under every policy: what must never happen, in each step, and what must have happened
//! in the end. A failure prints its seed; `SEED=... cargo test --test simulation` runs that one alone, and
//! `SCENARIOS=100000` as many as that.

use std::{env, ops::ControlFlow, time::Duration};

use fastrand::Rng;
use sluice::simulation::{
    approximate::Fidelity,
    arrivals::Segment,
    compare::watch,
    policy::Policy,
    scenario::Scenario,
    work::{ServiceTime, Work},
    workloads,
    world::StepView,
};

use super::support::at;

/// Scenarios in one run of the tests, unless told otherwise; neighbours have different policies.
const SCENARIOS: u64 = 64;

const POLICIES: [&str; 16] = [
    "queue-length=5",
    "queue-length=50",
    "visible=5",
    "sluice=5",
    "sluice=100",
    "worker-pod",
    "backlog-per-instance",
    "lambda",
    "flink",
    "step",
    "fixed=5",
    "oracle",
    "target-wait",
    "target-wait=unaided,cloudwatch:outage",
    "target-wait=kubernetes,concurrency:400",
    "target-wait=message:25,cloudwatch:off",
];

/// With a target wait nobody sleeps beside a message for longer: it is seen at the second look, and the
/// counts are half a minute old at most.
const ASLEEP_BESIDE_WORK_MAX: Duration = Duration::from_mins(2);

/// After so long without a message every policy has come to rest: one that takes a pod every 30 s has
/// taken sixty.
const REST: Duration = Duration::from_mins(45);

/// With what cannot be bound by a longer grace left out: then no pod is ever killed at work.
struct Given {
    scenario: Scenario,
    policy: Policy,
    grace_suffices: bool,
}

fn given(seed: u64) -> Given {
    let mut random = Rng::with_seed(seed);
    let arrivals = given_arrivals(&mut random);
    let work = given_work(&mut random);
    let mut scenario = workloads::scenario(&format!("seed {seed}"), arrivals, work);
    scenario.fidelity = match random.u8(0..3) {
        0 => Fidelity::exact(),
        1 => Fidelity::ordinary(),
        _ => Fidelity::poor(),
    };
    scenario.delay = at(if random.bool() { 0 } else { random.u64(1..300) });
    scenario.visibility_timeout = at(random.u64(5..120));
    scenario.target_wait = at(random.u64(10..900));
    scenario.object.max_replicas = random.u32(5..60);
    scenario.object.polling_interval = at(random.u64(5..40));
    scenario.object.cooldown = at(random.u64(0..400));
    scenario.autoscaler.downscale_window = at(random.u64(0..400));
    scenario.cluster.startup = at(random.u64(0..120));
    scenario.cluster.nodes = random.u32(1..6);
    let longest = longest_turn(&scenario.work);
    let grace_suffices = longest.is_some() && random.bool();
    scenario.cluster.grace = match longest {
        Some(longest) if grace_suffices => longest + at(1),
        _ => at(random.u64(0..60)),
    };
    scenario.horizon += 3 * REST + scenario.delay;
    let index = usize::try_from(seed).expect("a small seed") % POLICIES.len();
    Given {
        scenario,
        policy: POLICIES[index].parse().expect("a policy"),
        grace_suffices,
    }
}

fn given_arrivals(random: &mut Rng) -> Vec<Segment> {
    let mut from = at(0);
    (0..random.usize(1..8))
        .map(|_| {
            let until = from + at(random.u64(0..900));
            let segment = Segment {
                from,
                until,
                messages: random.u64(0..600),
            };
            from = until + at(random.u64(0..600));
            segment
        })
        .collect()
}

fn given_work(random: &mut Rng) -> Work {
    let mean = Duration::from_millis(random.u64(50..90_000));
    let service_time = match random.u8(0..4) {
        0 => ServiceTime::Exponential(mean),
        1 => ServiceTime::Lognormal { mean, sigma: 1.0 },
        _ => ServiceTime::Constant(mean),
    };
    let mut work = Work::undisturbed(service_time, random.u32(1..12));
    work.prefetch = if random.u8(0..4) == 0 { 10 } else { 0 };
    work.resets_visibility = random.bool();
    work.receives_max = random.u32(2..6);
    work.poison_share = if random.bool() { 0.1 } else { 0.0 };
    if random.u8(0..4) == 0 {
        work.outage = Some(at(300)..at(900));
        work.hangs_for = random.bool().then(|| at(20));
    }
    work.groups = (random.u8(0..4) == 0).then(|| random.u32(8..30));
    work.saturates_above = (random.u8(0..4) == 0).then(|| random.u32(20..50));
    work
}

/// The longest that a pod may be at work after it was asked to stop, where that is bounded.
fn longest_turn(work: &Work) -> Option<Duration> {
    let ServiceTime::Constant(message) = work.service_time else {
        return None;
    };
    let held_in_line = 1 + work.prefetch.div_ceil(work.concurrency);
    let message = message.max(work.hangs_for.unwrap_or_default());
    work.saturates_above
        .is_none()
        .then(|| message * held_in_line)
}

fn assert_safe(given: &Given, before: Option<&StepView>, view: &StepView) {
    let Scenario { object, work, .. } = &given.scenario;
    let totals = view.totals;
    let accounted = totals.deleted + totals.moved_out + view.counts.total();
    assert_eq!(accounted, totals.sent, "messages are conserved");
    assert!(
        view.counts.in_flight >= view.held_messages,
        "what is held is in flight"
    );
    let slots = u64::from(work.concurrency + work.prefetch);
    assert!(
        view.held_messages <= u64::from(view.placed) * slots,
        "no slot is used twice"
    );
    assert!(
        view.replicas <= object.max_replicas,
        "at most maxReplicaCount"
    );
    assert!(
        view.ready <= view.replicas.min(view.placed),
        "ready pods are wanted and placed"
    );
    assert!(view.pod_seconds.is_finite(), "costs are finite");
    assert!(
        view.oldest_wait <= view.now,
        "no wait is longer than the run"
    );
    assert!(
        !given.grace_suffices || view.killed_messages == 0,
        "no pod is killed at work that would finish within its grace"
    );
    if let Some(groups) = work.groups {
        assert!(
            view.held_messages <= u64::from(groups),
            "groups bound what is in work"
        );
    }
    let is_lawful = matches!(given.policy, Policy::TargetWait(_));
    assert!(
        !is_lawful || view.replicas > 0 || view.oldest_wait < ASLEEP_BESIDE_WORK_MAX,
        "never at zero with work present"
    );
    if let Some(before) = before {
        assert!(view.now >= before.now, "time passes");
        assert!(view.pod_seconds >= before.pod_seconds, "costs only grow");
        assert!(
            totals.deleted >= before.totals.deleted,
            "what is done stays done"
        );
    }
}

fn check(seed: u64) {
    let given = given(seed);
    let mut before: Option<StepView> = None;
    let mut empty_since: Option<Duration> = None;
    let mut rested: Option<u32> = None;
    let outcome = watch(&given.scenario, given.policy, seed, |view| {
        assert_safe(&given, before.as_ref(), view);
        let is_empty = view.counts.total() == 0;
        let since = *empty_since.get_or_insert(view.now);
        empty_since = is_empty.then_some(since);
        if is_empty && view.now >= since + REST {
            let replicas = *rested.get_or_insert(view.replicas);
            let is_exact = given.scenario.fidelity == Fidelity::exact();
            assert!(!is_exact || replicas == view.replicas, "replicas settle");
        }
        before = Some(*view);
        ControlFlow::Continue(())
    });
    let outcome = outcome.expect("a policy that is not searched for");
    // Who kills the same work again and again may never be done, as in production.
    let is_killed = outcome.killed_messages > 0;
    assert!(
        is_killed || outcome.left_messages == 0,
        "the queue is drained"
    );
    assert!(
        outcome.pod_hours >= outcome.bound_pod_hours,
        "nothing is for free"
    );
    assert!(outcome.late_share.is_finite() && outcome.late_share <= 1.0);
}

fn told(variable: &str) -> Option<u64> {
    let told = env::var(variable).ok()?;
    Some(told.parse().expect("a whole number"))
}

#[test]
fn no_step_is_unsafe_and_every_run_ends_well() {
    let seeds = match told("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..told("SCENARIOS").unwrap_or(SCENARIOS),
    };
    for seed in seeds {
        let shown = std::panic::catch_unwind(|| check(seed));
        if let Err(panic) = shown {
            let Given {
                scenario, policy, ..
            } = given(seed);
            eprintln!("SEED={seed} cargo test --test simulation\n{policy}: {scenario:#?}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn a_seed_is_the_same_run_to_the_last_bit() {
    for seed in [3, 8] {
        let Given {
            scenario, policy, ..
        } = given(seed);
        let run = || watch(&scenario, policy, seed, |_| ControlFlow::Continue(()));
        assert_eq!(run(), run());
    }
}
