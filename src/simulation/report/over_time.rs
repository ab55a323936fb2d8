//! Each policy's first run over time: replicas, backlog and age, on scales that all policies share,
//! with the same numbers in a table.

use maud::{Markup, html};

use super::plot::{Plot, Scale};
use crate::simulation::{
    compare::Row,
    figures::{grouped, percent, seconds, three_digits},
    numbers::{count, real},
    timeline::Timeline,
};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 190.0;

/// The table beside the charts has about so many rows.
const TABLE_ROWS: usize = 24;

/// Ages are shown up to so many times the target: what is far beyond it would flatten all others.
const AGE_TARGETS: f64 = 2.5;

/// Backlogs are shown up to so many times the greatest of a policy that kept the target.
const BACKLOGS: f64 = 1.5;

/// A run that lasts longer than so many times the shortest is cut off.
const RUNS: f64 = 1.25;

/// Up to where the axes go, in all charts alike.
#[derive(Debug, Clone, Copy)]
struct Extent {
    seconds: f64,
    replicas: f64,
    messages: f64,
    age_seconds: f64,
    target_seconds: f64,
}

impl Extent {
    fn of(rows: &[&Row], target_seconds: f64) -> Self {
        let most = |measure: fn(&Timeline) -> f64| {
            rows.iter()
                .map(|row| measure(&row.timeline))
                .fold(1.0, f64::max)
        };
        let shortest = rows
            .iter()
            .map(|row| length(&row.timeline))
            .fold(f64::INFINITY, f64::min);
        let oldest = most(|run| most_of(&run.oldest_age_seconds));
        Self {
            seconds: most(length).min(RUNS * shortest).max(1.0),
            replicas: most(|run| {
                let numbers = [
                    &run.wanted_replicas,
                    &run.running_replicas,
                    &run.needed_replicas,
                ];
                f64::from(numbers.into_iter().flatten().copied().max().unwrap_or(0))
            }),
            messages: most(|run| most_of(&run.visible_messages)).min(most_kept(rows)),
            age_seconds: oldest.clamp(1.25 * target_seconds, AGE_TARGETS * target_seconds),
            target_seconds,
        }
    }

    fn plot(&self, y_max: f64) -> Plot {
        Plot {
            left: 58.0,
            top: 26.0,
            width: WIDTH - 76.0,
            height: HEIGHT - 50.0,
            x: Scale::Time { max: self.seconds },
            y: Scale::Linear { max: y_max },
        }
    }
}

fn most_kept(rows: &[&Row]) -> f64 {
    let kept = rows.iter().filter(|row| row.is_met);
    let most = kept
        .map(|row| most_of(&row.timeline.visible_messages))
        .fold(0.0, f64::max);
    if most > 0.0 {
        BACKLOGS * most
    } else {
        f64::INFINITY
    }
}

fn length(run: &Timeline) -> f64 {
    let points = u64::try_from(run.wanted_replicas.len()).unwrap_or_default();
    real(points * run.interval_seconds)
}

fn most_of(numbers: &[u64]) -> f64 {
    real(numbers.iter().copied().max().unwrap_or(0))
}

/// What the lines are, once for all charts.
pub(super) fn legend() -> Markup {
    let key = |class: &str, words: &str| {
        html! {
            span.key {
                svg viewBox="0 0 28 12" aria-hidden="true" { path class=(class) d="M0 9H10V3H28" {} }
                (words)
            }
        }
    };
    html! {
        p.keys {
            (key("wanted", "replicas wanted"))
            (key("running", "pods running"))
            span.key { svg viewBox="0 0 28 12" aria-hidden="true" { rect.needed width="28" height="12" {} } "pods needed, by one who knows the arrivals" }
            (key("target", "the target wait"))
        }
    }
}

/// Rows are in the order of the leaderboard.
pub(super) fn policies(rows: &[&Row], target_seconds: f64) -> Markup {
    let extent = Extent::of(rows, target_seconds);
    html! { @for (rank, row) in (1_u32..).zip(rows) { (policy(rank, row, &extent)) } }
}

fn policy(rank: u32, row: &Row, extent: &Extent) -> Markup {
    html! {
        article id=(format!("policy-{rank}")) {
            h3 { (rank) ". " (row.policy) @if let Some(found) = &row.found { " (" (found) ")" } }
            p { (summary(row, extent)) }
            div.charts {
                (replicas(row, extent))
                (backlog(row, extent))
                (age(row, extent))
            }
            details { summary { "The same as a table" } (table(row)) }
        }
    }
}

