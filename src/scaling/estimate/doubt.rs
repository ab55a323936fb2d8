//! A `concurrency` that may say too much, where ready replicas cannot be read. Fewer messages in flight than the
//! replicas that were asked for should hold say so, or that replicas are missing. So less is tried: when the
//! larger request that follows brings more into work it was right, else the hint holds again for a while.

use std::time::Duration;

use super::{Estimator, replicas::AUTOSCALER_TOLERANCE};

/// For so long the messages in flight must have been about as many: no more replicas are coming.
const SETTLES_IN: Duration = Duration::from_secs(75);

/// More growth than this within it, and they are still coming.
const SETTLED_BELOW: f64 = 1.2;

/// Replicas may take so many times as long to start as is said.
const STARTS_WITHIN: u32 = 2;

/// A hint is doubted when replicas hold less than this share of it.
const DOUBTED_BELOW: f64 = 0.75;

/// Fewer than this share of those in flight may wait by chance, beside free slots.
const WAIT_SHARE: f64 = 0.1;

/// So far at most the hint is left with each try, and in all.
const STEP_MAX: f64 = 4.0;
const HINT_OFF_BY_MAX: f64 = 8.0;

/// So much more must have been asked for to judge a try by it, and this share of it must have come.
const MORE_ASKED: f64 = 1.25;
const MORE_CAME_SHARE: f64 = 0.4;

/// After a try that brought nothing the hint holds for so long.
const REFUTED_FOR: Duration = Duration::from_mins(30);

/// What is thought of a hint.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubt {
    /// What is believed in the place of the hint.
    believed: Option<f64>,
    /// While it is not certain.
    trial: Option<Trial>,
    /// What the last try said, and until when it is taken for wrong.
    refuted: Option<(f64, Duration)>,
}

/// Less is tried.
#[derive(Debug, Clone, Copy)]
struct Trial {
    since: Duration,
    /// What there was, and what was believed, before.
    load: Load,
    believed: Option<f64>,
}

/// What was asked for while messages waited, and what is in flight for it.
#[derive(Debug, Clone, Copy)]
struct Load {
    replicas: f64,
    in_flight: f64,
}

impl Load {
    fn held(&self) -> f64 {
        self.in_flight / self.replicas
    }

    /// Whether what was asked for beyond `before` came; None while it is too little to tell.
    fn has_come(&self, before: &Self) -> Option<bool> {
        let asked = self.replicas / before.replicas - 1.0;
        let came = self.in_flight / before.in_flight.max(1.0) - 1.0;
        (asked >= MORE_ASKED - 1.0).then_some(came >= MORE_CAME_SHARE * asked)
    }
}

impl Doubt {
    /// What is believed in the place of the hint.
    pub(super) fn believed(&self) -> Option<f64> {
        self.believed
    }

    /// What replicas seem to hold at most, while it is not certain.
    pub(super) fn at_most(&self, now: Duration) -> Option<f64> {
        let tried = self.believed.filter(|_| self.trial.is_some());
        tried.or(self.refuted_at(now))
    }

    fn refuted_at(&self, now: Duration) -> Option<f64> {
        let is_recent = |(held, until)| (now < until).then_some(held);
        self.refuted.and_then(is_recent)
    }
}

impl Estimator {
    /// Holds the hint against what the replicas held that were asked for. Of the past alone: what is read now
    /// changes what is believed at the next look, so that more messages never lower an answer.
    pub(super) fn doubt_concurrency(&mut self, now: Duration) {
        let Some(hint) = self.law.concurrency.map(f64::from) else {
            return;
        };
        // The groups of a FIFO queue limit what is in flight, and work that fails at once is never seen there.
        let is_telling =
            self.law.fifo_groups.is_none() && !self.has_groups && self.stalled_since.is_none();
        if !is_telling || self.failing_share().is_some() {
            return;
        }
        self.believe_more(now, hint);
        let Some(load) = self.settled_load(now) else {
            return;
        };
        match self.doubt.trial {
            Some(trial) => self.judge(now, &trial, &load),
            None => self.try_less(now, hint, &load),
        }
    }

    /// More is in flight than the replicas that can be there would hold by what is believed.
    fn believe_more(&mut self, now: Duration, hint: f64) {
        let least = self
            .history
            .least_in_flight_since(now.saturating_sub(SETTLES_IN));
        if self.doubt.believed.is_none() || !least.is_finite() {
            return;
        }
        let held = self.replicas_max(now).map(|most| least / most);
        if let Some(held) = held.filter(|held| *held > self.concurrency()) {
            let is_still_doubtful = held < DOUBTED_BELOW * hint;
            self.doubt.believed = is_still_doubtful.then_some(held);
            self.doubt.trial = self.doubt.trial.filter(|_| is_still_doubtful);
        }
    }

    /// What was asked for, start-up ago at the latest, and what is in flight since, if messages waited all that
    /// time and no more is coming.
    fn settled_load(&self, now: Duration) -> Option<Load> {
        let settled = now.saturating_sub(SETTLES_IN);
        let middle = now.saturating_sub(SETTLES_IN / 2);
        let since = settled.saturating_sub(STARTS_WITHIN * self.law.startup);
        let before = self.history.mean_in_flight(settled, middle)?;
        let in_flight = self.history.mean_in_flight(middle, now)?;
        let load = Load {
            replicas: self.least_there(since, now)?,
            in_flight: in_flight.max(before),
        };
        let is_settled = in_flight <= SETTLED_BELOW * before;
        let have_waited = self.history.have_waited_since(since)
            && self.history.least_visible_since(since) >= WAIT_SHARE * load.in_flight;
        (is_settled && have_waited).then_some(load)
    }

    /// The fewest replicas that were asked for, as the autoscaler rounds and tolerates; None where that is not
    /// known since `from`.
    fn least_there(&self, from: Duration, now: Duration) -> Option<f64> {
        let is_known = self.asked.first()?.at <= from;
        let least = self.asked.least_within(from, now).filter(|_| is_known)?;
        Some((least / AUTOSCALER_TOLERANCE).ceil().max(1.0))
    }

    fn try_less(&mut self, now: Duration, hint: f64, load: &Load) {
        let concurrency = self.concurrency();
        let is_doubtful = load.held() < DOUBTED_BELOW * concurrency;
        if !is_doubtful || self.doubt.refuted_at(now).is_some() {
            return;
        }
        let least = (concurrency / STEP_MAX)
            .max(hint / HINT_OFF_BY_MAX)
            .max(1.0);
        let tried = load.held().max(least);
        if tried < concurrency {
            self.doubt.trial = Some(Trial {
                since: now,
                load: *load,
                believed: self.doubt.believed,
            });
            self.doubt.believed = Some(tried);
        }
    }

    fn judge(&mut self, now: Duration, trial: &Trial, load: &Load) {
        let has_settled = now.saturating_sub(SETTLES_IN + self.law.startup) >= trial.since;
        match load.has_come(&trial.load).filter(|_| has_settled) {
            Some(true) => self.doubt.trial = None,
            Some(false) => {
                let refuted = (self.concurrency(), now.saturating_add(REFUTED_FOR));
                self.doubt = Doubt {
                    believed: trial.believed,
                    trial: None,
                    refuted: Some(refuted),
                };
            }
            None => {}
        }
    }
}

#[cfg(test)]
#[path = "doubt_tests.rs"]
mod tests;
