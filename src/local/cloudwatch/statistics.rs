//! One minute of one metric, and minutes put together to periods.

use std::time::Duration;

/// What `CloudWatch` keeps of the values of a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) sum: f64,
    pub(crate) samples: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
}

/// The statistics of one metric in one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Datapoint {
    pub(super) at: Duration,
    pub(super) statistics: Statistics,
}

impl Statistics {
    /// One value, measured once.
    pub(crate) fn of(value: f64) -> Self {
        Self {
            sum: value,
            samples: 1.0,
            minimum: value,
            maximum: value,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.samples += other.samples;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
    }

    /// The statistic of this name, or `None` when there is no such statistic here.
    pub(super) fn get(&self, name: &str) -> Option<f64> {
        match name {
            "Average" => Some(self.sum / self.samples.max(1.0)),
            "Sum" => Some(self.sum),
            "SampleCount" => Some(self.samples),
            "Minimum" => Some(self.minimum),
            "Maximum" => Some(self.maximum),
            _ => None,
        }
    }
}

/// Puts datapoints, ordered by time, together to periods that start at multiples of `period`.
pub(super) fn by_period(
    points: impl Iterator<Item = Datapoint>,
    period: Duration,
) -> Vec<Datapoint> {
    let mut periods: Vec<Datapoint> = Vec::new();
    for point in points {
        let at = start_of(point.at, period);
        match periods.last_mut() {
            Some(last) if last.at == at => last.statistics.add(&point.statistics),
            _ => periods.push(Datapoint { at, ..point }),
        }
    }
    periods
}

/// The multiple of `period` at or before `at`.
pub(crate) fn start_of(at: Duration, period: Duration) -> Duration {
    let seconds = at.as_secs();
    Duration::from_secs(seconds - seconds.checked_rem(period.as_secs()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_add_up_to_periods() {
        let point = |minute: u64, value| Datapoint {
            at: Duration::from_mins(minute),
            statistics: Statistics::of(value),
        };
        let points = [point(4, 1.0), point(5, 2.0), point(9, 6.0), point(10, 9.0)];
        let periods = by_period(points.into_iter(), Duration::from_mins(5));
        let seen: Vec<_> = periods
            .iter()
            .map(|point| {
                (
                    point.at.as_secs() / 60,
                    point.statistics.get("Average").unwrap(),
                )
            })
            .collect();
        assert_eq!(seen, [(0, 1.0), (5, 4.0), (10, 9.0)]);
        assert_eq!(periods[1].statistics.get("Maximum"), Some(6.0));
        assert_eq!(periods[1].statistics.get("p99"), None);
    }
}
