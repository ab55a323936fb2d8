//! How figures are told: the middle and the tail of many times, and rows of the table of all results.

use std::time::Duration;

/// The value below which `share` of the sorted values are.
pub(crate) fn quantile<T: Copy>(sorted: &[T], share: f64) -> T {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a small count"
    )]
    let index = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[index]
}

/// The least, the median and the most.
pub(crate) fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share| quantile(&values, share);
    (at(0.0), at(0.5), at(1.0))
}

/// Prints and sorts.
pub(crate) fn show(what: &str, mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    let at = |share| quantile(&times, share).as_secs_f64();
    println!(
        "{what:<44} {:>6}  median {:>8.4} s  p90 {:>8.4} s  p99 {:>8.4} s  max {:>8.4} s",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    times
}

/// A row of the table that `benches/run` makes of all measurements.
pub(crate) fn row(what: &str, figure: &str, promised: &str) {
    println!("| {what} | {figure} | {promised} |");
}

/// Milliseconds, for a row.
pub(crate) fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
