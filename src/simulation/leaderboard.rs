//! How policies stand over many cases, each a workload with a target: how many targets they keep of those
//! that can be kept, and how dear they are beside the best that was possible.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{
    compare::{Comparison, Row},
    numbers::{real, share},
    policy::Policy,
    scenario::Scenario,
    workloads,
};

/// How quickly the autoscaler and KEDA let pods go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LettingGo {
    /// Five minutes of stabilisation and of cooldown, as Kubernetes and KEDA do it untold.
    Default,
    /// A minute of each, as this project recommends.
    Recommended,
}

impl LettingGo {
    /// Sets it for a scenario.
    pub fn apply(self, scenario: &mut Scenario) {
        if self == Self::Recommended {
            scenario.autoscaler.downscale_window = Duration::from_mins(1);
            scenario.object.cooldown = Duration::from_mins(1);
        }
    }
}

/// What policies are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Every canonical workload.
    Canonical,
    /// So many that are drawn by chance, always the same.
    Drawn(u64),
}

impl Suite {
    fn workloads(self) -> Vec<Scenario> {
        match self {
            Self::Canonical => workloads::NAMES
                .iter()
                .filter_map(|(name, _)| workloads::canonical(name))
                .collect(),
            Self::Drawn(number) => (0..number).map(workloads::drawn).collect(),
        }
    }
}

/// Every workload of `suite` with every target.
pub fn cases(suite: Suite, targets: &[Duration], letting_go: LettingGo) -> Vec<Scenario> {
    let of_target = |&target_wait: &Duration| {
        suite.workloads().into_iter().map(move |mut scenario| {
            scenario.target_wait = target_wait;
            letting_go.apply(&mut scenario);
            scenario
        })
    };
    targets.iter().flat_map(of_target).collect()
}

/// How one policy did over all cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub policy: String,
    /// Targets kept, of those that the best `queueLength` in hindsight keeps.
    pub met: u64,
    /// How many of those there are.
    pub feasible: u64,
    /// Targets kept that hindsight does not keep.
    pub met_beyond: u64,
    /// The geometric mean of the pod-hours over those of hindsight, over the cases that both meet.
    pub pod_hours_over_hindsight: Option<f64>,
    /// The geometric mean of the pod-hours over the lower bound of each case, over the cases met.
    pub pod_hours_over_bound: Option<f64>,
    /// Over all cases, those that nobody could meet included.
    pub late_message_seconds: f64,
    pub killed_messages: u64,
}

/// The standings of all policies in `comparisons`, which need `hindsight` among them; the policy that
/// meets the most targets first, and of equals the cheapest.
pub fn standings(comparisons: &[Comparison]) -> Vec<Standing> {
    let mut cases: BTreeMap<&str, Vec<(&Comparison, &Row)>> = BTreeMap::new();
    for comparison in comparisons {
        for row in &comparison.rows {
            let of_policy = cases.entry(&row.policy).or_default();
            of_policy.push((comparison, row));
        }
    }
    let mut standings: Vec<Standing> = cases
        .iter()
        .map(|(policy, cases)| standing(policy, cases))
        .collect();
    let cost = |standing: &Standing| standing.pod_hours_over_hindsight.unwrap_or(f64::INFINITY);
    standings.sort_by(|one, other| {
        let met = other.met.cmp(&one.met);
        met.then(cost(one).total_cmp(&cost(other)))
    });
    standings
}

fn standing(policy: &str, cases: &[(&Comparison, &Row)]) -> Standing {
    let hindsight = |comparison: &Comparison| {
        let name = Policy::Hindsight.to_string();
        let row = comparison.rows.iter().find(|row| row.policy == name);
        row.filter(|row| row.is_met)
            .map(|row| row.outcome.pod_hours)
    };
    let mut standing = Standing {
        policy: policy.to_owned(),
        met: 0,
        feasible: 0,
        met_beyond: 0,
        pod_hours_over_hindsight: None,
        pod_hours_over_bound: None,
        late_message_seconds: 0.0,
        killed_messages: 0,
    };
    let (mut over_hindsight, mut over_bound) = (Vec::new(), Vec::new());
    for (comparison, row) in cases {
        let best = hindsight(comparison);
        standing.late_message_seconds += row.outcome.late_message_seconds;
        standing.killed_messages += row.outcome.killed_messages;
        standing.feasible += u64::from(best.is_some());
        standing.met += u64::from(row.is_met && best.is_some());
        standing.met_beyond += u64::from(row.is_met && best.is_none());
        if row.is_met {
            over_hindsight.extend(best.map(|best| share(row.outcome.pod_hours, best)));
            over_bound.push(share(
                row.outcome.pod_hours,
                comparison.lower_bound_pod_hours,
            ));
        }
    }
    standing.pod_hours_over_hindsight = geometric_mean(&over_hindsight);
    standing.pod_hours_over_bound = geometric_mean(&over_bound);
    standing
}

/// How the late message-seconds of a policy compare with those of another one, case by case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duel {
    pub policy: String,
    /// Cases in which the other one has more, as many, and fewer late message-seconds.
    pub won: u64,
    pub drawn: u64,
    pub lost: u64,
    /// Cases in which this one cannot be had for the price.
    pub absent: u64,
    /// Over the cases that both have.
    pub late_message_seconds: f64,
    pub others_late_message_seconds: f64,
}

