//! The conversions between counts and measures that the simulation needs, each written down once.

/// A count as a number to calculate with. Exact up to 2^53.
#[allow(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no lossless conversion, and counts stay below 2^53"
)]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

/// The nearest whole count: not a number and less than nothing are 0, too much is the most there is.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and not a number becomes 0"
)]
pub(super) fn count(number: f64) -> u64 {
    number.round() as u64
}

/// `part / whole`, and 0 where there is nothing to have a part of.
pub(super) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