fn summary(row: &Row, extent: &Extent) -> String {
    let outcome = &row.outcome;
    let mut sentences = vec![format!(
        "{} late, p99 {}, {} pod-hours, at most {} replicas.",
        percent(outcome.late_share),
        seconds(outcome.wait_seconds_p99),
        three_digits(outcome.pod_hours),
        outcome.replicas_max,
    )];
    let beyond = length(&row.timeline) - extent.seconds;
    if beyond > 0.0 {
        let beyond = seconds(beyond);
        sentences.push(format!(
            "The first run goes on for {beyond} after the end of the charts."
        ));
    }
    if most_of(&row.timeline.oldest_age_seconds) > extent.age_seconds {
        sentences.push("The age goes beyond its chart.".to_owned());
    }
    if most_of(&row.timeline.visible_messages) > extent.messages {
        sentences.push("The backlog goes beyond its chart.".to_owned());
    }
    sentences.join(" ")
}

fn replicas(row: &Row, extent: &Extent) -> Markup {
    let run = &row.timeline;
    let plot = extent.plot(extent.replicas);
    let step = real(run.interval_seconds);
    let numbers = |replicas: &[u32]| {
        replicas
            .iter()
            .map(|&replicas| f64::from(replicas))
            .collect::<Vec<_>>()
    };
    let most = |replicas: &[u32]| replicas.iter().copied().max().unwrap_or(0);
    let title = format!(
        "Replicas under {}: at most {} wanted, {} running, {} needed",
        row.policy,
        most(&run.wanted_replicas),
        most(&run.running_replicas),
        most(&run.needed_replicas),
    );
    panel(
        "replicas",
        &title,
        &html! {
            path.needed d=(plot.area(&numbers(&run.needed_replicas), step)) {}
            (plot.axes())
            path.running d=(plot.stairs(&numbers(&run.running_replicas), step)) {}
            path.wanted d=(plot.stairs(&numbers(&run.wanted_replicas), step)) {}
        },
    )
}

fn backlog(row: &Row, extent: &Extent) -> Markup {
    let run = &row.timeline;
    let plot = extent.plot(extent.messages);
    let numbers: Vec<f64> = run
        .visible_messages
        .iter()
        .map(|&messages| real(messages))
        .collect();
    let most = grouped(count(most_of(&run.visible_messages)));
    let title = format!(
        "Backlog under {}: at most {most} messages waiting",
        row.policy
    );
    panel(
        "messages waiting",
        &title,
        &html! {
            (plot.axes())
            path.backlog d=(plot.area(&numbers, real(run.interval_seconds))) {}
        },
    )
}

fn age(row: &Row, extent: &Extent) -> Markup {
    let run = &row.timeline;
    let plot = extent.plot(extent.age_seconds);
    let numbers: Vec<f64> = run
        .oldest_age_seconds
        .iter()
        .map(|&age| real(age))
        .collect();
    let title = format!(
        "Age of the oldest message under {}: at most {}, where {} is the target",
        row.policy,
        seconds(most_of(&run.oldest_age_seconds)),
        seconds(extent.target_seconds),
    );
    panel(
        "age of the oldest, seconds",
        &title,
        &html! {
            (plot.axes())
            path.age d=(plot.area(&numbers, real(run.interval_seconds))) {}
            (plot.level(extent.target_seconds, "target"))
        },
    )
}

fn panel(measure: &str, title: &str, contents: &Markup) -> Markup {
    html! {
        svg.chart role="img" aria-label=(title) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) {
            title { (title) }
            text.axis-title x="6" y="14" { (measure) }
            (contents)
        }
    }
}

/// The run in fewer points, each with the most of its time.
fn table(row: &Row) -> Markup {
    let run = &row.timeline;
    let width = run.wanted_replicas.len().div_ceil(TABLE_ROWS).max(1);
    let small = |replicas: &[u32]| -> Vec<u64> {
        let most = |chunk: &[u32]| chunk.iter().copied().max().map_or(0, u64::from);
        replicas.chunks(width).map(most).collect()
    };
    let large = |numbers: &[u64]| -> Vec<u64> {
        let most = |chunk: &[u64]| chunk.iter().copied().max().unwrap_or(0);
        numbers.chunks(width).map(most).collect()
    };
    let columns = [
        ("wanted", small(&run.wanted_replicas)),
        ("running", small(&run.running_replicas)),
        ("needed", small(&run.needed_replicas)),
        ("waiting", large(&run.visible_messages)),
        ("age, s", large(&run.oldest_age_seconds)),
    ];
    let lines = columns.first().map_or(0, |(_, numbers)| numbers.len());
    let step = real(u64::try_from(width).unwrap_or_default() * run.interval_seconds);
    html! {
        table {
            caption { "The most within each " (seconds(step)) }
            thead { tr { th scope="col" { "from" } @for (name, _) in &columns { th.number scope="col" { (name) } } } }
            tbody {
                @for (index, line) in (0_u64..).zip(0..lines) {
                    tr {
                        th scope="row" { (clock(real(index) * step)) }
                        @for (_, numbers) in &columns { td.number { (grouped(numbers.get(line).copied().unwrap_or(0))) } }
                    }
                }
            }
        }
    }
}

/// Hours, minutes and seconds since the run began.
fn clock(seconds: f64) -> String {
    let whole = count(seconds);
    format!("{}:{:02}:{:02}", whole / 3_600, whole / 60 % 60, whole % 60)
}