/// All policies against `other`, which must be among them.
pub fn duels(comparisons: &[Comparison], other: &str) -> Vec<Duel> {
    let mut duels: BTreeMap<&str, Duel> = BTreeMap::new();
    let seconds = |row: &Row| row.outcome.late_message_seconds;
    let pairs = comparisons.iter().flat_map(|comparison| {
        let theirs = comparison.rows.iter().find(|row| row.policy == other);
        let rows = comparison.rows.iter().filter(|row| row.policy != other);
        rows.filter_map(move |row| Some((row, seconds(theirs?))))
    });
    for (row, theirs) in pairs {
        let ours = seconds(row);
        let duel = duels
            .entry(&row.policy)
            .or_insert_with(|| Duel::none(&row.policy));
        duel.won += u64::from(ours < theirs);
        duel.drawn += u64::from(ours.total_cmp(&theirs).is_eq());
        duel.lost += u64::from(ours > theirs);
        duel.late_message_seconds += ours;
        duel.others_late_message_seconds += theirs;
    }
    let cases = u64::try_from(comparisons.len()).unwrap_or(u64::MAX);
    let duels = duels.into_values();
    duels
        .map(|duel| Duel {
            absent: cases.saturating_sub(duel.won + duel.drawn + duel.lost),
            ..duel
        })
        .collect()
}

impl Duel {
    fn none(policy: &str) -> Self {
        Self {
            policy: policy.to_owned(),
            won: 0,
            drawn: 0,
            lost: 0,
            absent: 0,
            late_message_seconds: 0.0,
            others_late_message_seconds: 0.0,
        }
    }
}

/// Of those that are above 0; none where there are none.
fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let logarithms: Vec<f64> = ratios
        .iter()
        .filter(|ratio| **ratio > 0.0)
        .map(|ratio| ratio.ln())
        .collect();
    let there_are = real(u64::try_from(logarithms.len()).unwrap_or_default());
    (there_are > 0.0).then(|| (logarithms.iter().sum::<f64>() / there_are).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::outcome::Outcome;

    fn given_row(policy: &str, is_met: bool, pod_hours: f64) -> Row {
        Row {
            policy: policy.to_owned(),
            is_met,
            outcome: Outcome {
                pod_hours,
                late_message_seconds: 10.0,
                ..Outcome::default()
            },
            ..Row::default()
        }
    }

    fn given_comparison(rows: Vec<Row>) -> Comparison {
        Comparison {
            workload: "steady".to_owned(),
            target_wait_seconds: 60.0,
            seeds: vec![1],
            lower_bound_pod_hours: 1.0,
            rows,
            notes: Vec::new(),
        }
    }

    #[test]
    fn targets_count_where_hindsight_keeps_them_and_cost_where_both_do() {
        let comparisons = [
            given_comparison(vec![
                given_row("hindsight", true, 2.0),
                given_row("law", true, 4.0),
                given_row("cheap", false, 1.0),
            ]),
            given_comparison(vec![
                given_row("hindsight", true, 2.0),
                given_row("law", true, 2.0),
                given_row("cheap", true, 2.0),
            ]),
            given_comparison(vec![
                given_row("hindsight", false, 9.0),
                given_row("law", true, 9.0),
                given_row("cheap", false, 9.0),
            ]),
        ];
        let standings = standings(&comparisons);
        let names: Vec<&str> = standings.iter().map(|one| one.policy.as_str()).collect();
        assert_eq!(names, ["hindsight", "law", "cheap"]);
        let [hindsight, law, cheap] = &standings[..] else {
            panic!("three policies");
        };
        assert_eq!((hindsight.met, hindsight.feasible), (2, 2));
        assert_eq!((law.met, law.feasible, law.met_beyond), (2, 2, 1));
        assert_eq!((cheap.met, cheap.feasible), (1, 2));
        let ratio = law.pod_hours_over_hindsight.unwrap();
        assert!((ratio - 2.0_f64.sqrt()).abs() < 1e-9, "{ratio}");
        assert!((law.late_message_seconds - 30.0).abs() < 1e-9);
    }

    #[test]
    fn a_duel_counts_the_cases_that_both_have() {
        let late = |policy: &str, seconds| {
            let mut row = given_row(policy, true, 1.0);
            row.outcome.late_message_seconds = seconds;
            row
        };
        let comparisons = [
            given_comparison(vec![late("law", 5.0), late("step", 9.0)]),
            given_comparison(vec![late("law", 5.0), late("step", 5.0)]),
            given_comparison(vec![late("law", 5.0), late("step", 1.0)]),
            given_comparison(vec![late("law", 5.0)]),
        ];
        let [step] = &duels(&comparisons, "law")[..] else {
            panic!("one duel");
        };
        assert_eq!((step.won, step.drawn, step.lost, step.absent), (1, 1, 1, 1));
        assert!((step.late_message_seconds - 15.0).abs() < 1e-9);
        assert!((step.others_late_message_seconds - 15.0).abs() < 1e-9);
    }

    #[test]
    fn a_case_is_a_workload_with_a_target() {
        let targets = [60, 300].map(Duration::from_secs);
        let cases = cases(Suite::Canonical, &targets, LettingGo::Recommended);
        assert_eq!(cases.len(), 2 * workloads::NAMES.len());
        let minute = Duration::from_mins(1);
        assert!(cases.iter().all(|case| case.object.cooldown == minute));
        assert_eq!(cases[0].target_wait, minute);
    }
}
