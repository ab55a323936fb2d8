//! The leaderboard as a table.

use maud::{Markup, html};

use crate::simulation::{
    compare::Row,
    figures::{dollars, grouped, percent, seconds, three_digits},
};

/// What the columns of numbers are called, what they are, and how a row's is written.
type Column = (&'static str, &'static str, fn(&Row) -> String);

const COLUMNS: [Column; 14] = [
    (
        "late",
        "messages that waited longer than the target",
        |row| percent(row.outcome.late_share),
    ),
    (
        "p50",
        "the wait that half of the messages did not exceed",
        |row| seconds(row.outcome.wait_seconds_p50),
    ),
    (
        "p99",
        "the wait that 99 of 100 messages did not exceed",
        |row| seconds(row.outcome.wait_seconds_p99),
    ),
    ("max", "the longest wait", |row| {
        seconds(row.outcome.wait_seconds_max)
    }),
    (
        "pod-hours",
        "pods on a node, those that drain included",
        |row| three_digits(row.outcome.pod_hours),
    ),
    (
        "/ bound",
        "pod-hours, to those of the work alone with every slot always busy",
        |row| three_digits(row.outcome.pod_hours_over_bound),
    ),
    (
        "wasted",
        "pods that ended without having received a message",
        |row| grouped(row.outcome.wasted_starts),
    ),
    (
        "killed",
        "messages in work when their pod was killed",
        |row| grouped(row.outcome.killed_messages),
    ),
    ("changes", "changes of the number of replicas", |row| {
        grouped(row.outcome.replica_changes)
    }),
    (
        "false",
        "wake-ups from zero while there was no message",
        |row| grouped(row.outcome.false_activations),
    ),
    (
        "too few",
        "SPEC theta_U: what was missing of the pods needed, over time",
        |row| format!("{:.0} %", row.outcome.elasticity.theta_under_percent),
    ),
    (
        "too many",
        "SPEC theta_O: what was beyond the pods needed, over time",
        |row| format!("{:.0} %", row.outcome.elasticity.theta_over_percent),
    ),
    (
        "jitter/h",
        "SPEC: changes of replicas per hour beyond those of the need",
        |row| format!("{:.1}", row.outcome.elasticity.jitter_per_hour),
    ),
    (
        "API",
        "what asking SQS and CloudWatch cost in the run",
        |row| dollars(row.outcome.api_dollars()),
    ),
];

/// Rows are in the order of the leaderboard.
pub(super) fn table(rows: &[&Row]) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Leaderboard" {
            table {
                thead {
                    tr {
                        th scope="col" { "#" }
                        th scope="col" { "policy" }
                        th scope="col" { "target" }
                        @for (name, meaning, _) in COLUMNS {
                            th.number scope="col" title=(meaning) { (name) }
                        }
                    }
                }
                tbody { @for (rank, row) in (1_u32..).zip(rows) { (line(rank, row)) } }
            }
        }
        details {
            summary { "What the columns are" }
            dl { @for (name, meaning, _) in COLUMNS { dt { (name) } dd { (meaning) } } }
        }
    }
}

fn line(rank: u32, row: &Row) -> Markup {
    html! {
        tr {
            td.number { (rank) }
            th scope="row" {
                a href=(format!("#policy-{rank}")) { (row.policy) }
                @if let Some(found) = &row.found { " (" (found) ")" }
            }
            td {
                @if row.is_met { span.kept { "✓ kept" } } @else { span.missed { "✗ missed" } }
                @if row.outcome.left_messages > 0 { ", " (grouped(row.outcome.left_messages)) " left" }
            }
            @for (_, _, write) in COLUMNS { td.number { (write(row)) } }
        }
    }
}
