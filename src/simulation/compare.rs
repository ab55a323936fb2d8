//! Several policies under the same scenario and the same chance, and the best that one of them could
//! have been set to, found afterwards.

use std::ops::ControlFlow;

use serde::Serialize;

use super::{
    outcome::Outcome,
    policy::Policy,
    world::{Scenario, StepView, World},
};

/// The `queueLength`s that are tried for the best in hindsight, with and without messages in flight.
const QUEUE_LENGTHS: [u32; 20] = [
    1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 400, 600, 800, 1_200, 1_600, 2_400, 4_000,
];

/// With at most this share of messages late the target is met.
pub const LATE_SHARE_MET: f64 = 0.01;

/// How one policy did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The policy's name.
    pub policy: String,
    /// What a search came to, where there was one.
    pub found: Option<String>,
    /// Whether at most one message in a hundred was late, and none left.
    pub is_met: bool,
    /// The mean over all seeds.
    pub outcome: Outcome,
    /// Each seed's run.
    pub runs: Vec<Outcome>,
}

/// All policies under one scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub workload: String,
    pub target_wait_seconds: f64,
    pub seeds: Vec<u64>,
    pub rows: Vec<Row>,
}

/// The runs that comparing takes.
pub fn runs_of(policies: &[Policy], seeds: usize) -> usize {
    let runs = |policy: &Policy| match policy {
        Policy::Hindsight => 2 * QUEUE_LENGTHS.len() * seeds,
        _ => seeds,
    };
    policies.iter().map(runs).sum()
}

/// Runs `policy` once, with `observe` told of each step. None when `observe` breaks the run off, and for
/// a policy that is searched for.
pub fn watch(
    scenario: &Scenario,
    policy: Policy,
    seed: u64,
    observe: impl FnMut(&StepView) -> ControlFlow<()>,
) -> Option<Outcome> {
    let control = policy.control(scenario)?;
    World::new(scenario, control, seed).watched(observe)
}

/// Runs every policy once for each seed; `progress` is called after each run.
pub fn compare(
    scenario: &Scenario,
    policies: &[Policy],
    seeds: &[u64],
    mut progress: impl FnMut(),
) -> Comparison {
    let rows = policies.iter().map(|&policy| {
        if policy == Policy::Hindsight {
            hindsight(scenario, seeds, &mut progress)
        } else {
            row(scenario, policy, seeds, &mut progress)
        }
    });
    Comparison {
        workload: scenario.name.clone(),
        target_wait_seconds: scenario.target_wait.as_secs_f64(),
        seeds: seeds.to_vec(),
        rows: rows.collect(),
    }
}

fn row(scenario: &Scenario, policy: Policy, seeds: &[u64], progress: &mut impl FnMut()) -> Row {
    let mut runs = Vec::new();
    for seed in seeds {
        let control = policy.control(scenario);
        runs.extend(control.map(|control| World::new(scenario, control, *seed).run()));
        progress();
    }
    let outcome = Outcome::mean(&runs);
    Row {
        policy: policy.to_string(),
        found: None,
        is_met: outcome.late_share <= LATE_SHARE_MET && outcome.left_messages == 0,
        outcome,
        runs,
    }
}

/// The cheapest that meets the target; where none does, the one with the fewest late messages.
fn hindsight(scenario: &Scenario, seeds: &[u64], progress: &mut impl FnMut()) -> Row {
    let candidates = QUEUE_LENGTHS.iter().flat_map(|&messages| {
        [true, false].map(|in_flight| Policy::QueueLength {
            messages,
            in_flight,
        })
    });
    let rows: Vec<Row> = candidates
        .map(|policy| row(scenario, policy, seeds, progress))
        .collect();
    let cost = |row: &&Row| row.outcome.pod_hours;
    let late = |row: &&Row| (row.outcome.left_messages, row.outcome.late_share);
    let met = rows.iter().filter(|row| row.is_met);
    let best = met
        .min_by(|one, other| cost(one).total_cmp(&cost(other)))
        .or_else(|| {
            rows.iter().min_by(|one, other| {
                let ((left, share), (others_left, others_share)) = (late(one), late(other));
                left.cmp(&others_left).then(share.total_cmp(&others_share))
            })
        });
    Row {
        policy: Policy::Hindsight.to_string(),
        found: best.map(|row| row.policy.clone()),
        is_met: best.is_some_and(|row| row.is_met),
        outcome: best.map(|row| row.outcome.clone()).unwrap_or_default(),
        runs: best.map(|row| row.runs.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::simulation::{
        arrivals::Segment,
        work::{ServiceTime, Work},
        workloads,
    };

    /// A second's work for one slot, 5 times a second, for half an hour.
    fn given_scenario() -> Scenario {
        let segment = Segment {
            from: Duration::ZERO,
            until: Duration::from_mins(30),
            messages: 9_000,
        };
        let service_time = ServiceTime::Exponential(Duration::from_secs(1));
        workloads::scenario(
            "half an hour",
            vec![segment],
            Work::undisturbed(service_time, 1),
        )
    }

    fn given_comparison() -> Comparison {
        compare(&given_scenario(), &Policy::leaderboard(), &[1, 2], || {})
    }

    #[test]
    fn every_policy_does_all_the_work_and_none_needs_less_than_the_bound() {
        let comparison = given_comparison();
        assert_eq!(comparison.rows.len(), Policy::leaderboard().len());
        for row in &comparison.rows {
            let outcome = &row.outcome;
            assert_eq!(outcome.sent_messages, 9_000, "{}", row.policy);
            assert_eq!(outcome.left_messages, 0, "{}", row.policy);
            assert!(outcome.pod_hours_over_bound >= 1.0, "{}", row.policy);
        }
    }

    #[test]
    fn hindsight_is_no_dearer_than_a_fixed_length_that_meets_the_target() {
        let rows = given_comparison().rows;
        let cost = |name: &str| rows.iter().find(|row| row.policy == name).unwrap();
        assert!(cost("hindsight").is_met);
        assert!(cost("hindsight").outcome.pod_hours <= cost("queue-length=5").outcome.pod_hours);
    }

    #[test]
    fn the_oracle_is_in_time_at_little_more_than_the_bound() {
        let rows = compare(&given_scenario(), &[Policy::Oracle], &[1], || {}).rows;
        assert!(rows[0].is_met);
        assert!(
            rows[0].outcome.pod_hours_over_bound < 1.3,
            "{:?}",
            rows[0].outcome
        );
    }

    #[test]
    fn the_same_seeds_give_the_same_bytes() {
        let text = || serde_json::to_string(&given_comparison()).unwrap();
        assert_eq!(text(), text());
    }

    #[test]
    fn each_run_makes_progress() {
        let (policies, mut runs) = (Policy::leaderboard(), 0);
        compare(&given_scenario(), &policies, &[1], || runs += 1);
        assert_eq!(runs, runs_of(&policies, 1));
    }
}
