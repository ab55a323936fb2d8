//! Several policies under the same scenario and the same chance, and the best that one of them could
//! have been set to, found afterwards.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{
    bound::lower_bound_pod_hours,
    outcome::Outcome,
    policy::Policy,
    scenario::Scenario,
    search::{best, least_late},
    timeline::Timeline,
    told::{Knows, Told},
    tuning::{self, Family, training_seeds},
    world::{StepView, World},
};

/// The `queueLength`s that are tried for the best in hindsight, with and without messages in flight. Those
/// that are often the best come first, as a search is shorter from there.
const QUEUE_LENGTHS: [u32; 20] = [
    400, 1_200, 200, 800, 120, 300, 600, 1_600, 2_400, 4_000, 50, 30, 80, 20, 12, 8, 5, 3, 2, 1,
];

/// With at most this share of messages late the target is met.
pub const LATE_SHARE_MET: f64 = 0.01;

/// How one policy did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// The first seed's run over time.
    pub timeline: Timeline,
}

/// All policies under one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub workload: String,
    pub target_wait_seconds: f64,
    pub seeds: Vec<u64>,
    /// No policy that keeps the target needs less.
    pub lower_bound_pod_hours: f64,
    pub rows: Vec<Row>,
    /// What the reader should know besides.
    pub notes: Vec<String>,
}

/// The runs that comparing takes.
pub fn runs_of(policies: &[Policy], seeds: usize) -> usize {
    let runs = |policy: &Policy| match policy {
        Policy::Hindsight => 2 * QUEUE_LENGTHS.len() * seeds,
        Policy::Tuned(_) | Policy::Equal(_) => (tuning::CANDIDATES + 1) * seeds,
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
    let watched = World::new(scenario, control, seed).watched(observe)?;
    Some(watched.0)
}

/// Runs every policy once for each seed; `progress` is called after each run.
pub fn compare(
    scenario: &Scenario,
    policies: &[Policy],
    seeds: &[u64],
    mut progress: impl FnMut(),
) -> Comparison {
    let rows = policies.iter().filter_map(|&policy| match policy {
        Policy::Hindsight => hindsight(scenario, seeds, &mut progress),
        Policy::Tuned(family) => tuned(scenario, family, seeds, &mut progress),
        Policy::Equal(family) => at_equal_cost(scenario, family, seeds, &mut progress),
        _ => Some(row(scenario, policy, seeds, &mut progress)),
    });
    Comparison {
        workload: scenario.name.clone(),
        target_wait_seconds: scenario.target_wait.as_secs_f64(),
        seeds: seeds.to_vec(),
        lower_bound_pod_hours: lower_bound_pod_hours(scenario),
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

fn row(scenario: &Scenario, policy: Policy, seeds: &[u64], progress: &mut impl FnMut()) -> Row {
    let (mut runs, mut timeline) = (Vec::new(), None);
    for seed in seeds {
        if let Some(control) = policy.control(scenario) {
            let (outcome, recorded) = World::new(scenario, control, *seed).run_recorded();
            runs.push(outcome);
            timeline.get_or_insert(recorded);
        }
        progress();
    }
    Row {
        policy: policy.name(scenario),
        ..Row::of(policy, runs, timeline.unwrap_or_default())
    }
}

impl Row {
    /// What the runs of a policy came to.
    pub(super) fn of(policy: Policy, runs: Vec<Outcome>, timeline: Timeline) -> Self {
        let outcome = Outcome::mean(&runs);
        Self {
            policy: policy.to_string(),
            found: None,
            is_met: outcome.late_share <= LATE_SHARE_MET && outcome.left_messages == 0,
            outcome,
            runs,
            timeline,
        }
    }

    /// The row of a policy that is another one, found by a search.
    fn found_as(self, policy: Policy) -> Self {
        Self {
            found: Some(self.policy),
            policy: policy.to_string(),
            ..self
        }
    }
}

/// The best fixed `queueLength`, chosen on the very seeds that it is judged on.
fn hindsight(scenario: &Scenario, seeds: &[u64], progress: &mut impl FnMut()) -> Option<Row> {
    let with_both = |&messages: &u32| {
        [true, false].map(|in_flight| Policy::QueueLength {
            messages,
            in_flight,
        })
    };
    let candidates: Vec<Policy> = QUEUE_LENGTHS.iter().flat_map(with_both).collect();
    let found = best(scenario, &candidates, seeds, progress)?;
    Some(found.found_as(Policy::Hindsight))
}

/// The best settings on the training seeds, judged on the others.
fn tuned(
    scenario: &Scenario,
    family: Family,
    seeds: &[u64],
    progress: &mut impl FnMut(),
) -> Option<Row> {
    let training = training_seeds(seeds);
    let found = best(scenario, &family.candidates(), &training, progress)?;
    let chosen = found.policy.parse().ok()?;
    Some(row(scenario, chosen, seeds, progress).found_as(Policy::Tuned(family)))
}

/// The setting that is least late for the price of the law, found on the very seeds that both are judged on;
/// none where none is as cheap.
fn at_equal_cost(
    scenario: &Scenario,
    family: Family,
    seeds: &[u64],
    progress: &mut impl FnMut(),
) -> Option<Row> {
    let law = Policy::TargetWait(Told::of(Knows::Concurrency));
    let price = row(scenario, law, seeds, progress).outcome.pod_hours;
    let found = least_late(scenario, &family.candidates(), seeds, (price, progress))?;
    Some(found.found_as(Policy::Equal(family)))
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

    #[test]
    fn a_rival_at_equal_cost_is_no_dearer_than_the_law_and_counts_every_run() {
        let law = Policy::TargetWait(Told::of(Knows::Concurrency));
        let (policies, mut runs) = ([law, Policy::Equal(Family::QueueLength)], 0);
        let rows = compare(&given_scenario(), &policies, &[1], || runs += 1).rows;
        assert_eq!(runs, runs_of(&policies, 1));
        assert_eq!(rows[1].policy, "equal:queue-length");
        assert!(rows[1].outcome.pod_hours <= rows[0].outcome.pod_hours);
    }

    #[test]
    fn a_tuned_rival_is_the_one_that_was_found_and_counts_every_run() {
        let (policies, mut runs) = ([Policy::Tuned(Family::Fixed)], 0);
        let rows = compare(&given_scenario(), &policies, &[1, 2], || runs += 1).rows;
        assert_eq!(runs, runs_of(&policies, 2));
        let found: Policy = rows[0].found.clone().unwrap().parse().unwrap();
        let same = compare(&given_scenario(), &[found], &[1, 2], || {}).rows;
        assert_eq!(rows[0].outcome, same[0].outcome);
        assert!(rows[0].is_met, "{found}");
        assert_eq!(rows[0].policy, "tuned:fixed");
    }
}
