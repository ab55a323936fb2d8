//! All policies by what they cost and how long messages waited, with those marked that nothing beats.

use maud::{Markup, html};

use super::plot::{Plot, Scale, short};
use crate::simulation::{
    compare::Row,
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

/// Where a number is looked for a place: so many rings around its point, in so many directions.
const RINGS: u32 = 5;
const DIRECTIONS: u32 = 12;

/// Waits beyond so many targets are not told apart.
const TARGETS_MAX: f64 = 10.0;

/// Waits below this are as good as none.
const WAIT_MIN_SECONDS: f64 = 1.0;

pub(super) const CAPTION: &str = "Further left is cheaper, further down is sooner. The wait is the one \
    that 99 of 100 messages did not exceed, so that the target is kept just when the point is in the \
    green. The line joins the policies that no other one beats in both; those that know the future are \
    dashed and not part of it. Waits of more than ten targets are at the upper edge. Who left messages undone has no point, as nobody knows its cost. The \
    numbers are those of the leaderboard.";

/// Where a policy's point is, and its number.
struct Mark<'a> {
    row: &'a Row,
    rank: usize,
    point: Place,
    /// Where the number is: at the point, or near it where others are in the way.
    number: Place,
}

#[derive(Clone, Copy)]
struct Place {
    x: f64,
    y: f64,
}

impl Place {
    fn is_near(self, other: Self) -> bool {
        (self.x - other.x).hypot(self.y - other.y) < ROOM
    }
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
        y: wait_scale(rows, target_wait_seconds),
    };
    let marks = marks(rows, &plot);
    let target = plot.y(target_wait_seconds);
    let title = "Pod-hours against the wait that 99 of 100 messages did not exceed";
    html! {
        svg.chart role="img" aria-label=(title) viewBox=(format!("0 0 {WIDTH} {height}")) {
            title { (title) }
            rect.ground width=(WIDTH) height=(height) {}
            rect.met x=(plot.left) width=(plot.width) y=(short(target)) height=(short(plot.bottom() - target)) {}
            (plot.axes())
            (plot.level(target_wait_seconds, "target"))
            text.target-label x=(plot.left + plot.width - 4.0) y=(short(target - 5.0)) text-anchor="end" {
                "the target: " (seconds(target_wait_seconds))
            }
            text.axis-title x=(plot.left) y="14" { "p99 wait, seconds" }
            text.axis-title x=(plot.left + plot.width) y=(height - 12.0) text-anchor="end" { "pod-hours" }
            path.front d=(front(&marks, rows)) {}
            g.point { @for mark in marks.iter().filter(|mark| is_done(mark.row)) { (lead(mark)) } }
            @for mark in marks.iter().filter(|mark| is_done(mark.row)) { (point(mark, rows)) }
            g.legend { @for mark in &marks { (legend_line(mark)) } }
        }
    }
}

/// Longer waits than the target, and shorter ones, down to none.
fn wait_scale(rows: &[&Row], target_wait_seconds: f64) -> Scale {
    let waits = || {
        let done = rows.iter().filter(|row| is_done(row));
        done.map(|row| row.outcome.wait_seconds_p99.max(WAIT_MIN_SECONDS))
    };
    Scale::Logarithmic {
        min: waits().fold(target_wait_seconds / 2.0, f64::min) * 0.8,
        max: waits()
            .fold(target_wait_seconds * 2.0, f64::max)
            .min(target_wait_seconds * TARGETS_MAX)
            * 1.2,
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
        let point = Place {
            x: plot.x(row.outcome.pod_hours),
            y: plot.y(row.outcome.wait_seconds_p99),
        };
        let others = marks.iter().filter(|mark| is_done(mark.row));
        let taken: Vec<Place> = others.map(|mark| mark.number).collect();
        let number = room_near(point, &taken, plot);
        marks.push(Mark {
            row,
            rank,
            point,
            number,
        });
    }
    marks
}

/// The nearest place within the plot where a number touches no other one.
fn room_near(point: Place, taken: &[Place], plot: &Plot) -> Place {
    let rings = (0..RINGS).map(|ring| ROOM * f64::from(ring));
    let places = rings.flat_map(|far| {
        (0..DIRECTIONS).map(move |direction| {
            let turn = f64::from(direction) / f64::from(DIRECTIONS) * std::f64::consts::TAU;
            let (sin, cos) = turn.sin_cos();
            Place {
                x: point.x + far * sin,
                y: point.y - far * cos,
            }
        })
    });
    let is_free = |place: &Place| {
        let is_inside = place.x > plot.left
            && place.x < plot.left + plot.width
            && place.y > plot.top
            && place.y < plot.bottom();
        is_inside && !taken.iter().any(|other| other.is_near(*place))
    };
    places.into_iter().find(is_free).unwrap_or(point)
}

fn front(marks: &[Mark<'_>], rows: &[&Row]) -> String {
    let mut on: Vec<&Mark<'_>> = marks
        .iter()
        .filter(|mark| is_on_the_front(mark.row, rows))
        .collect();
    on.sort_by(|one, other| one.point.x.total_cmp(&other.point.x));
    let corners = on.iter().enumerate().map(|(index, mark)| {
        let (x, y) = (short(mark.point.x), short(mark.point.y));
        // Between two of them the wait of the cheaper one holds.
        if index == 0 {
            format!("M{x} {y}")
        } else {
            format!("H{x}V{y}")
        }
    });
    corners.collect()
}

/// From a number that had to give way to its point. Below all numbers.
fn lead(mark: &Mark<'_>) -> Markup {
    let (x, y) = (short(mark.point.x), short(mark.point.y));
    let (number_x, number_y) = (short(mark.number.x), short(mark.number.y));
    html! {
        @if (&x, &y) != (&number_x, &number_y) {
            line x1=(x) x2=(number_x) y1=(y) y2=(number_y) {}
            circle.foot cx=(x) cy=(y) r="3" {}
        }
    }
}

fn point(mark: &Mark<'_>, rows: &[&Row]) -> Markup {
    let row = mark.row;
    let class = match row {
        row if knows_the_future(row) => "point future",
        row if is_on_the_front(row, rows) => "point on-front",
        _ => "point",
    };
    let (number_x, number_y) = (short(mark.number.x), short(mark.number.y));
    html! {
        g class=(class) {
            title {
                (row.policy) ": " (three_digits(row.outcome.pod_hours)) " pod-hours, p99 "
                (seconds(row.outcome.wait_seconds_p99)) ", " (percent(row.outcome.late_share)) " late"
            }
            circle cx=(number_x) cy=(number_y) r="9" {}
            text x=(number_x) y=(short(mark.number.y + 3.5)) text-anchor="middle" { (mark.rank) }
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
