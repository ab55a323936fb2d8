//! Small worlds for the tests.

use std::{ops::ControlFlow, time::Duration};

use sluice::simulation::{
    approximate::Fidelity,
    arrivals::Segment,
    compare::watch,
    outcome::Outcome,
    policy::Policy,
    scenario::Scenario,
    work::{ServiceTime, Work},
    workloads,
    world::StepView,
};

pub(crate) fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// `messages` at once, each of which takes `message` on one slot; exact counts, and pods that start at once.
pub(crate) fn given_dump(messages: u64, message: Duration) -> Scenario {
    let dump = Segment {
        from: at(1),
        until: at(1),
        messages,
    };
    let work = Work::undisturbed(ServiceTime::Constant(message), 1);
    let mut scenario = workloads::scenario("dump", vec![dump], work);
    scenario.fidelity = Fidelity::exact();
    scenario.cluster.startup = Duration::ZERO;
    scenario.cluster.nodes = 100;
    scenario
}

/// Runs it to its end, with all that could be seen.
pub(crate) fn run(scenario: &Scenario, policy: &str, seed: u64) -> (Outcome, Vec<StepView>) {
    let policy: Policy = policy.parse().expect("a policy");
    let mut seen = Vec::new();
    let outcome = watch(scenario, policy, seed, |view| {
        seen.push(*view);
        ControlFlow::Continue(())
    });
    (outcome.expect("a run that nobody broke off"), seen)
}

/// The times at which the number of replicas changed, with the new number.
pub(crate) fn changes(seen: &[StepView]) -> Vec<(u64, u32)> {
    let mut replicas = 0;
    let mut changes = Vec::new();
    for view in seen {
        if view.replicas != replicas {
            replicas = view.replicas;
            changes.push((view.now.as_secs(), replicas));
        }
    }
    changes
}
