//! The cost of objects as a chart: benches/scale.svg, both axes logarithmic.

use std::{fmt::Write, fs};

use super::scale::Cost;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 56.0;

/// Percent of a core, from the bottom to the top.
const PERCENT: (f64, f64) = (0.001, 100.0);
const OBJECTS: (f64, f64) = (1.0, 10_000.0);

pub(crate) fn draw(costs: &[Cost]) {
    let points: Vec<(f64, f64)> = costs
        .iter()
        .map(|cost| (x(cost.objects as f64), y(cost.cpu * 100.0)))
        .collect();
    let line: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Processor time of one process against the number of objects</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    axes(&mut svg);
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#06c\" stroke-width=\"2\"/>",
        line.join(" ")
    );
    for ((x, y), cost) in points.iter().zip(costs) {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#06c\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.2} %</text>",
            y - 8.0,
            cost.cpu * 100.0
        );
    }
    svg.push_str("</svg>\n");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scale.svg");
    fs::write(path, svg).expect("a chart beside the benches");
}

fn axes(svg: &mut String) {
    for (decade, label) in [1.0, 10.0, 100.0, 1_000.0, 10_000.0].into_iter().zip([
        "1",
        "10",
        "100",
        "1,000",
        "10,000 objects",
    ]) {
        let x = x(decade);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{MARGIN}\" y2=\"{:.1}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            HEIGHT - MARGIN,
            HEIGHT - MARGIN + 18.0
        );
    }
    for decade in [0.001, 0.01, 0.1, 1.0, 10.0, 100.0] {
        let y = y(decade);
        let _ = writeln!(
            svg,
            "<line x1=\"{MARGIN}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{decade} %</text>",
            WIDTH - MARGIN,
            MARGIN - 4.0,
            y + 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{MARGIN}\" y=\"24\" font-weight=\"bold\">Processor time, in percent of one core, 18 calls a minute and object</text>"
    );
}

fn x(objects: f64) -> f64 {
    MARGIN + (WIDTH - 2.0 * MARGIN) * share(objects, OBJECTS)
}

fn y(percent: f64) -> f64 {
    HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * share(percent, PERCENT)
}

/// The place of a number between two others, as their logarithms lie.
fn share(number: f64, (least, most): (f64, f64)) -> f64 {
    (number.max(least) / least).ln() / (most / least).ln()
}
