//! How many messages a replica works on at once: hinted at, or learned where ready replicas are
//! readable. When in doubt less is said, because an overstated concurrency starts too few replicas.

use std::{collections::VecDeque, time::Duration};

/// So many readings are looked at.
const READINGS: usize = 12;

/// Without a hint so few readings are better than nothing.
const READINGS_WITHOUT_HINT: usize = 4;

/// So long messages must have waited, and replicas have been as many, before the slots in use tell
/// something against a hint.
const SETTLES_IN: Duration = Duration::from_secs(75);

/// The same where there is nothing to tell against.
const SETTLES_WITHOUT_HINT_IN: Duration = Duration::from_secs(20);

/// A hint is not believed when it is contradicted by more than this.
const CONTRADICTED_BELOW: f64 = 0.75;
const CONTRADICTED_ABOVE: f64 = 1.33;

/// Counts are not exact: by more than this more is held than was believed.
const EXCEEDED_ABOVE: f64 = 1.05;

/// A hint is not off by more, and no replica works on more at once.
const HINT_OFF_BY_MAX: f64 = 8.0;
const MESSAGES_MAX: f64 = 1_000.0;

/// The messages that a replica works on at once.
#[derive(Debug, Clone)]
pub(super) struct Concurrency {
    hint: Option<f64>,
    learned: Option<f64>,
    /// What replicas held at the least, before anything is learned.
    at_least: Option<f64>,
    /// Whether they hold more than is believed: then it may be more still.
    is_exceeded: bool,
    /// Messages in flight per ready replica while messages waited, newest last.
    readings: VecDeque<f64>,
}

/// What is known of the messages that replicas hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// They are worked on: hardly any was lost in the last minutes.
    AtWork,
    /// Some may have been abandoned.
    AtMost,
}

impl Concurrency {
    pub(super) fn new(hint: Option<u32>) -> Self {
        Self {
            hint: hint.map(|messages| f64::from(messages.max(1))),
            learned: None,
            at_least: None,
            is_exceeded: false,
            readings: VecDeque::new(),
        }
    }

    pub(super) fn messages(&self) -> f64 {
        self.learned.or(self.hint).or(self.at_least).unwrap_or(1.0)
    }

    /// Whether it is more than an assumption.
    pub(super) fn is_known(&self) -> bool {
        !self.is_exceeded && (self.hint.is_some() || self.learned.is_some())
    }

    /// Takes in what each replica holds for certain, whether messages wait or not: better than the assumption
    /// of one, and than a hint that says less while no message is lost.
    pub(super) fn note_at_least(&mut self, held_messages: f64, held: Held) {
        let at_least = self.at_least.unwrap_or(1.0).max(held_messages);
        self.at_least = Some(at_least.min(MESSAGES_MAX));
        self.is_exceeded = held == Held::AtWork && held_messages > EXCEEDED_ABOVE * self.messages();
        if let Some(hint) = self.hint.filter(|_| self.is_exceeded) {
            self.learned = Some(held_messages.min(hint * HINT_OFF_BY_MAX));
        }
    }

    /// How long a reading must have been in coming.
    pub(super) fn settles_in(&self) -> Duration {
        if self.hint.is_some() || self.learned.is_some() {
            SETTLES_IN
        } else {
            SETTLES_WITHOUT_HINT_IN
        }
    }

    /// Takes in what each replica holds while messages wait. Where some of it may have been abandoned it is
    /// the most that a replica works on, and tells nothing against a hint that says less.
    pub(super) fn note(&mut self, held_messages: f64, held: Held) {
        self.readings.push_back(held_messages);
        if self.readings.len() > READINGS {
            self.readings.pop_front();
        }
        let mut sorted: Vec<f64> = self.readings.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let quarter = |quarters: usize| sorted.get(sorted.len() * quarters / 4).copied();
        let (Some(low), Some(middle), Some(high)) = (quarter(1), quarter(2), quarter(3)) else {
            return;
        };
        let is_full = sorted.len() == READINGS;
        match self.hint {
            Some(hint) if is_full && high < CONTRADICTED_BELOW * self.messages() => {
                self.learned = Some(high.max(hint / HINT_OFF_BY_MAX));
            }
            Some(hint) if is_full && low > CONTRADICTED_ABOVE * self.messages() => {
                let most = match held {
                    Held::AtWork => hint * HINT_OFF_BY_MAX,
                    Held::AtMost => hint,
                };
                self.learned = Some(low.min(most).max(self.messages()));
            }
            None if self.learned.is_none() && sorted.len() >= READINGS_WITHOUT_HINT => {
                self.learned = Some(middle.clamp(1.0, MESSAGES_MAX));
            }
            None if is_full && high < CONTRADICTED_BELOW * self.messages() => {
                self.learned = Some(high.max(1.0));
            }
            None if is_full && low > CONTRADICTED_ABOVE * self.messages() => {
                self.learned = Some(low.min(MESSAGES_MAX));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the numbers are given, not calculated")]
mod tests {
    use super::*;

    fn learned(hint: Option<u32>, readings: &[f64]) -> f64 {
        learned_of(hint, readings, Held::AtMost)
    }

    fn learned_of(hint: Option<u32>, readings: &[f64], held: Held) -> f64 {
        let mut concurrency = Concurrency::new(hint);
        for messages in readings {
            concurrency.note(*messages, held);
        }
        concurrency.messages()
    }

    #[test]
    fn without_a_hint_a_few_readings_are_enough() {
        assert_eq!(learned(None, &[]), 1.0);
        assert_eq!(learned(None, &[9.0, 10.0, 10.0]), 1.0);
        assert_eq!(learned(None, &[9.0, 10.0, 10.0, 11.0]), 10.0);
    }

    #[test]
    fn what_replicas_hold_for_certain_is_more_than_an_assumption_and_than_a_hint_that_says_less() {
        for (hint, held, expected) in [
            (None, Held::AtMost, 6.0),
            (Some(2), Held::AtMost, 2.0),
            (Some(2), Held::AtWork, 6.0),
            (Some(8), Held::AtWork, 8.0),
        ] {
            let mut concurrency = Concurrency::new(hint);
            concurrency.note_at_least(6.0, held);
            assert_eq!(concurrency.messages(), expected, "{hint:?} {held:?}");
        }
        let mut exceeded = Concurrency::new(Some(2));
        exceeded.note_at_least(6.0, Held::AtWork);
        assert!(!exceeded.is_known(), "it may be more still");
        exceeded.note_at_least(6.0, Held::AtWork);
        assert!(exceeded.is_known());
    }

    #[test]
    fn an_overstated_hint_is_corrected_and_an_understated_one_where_no_message_is_lost() {
        assert_eq!(learned(Some(10), &[2.0; 11]), 10.0);
        assert_eq!(learned(Some(10), &[2.0; 12]), 2.0);
        assert_eq!(learned(Some(10), &[0.1; 12]), 1.25);
        assert_eq!(learned(Some(2), &[10.0; 12]), 2.0);
        let readings = [[2.0; 12], [10.0; 12]].concat();
        assert_eq!(learned(Some(8), &readings), 8.0);
        assert_eq!(learned_of(Some(2), &[10.0; 11], Held::AtWork), 2.0);
        assert_eq!(learned_of(Some(2), &[10.0; 12], Held::AtWork), 10.0);
        assert_eq!(learned_of(Some(2), &[90.0; 12], Held::AtWork), 16.0);
    }

    #[test]
    fn what_was_learned_is_unlearned() {
        let mut readings = vec![4.0; 4];
        readings.extend([12.0; 12]);
        assert_eq!(learned(None, &readings), 12.0);
    }
}
