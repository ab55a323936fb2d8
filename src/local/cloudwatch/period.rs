//! Times and periods as `CloudWatch` takes them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{CloudWatchError, statistics::start_of, store::Stretch};

/// A time as both wire formats carry it once tags are dropped: seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(seconds)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// Periods are whole minutes here: nothing is kept at a finer grain.
pub(super) fn checked_period(seconds: u64) -> Result<Duration, CloudWatchError> {
    if seconds == 0 || !seconds.is_multiple_of(60) {
        return Err(CloudWatchError::InvalidParameterValue(format!(
            "The parameter Period must be a value in the set [ 60, 120, 180, ... ]; found {seconds}."
        )));
    }
    Ok(Duration::from_secs(seconds))
}

/// The stretch from the period that `start` is in up to `end`.
pub(super) fn checked_stretch(
    start: Seconds,
    end: Seconds,
    period: Duration,
) -> Result<Stretch, CloudWatchError> {
    if start.0 >= end.0 {
        return Err(CloudWatchError::Validation(
            "The parameter StartTime must be less than the parameter EndTime.".to_owned(),
        ));
    }
    Ok(Stretch {
        start: start_of(start.0, period),
        end: end.0,
    })
}
