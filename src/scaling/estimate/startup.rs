//! How long replicas take from being asked for to being ready, where that can be read.

use std::{collections::VecDeque, time::Duration};

use super::Estimator;

/// So many rises of the ready replicas are looked at, and fewer do not tell.
const RISES: usize = 8;
const RISES_TO_TELL: usize = 3;

/// The times of the last rises, newest last.
#[derive(Debug, Clone, Default)]
pub(super) struct Startup(VecDeque<Duration>);

impl Startup {
    fn note(&mut self, took: Duration) {
        self.0.push_back(took);
        if self.0.len() > RISES {
            self.0.pop_front();
        }
    }

    /// Three quarters of the rises took no longer. The autoscaler's ramp and nodes that have to come are part of it.
    pub(super) fn took(&self) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.0.iter().copied().collect();
        sorted.sort();
        let upper = sorted.get(sorted.len() * 3 / 4).copied();
        upper.filter(|_| sorted.len() >= RISES_TO_TELL)
    }
}

impl Estimator {
    /// To be told of `ready` before it is noted.
    pub(super) fn learn_startup(&mut self, now: Duration, ready: f64) {
        let before = self.ready.last_by(now);
        if before.is_some_and(|before| ready > before)
            && let Some(since) = self.asked.at_least_since(ready)
        {
            self.startup.note(now.saturating_sub(since));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_rises_tell_what_most_of_them_took() {
        let mut startup = Startup::default();
        for seconds in [20, 30] {
            startup.note(Duration::from_secs(seconds));
        }
        assert_eq!(startup.took(), None);
        for seconds in [120, 40, 25] {
            startup.note(Duration::from_secs(seconds));
        }
        assert_eq!(startup.took(), Some(Duration::from_secs(40)));
        for _ in 0..RISES {
            startup.note(Duration::from_secs(90));
        }
        assert_eq!(startup.took(), Some(Duration::from_secs(90)));
    }
}
