//! A comparison as a table for a terminal, the cheapest policy that meets the target first.

use std::fmt;

use super::{
    compare::{Comparison, Row},
    figures::{percent, seconds},
    ranking::ranked,
};

/// What the columns are called; numbers stand to the right.
const HEADINGS: [&str; 9] = [
    "target",
    "late",
    "p50",
    "p99",
    "max",
    "pod-hours",
    "/bound",
    "killed",
    "changes",
];

/// Policies' names take this much room.
const NAME_WIDTH: usize = 38;

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{}: a message may wait {}; {}",
            self.workload,
            seconds(self.target_wait_seconds),
            runs(&self.seeds),
        )?;
        let bound = self.lower_bound_pod_hours;
        writeln!(
            formatter,
            "whoever keeps that needs {bound:.1} pod-hours at least\n"
        )?;
        write!(formatter, "{:<NAME_WIDTH$}", "policy")?;
        for heading in HEADINGS {
            write!(formatter, " {heading:>9}")?;
        }
        writeln!(formatter)?;
        ranked(self)
            .into_iter()
            .try_for_each(|row| write_row(formatter, row))
    }
}

fn write_row(formatter: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    let outcome = &row.outcome;
    let name = match &row.found {
        Some(found) => format!("{} ({found})", row.policy),
        None => row.policy.clone(),
    };
    let cells = [
        if row.is_met { "met" } else { "missed" }.to_owned(),
        percent(outcome.late_share),
        seconds(outcome.wait_seconds_p50),
        seconds(outcome.wait_seconds_p99),
        seconds(outcome.wait_seconds_max),
        format!("{:.1}", outcome.pod_hours),
        format!("{:.2}", outcome.pod_hours_over_bound),
        outcome.killed_messages.to_string(),
        outcome.replica_changes.to_string(),
    ];
    write!(formatter, "{name:<NAME_WIDTH$}")?;
    for cell in cells {
        write!(formatter, " {cell:>9}")?;
    }
    if outcome.left_messages > 0 {
        write!(formatter, "  {} messages were left", outcome.left_messages)?;
    }
    writeln!(formatter)
}

/// Which runs the measures are of.
pub(super) fn runs(seeds: &[u64]) -> String {
    match seeds {
        [seed] => format!("seed {seed}"),
        [first, .., last] => format!("mean of seeds {first} to {last}"),
        [] => "no run".to_owned(),
    }
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
                pod_hours_over_bound: pod_hours / 2.0,
                late_share: 0.005,
                wait_seconds_p50: 1.25,
                wait_seconds_p99: 59.0,
                wait_seconds_max: 301.0,
                ..Outcome::default()
            },
            ..Row::default()
        }
    }

    #[test]
    fn the_cheapest_that_meets_the_target_is_first() {
        let comparison = Comparison {
            workload: "steady".to_owned(),
            target_wait_seconds: 300.0,
            seeds: vec![1, 2, 3],
            lower_bound_pod_hours: 2.5,
            rows: vec![
                given_row("cheap and late", false, 1.0),
                given_row("dear", true, 9.0),
                given_row("good", true, 4.0),
            ],
            notes: Vec::new(),
        };
        let text = comparison.to_string();
        let names: Vec<&str> = text
            .lines()
            .skip(4)
            .map(|line| line.split("  ").next().unwrap())
            .collect();
        assert_eq!(names, ["good", "dear", "cheap and late"]);
        assert!(text.starts_with("steady: a message may wait 300 s; mean of seeds 1 to 3\n"));
        assert!(
            text.lines()
                .all(|line| line.len() <= NAME_WIDTH + 10 * HEADINGS.len())
        );
    }
}
