//! The last hour of one trigger, in steps of half a minute. Pure: time is passed in.

use std::{collections::VecDeque, time::Duration};

/// KEDA's default poll; whoever is polled more often keeps the fullest moment of each step.
const STEP: Duration = Duration::from_secs(30);

/// An hour of steps.
const STEPS_MAX: usize = 120;

/// One moment of a trigger, no finer than a picture of it: thousands of triggers keep an hour of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    /// Since the Unix epoch.
    pub(super) at_seconds: u32,
    pub(super) visible: u32,
    pub(super) in_flight: u32,
    pub(super) replicas: f32,
    pub(super) plain_replicas: f32,
    pub(super) oldest_age_seconds: Option<f32>,
}

impl Moment {
    fn step(&self) -> u64 {
        u64::from(self.at_seconds) / STEP.as_secs()
    }

    fn messages(&self) -> u64 {
        u64::from(self.visible) + u64::from(self.in_flight)
    }
}

/// The moments of the last hour, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Moment>);

impl History {
    /// Takes in a moment that is not earlier than those before.
    pub(super) fn note(&mut self, moment: Moment) {
        match self.0.back_mut() {
            Some(last) if last.step() == moment.step() => {
                if moment.messages() >= last.messages() {
                    *last = moment;
                }
            }
            _ => {
                // At once: what a scaler takes is known after a minute, not after an hour.
                self.0.reserve_exact(STEPS_MAX.saturating_sub(self.0.len()));
                while self.0.len() >= STEPS_MAX {
                    self.0.pop_front();
                }
                self.0.push_back(moment);
            }
        }
    }

    /// The moments of the hour before `now`.
    pub(super) fn since_an_hour(&self, now: Duration) -> impl Iterator<Item = &Moment> {
        let from = now.saturating_sub(Duration::from_hours(1)).as_secs();
        let moments = self.0.iter();
        moments.filter(move |moment| u64::from(moment.at_seconds) >= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_moment(at_seconds: u32, visible: u32) -> Moment {
        Moment {
            at_seconds,
            visible,
            in_flight: 0,
            replicas: 0.0,
            plain_replicas: 0.0,
            oldest_age_seconds: None,
        }
    }

    #[test]
    fn the_fullest_moment_of_a_step_is_kept() {
        let mut history = History::default();
        for (seconds, visible) in [(0, 1), (1, 9), (2, 3), (30, 4), (59, 2)] {
            history.note(given_moment(seconds, visible));
        }
        let now = Duration::from_mins(1);
        let kept: Vec<u32> = history.since_an_hour(now).map(|m| m.visible).collect();
        assert_eq!(kept, [9, 4]);
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let mut history = History::default();
        for seconds in 0..7 * 3_600 {
            history.note(given_moment(seconds, 1));
        }
        assert_eq!(history.0.len(), STEPS_MAX);
        let later = Duration::from_mins(7 * 60 + 30);
        assert_eq!(history.since_an_hour(later).count(), 60);
    }

    #[test]
    fn no_more_memory_is_taken_after_the_first_moment() {
        let mut history = History::default();
        history.note(given_moment(0, 1));
        let taken = history.0.capacity();
        for seconds in 0..2 * 3_600 {
            history.note(given_moment(seconds, 1));
        }
        assert_eq!((taken, history.0.capacity()), (STEPS_MAX, STEPS_MAX));
    }
}
