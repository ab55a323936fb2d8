//! Chance, from a seed: each part of the world draws from a stream of its own, so that what one part
//! draws does not change what another one meets.

use std::time::Duration;

use super::numbers::real;

/// Who draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Arrivals,
    Flood,
    Work,
    Counts,
    Cluster,
    CloudWatch,
}

impl Stream {
    /// Far apart, so that neighbouring seeds do not share a stream.
    fn salt(self) -> u64 {
        let number: u64 = match self {
            Self::Arrivals => 1,
            Self::Work => 2,
            Self::Counts => 3,
            Self::Cluster => 4,
            Self::CloudWatch => 5,
            Self::Flood => 6,
        };
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// A stream of chance.
#[derive(Debug, Clone)]
pub(super) struct Random(fastrand::Rng);

impl Random {
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        Self(fastrand::Rng::with_seed(seed ^ stream.salt()))
    }

    /// At least 0, below 1.
    pub(super) fn unit(&mut self) -> f64 {
        self.0.f64()
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// At least `low`, below `high`.
    pub(super) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        low + high.saturating_sub(low).mul_f64(self.unit())
    }

    /// At least `low`, at most `high`.
    pub(super) fn whole(&mut self, low: u64, high: u64) -> u64 {
        self.0.u64(low..=high.max(low))
    }

    /// Exponential with a mean of 1.
    pub(super) fn exponential(&mut self) -> f64 {
        // 1 - unit is above 0, so the logarithm is finite.
        -(1.0 - self.unit()).ln()
    }

    /// Normal with a mean of 0 and a deviation of 1, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// The earliest of `points` that are spread evenly by chance over 0 to 1.
    pub(super) fn earliest_of(&mut self, points: u64) -> f64 {
        1.0 - (1.0 - self.unit()).powf(1.0 / real(points.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 20_000;

    fn given_mean(mut draw: impl FnMut(&mut Random) -> f64) -> f64 {
        let mut random = Random::new(7, Stream::Work);
        (0..DRAWS).map(|_| draw(&mut random)).sum::<f64>() / f64::from(DRAWS)
    }

    #[test]
    fn the_means_are_those_of_the_distributions() {
        assert!((given_mean(Random::unit) - 0.5).abs() < 0.01);
        assert!((given_mean(Random::exponential) - 1.0).abs() < 0.03);
        assert!(given_mean(Random::normal).abs() < 0.03);
        assert!((given_mean(|random| random.normal().powi(2)) - 1.0).abs() < 0.05);
        assert!((given_mean(|random| random.earliest_of(4)) - 0.2).abs() < 0.01);
    }

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let draw = |stream| Random::new(1, stream).unit().to_bits();
        assert_eq!(draw(Stream::Work), draw(Stream::Work));
        assert_ne!(draw(Stream::Work), draw(Stream::Counts));
    }
}
