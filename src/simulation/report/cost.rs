//! All policies by what they cost and how often they were late, with those marked that nothing beats.

use maud::{Markup, html};

use super::plot::{Plot, Scale, short};
use crate::simulation::{
    compare::{LATE_SHARE_MET, Row},
    figures::{percent, seconds, three_digits},
    numbers::real,
    ranking::{is_on_the_front, knows_the_future},
};

const WIDTH: f64 = 860.0;
const PLOT_WIDTH: f64 = 500.0;
const HEIGHT_MIN: f64 = 340.0;
/// Between two lines of the legend.
const LINE: f64 = 19.0;
const LEGEND_LEFT: f64 = 600.0;
/// Between two points so near to one another that their numbers would touch.
const ROOM: f64 = 19.0;

pub(super) const CAPTION: &str = "Further left is cheaper, further down is less often late. The line \
    joins the policies that no other one beats in both at once; those who know the future are hollow \
    and not part of it. Who left messages undone has no point, as nobody knows its cost. The numbers \
    are those of the leaderboard.";

/// Where a policy's point is, and its number.
struct Mark<'a> {
    row: &'a Row,
    rank: usize,
    x: f64,
    y: f64,
    /// Where the number is: beside others that are too near, above them.
    number_y: f64,
}

/// Rows are in the order of the leaderboard.
pub(super) fn chart(rows: &[&Row], target_wait_seconds: f64) -> Markup {
    let legend_height = 60.0 + LINE * real(u64::try_from(rows.len()).unwrap_or_default());
    let height = HEIGHT_MIN.max(legend_height);
    let plot = Plot {
        left: 64.0,
        top: 28.0,
        width: PLOT_WIDTH,
        height: height - 78.0,
        x: cost_scale(rows),
        y: Scale::Shares,
    };
    let marks = marks(rows, &plot);
    let title = format!(
        "Pod-hours against the share of messages that waited over {}",
        seconds(target_wait_seconds)
    );
    html! {
        svg.chart role="img" aria-label=(title) viewBox=(format!("0 0 {WIDTH} {height}")) {
            title { (title) }
            rect.ground width=(WIDTH) height=(height) {}
            rect.met x=(plot.left) width=(plot.width) y=(short(plot.y(LATE_SHARE_MET))) height=(short(plot.bottom() - plot.y(LATE_SHARE_MET))) {}
            (plot.axes())
            (plot.level(LATE_SHARE_MET, "target"))
            text.target-label x=(plot.left + plot.width - 4.0) y=(short(plot.y(LATE_SHARE_MET) - 5.0)) text-anchor="end" { "below: target kept" }
            text.axis-title x=(plot.left) y="16" { "messages late" }
            text.axis-title x=(plot.left + plot.width) y=(height - 12.0) text-anchor="end" { "pod-hours" }
            path.front d=(front(&marks, rows)) {}
            @for mark in &marks { @if is_done(mark.row) { (point(mark, rows)) } }
            g.legend { @for mark in &marks { (legend_line(mark)) } }
        }
    }
}

/// With some room at both ends.
fn cost_scale(rows: &[&Row]) -> Scale {
    let done = || rows.iter().filter(|row| is_done(row));
    let hours = || done().map(|row| row.outcome.pod_hours.max(1e-6));
    Scale::Logarithmic {
        min: hours().fold(f64::INFINITY, f64::min).min(1e9) * 0.9,
        max: hours().fold(1e-6, f64::max) * 1.1,
    }
}

fn is_done(row: &Row) -> bool {
    row.outcome.left_messages == 0
}

fn marks<'a>(rows: &[&'a Row], plot: &Plot) -> Vec<Mark<'a>> {
    let mut marks: Vec<Mark<'a>> = Vec::new();
    for (rank, row) in (1..).zip(rows) {
        let (x, y) = (
            plot.x(row.outcome.pod_hours),
            plot.y(row.outcome.late_share),
        );
        let is_near = |mark: &&Mark<'_>| (mark.x - x).abs() < ROOM && (mark.y - y).abs() < ROOM;
        let near = marks
            .iter()
            .filter(|mark| is_done(mark.row))
            .filter(is_near)
            .map(|mark| mark.number_y);
        let number_y = near.fold(y, |number_y, taken| number_y.min(taken - ROOM));
        marks.push(Mark {
            row,
            rank,
            x,
            y,
            number_y,
        });
    }
    marks
}

fn front(marks: &[Mark<'_>], rows: &[&Row]) -> String {
    let mut on: Vec<&Mark<'_>> = marks
        .iter()
        .filter(|mark| is_on_the_front(mark.row, rows))
        .collect();
    on.sort_by(|one, other| one.x.total_cmp(&other.x));
    let corners = on.iter().enumerate().map(|(index, mark)| {
        // Between two of them the cheaper one's lateness holds.
        let step = if index == 0 { "M" } else { "H" };
        let (x, y) = (short(mark.x), short(mark.y));
        if index == 0 {
            format!("{step}{x} {y}")
        } else {
            format!("{step}{x}V{y}")
        }
    });
    corners.collect()
}

fn point(mark: &Mark<'_>, rows: &[&Row]) -> Markup {
    let row = mark.row;
    let class = match row {
        row if knows_the_future(row) => "point future",
        row if is_on_the_front(row, rows) => "point on-front",
        _ => "point",
    };
    let (x, number_y) = (short(mark.x), short(mark.number_y));
    html! {
        g class=(class) {
            title {
                (row.policy) ": " (three_digits(row.outcome.pod_hours)) " pod-hours, "
                (percent(row.outcome.late_share)) " late"
            }
            @if mark.number_y < mark.y {
                line x1=(x) x2=(x) y1=(short(mark.y)) y2=(number_y) {}
                circle.foot cx=(x) cy=(short(mark.y)) r="3" {}
            }
            circle cx=(x) cy=(number_y) r="9" {}
            text x=(x) y=(short(mark.number_y + 3.5)) text-anchor="middle" { (mark.rank) }
        }
    }
}

fn legend_line(mark: &Mark<'_>) -> Markup {
    let y = 24.0 + LINE * real(u64::try_from(mark.rank).unwrap_or_default());
    html! {
        text x=(LEGEND_LEFT + 16.0) y=(y) text-anchor="end" { (mark.rank) }
        text x=(LEGEND_LEFT + 26.0) y=(y) { (mark.row.policy) @if !is_done(mark.row) { " (not done)" } }
    }
}
