//! A comparison as one HTML page that needs nothing else: no script, no font, no request. It knows no
//! file and no clock; the same comparison gives the same bytes.

mod cost;
mod leaderboard;
mod over_time;
mod plot;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    compare::Comparison,
    figures::{grouped, seconds, three_digits},
    ranking::ranked,
    table::runs,
};

/// Colours for light and dark, and the layout.
const STYLE: &str = include_str!("style.css");

/// The page may not load or run anything, whatever is written into it.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
pub fn page(comparison: &Comparison) -> String {
    let title = format!(
        "{}: {} policies compared",
        comparison.workload,
        comparison.rows.len()
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
                title { "sluice simulate: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p { (circumstances(comparison)) }
                }
                main { (contents(comparison)) }
                footer {
                    p { "Made by " code { "sluice simulate" } ", in virtual time. The same seed gives the same page." }
                }
            }
        }
    };
    page.into_string()
}

/// The chart of cost against lateness as an SVG file of its own.
pub fn chart(comparison: &Comparison) -> String {
    let chart = cost::chart(&ranked(comparison), comparison.target_wait_seconds);
    let style = html! { style { (PreEscaped(STYLE)) } };
    // An SVG file, unlike SVG in a page, says what it is, and has a background of its own.
    let opening = "<svg xmlns=\"http://www.w3.org/2000/svg\"";
    let text = chart.into_string();
    match text.split_once('>') {
        Some((start, rest)) => {
            let start = start.replacen("<svg", opening, 1);
            format!("{start}>{}{rest}\n", style.into_string())
        }
        None => text,
    }
}

fn circumstances(comparison: &Comparison) -> String {
    let sent = comparison
        .rows
        .first()
        .map_or(0, |row| row.outcome.sent_messages);
    format!(
        "{} messages; each may wait {} to be received, and the target is kept when at most 1 % wait \
         longer and none is left; whoever keeps it needs {} pod-hours at least; {}.",
        grouped(sent),
        seconds(comparison.target_wait_seconds),
        three_digits(comparison.lower_bound_pod_hours),
        runs(&comparison.seeds),
    )
}

fn contents(comparison: &Comparison) -> Markup {
    let rows = ranked(comparison);
    let sentences = words::sentences(&rows, comparison);
    html! {
        section aria-labelledby="differences" {
            h2 id="differences" { "What the differences are" }
            @for sentence in sentences {
                p { (sentence) }
            }
            @for note in &comparison.notes {
                p.note { (note) }
            }
        }
        section aria-labelledby="leaderboard" {
            h2 id="leaderboard" { "Leaderboard" }
            (leaderboard::table(&rows))
        }
        section aria-labelledby="cost" {
            h2 id="cost" { "Cost against waiting" }
            figure tabindex="0" {
                (cost::chart(&rows, comparison.target_wait_seconds))
                figcaption { (cost::CAPTION) }
            }
        }
        section aria-labelledby="over-time" {
            h2 id="over-time" { "Policy by policy" }
            (over_time::legend())
            (over_time::policies(&rows, comparison.target_wait_seconds))
        }
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
