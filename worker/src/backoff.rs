//! How long to wait after failures: between a least wait and a ceiling that doubles with each failure. Pure: the caller
//! brings the chance.

use std::time::Duration;

/// Doublings after which any sensible ceiling is reached; keeps the arithmetic from overflowing.
const DOUBLINGS_MAX: u32 = 16;

/// A range of waits.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    pub least: Duration,
    pub most: Duration,
}

impl Backoff {
    /// The wait after `failures` failures in a row; `chance` from 0 to 1 spreads many workers over the whole range.
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.clamp(1, DOUBLINGS_MAX);
        let ceiling = self.least.saturating_mul(1 << doublings).min(self.most);
        let spread = ceiling.saturating_sub(self.least);
        self.least + spread.mul_f64(chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        least: Duration::from_secs(1),
        most: Duration::from_secs(30),
    };

    #[test]
    fn the_ceiling_doubles_until_the_most() {
        let ceilings =
            [1, 2, 3, 4, 5, 6, u32::MAX].map(|failures| BACKOFF.wait(failures, 1.0).as_secs());
        assert_eq!(ceilings, [2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn no_wait_is_shorter_than_the_least_whatever_chance_says() {
        for chance in [0.0, -1.0, f64::MIN_POSITIVE] {
            assert_eq!(BACKOFF.wait(9, chance), Duration::from_secs(1));
        }
    }

    #[test]
    fn chance_spreads_the_wait_evenly() {
        assert_eq!(BACKOFF.wait(2, 0.5), Duration::from_millis(2_500));
    }
}
