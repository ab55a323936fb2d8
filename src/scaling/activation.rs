//! When a workload is awake: at a clear sign of work at once, at a faint one when it is confirmed, and
//! asleep only after emptiness has been confirmed. Pure: time is passed in.
//!
//! SQS counts a message too many now and then, most often on a queue that is idle, and zero although
//! there are messages.

use std::time::Duration;

use super::{Observation, ScalingDecision};

/// So few messages on an idle queue may be none.
const FAINT_MESSAGES: i64 = 2;

/// Looks further apart than this do not confirm one another: who is only polled is woken at once.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(12);

/// A faint sign that came to nothing is forgotten after this time; of several one after the other.
const FLICKER_FORGOTTEN: Duration = Duration::from_mins(10);

/// However much a queue flickers, so many signs are believed: a message that is really there wakes
/// its workload before the next poll would.
const SIGNS_MAX: u32 = 10;

/// A sign, and a second one.
const SIGNS_MIN: u32 = 2;

/// A look that finds nothing takes back so many signs, so that what is there most of the time is
/// believed in the end, and what is there now and then is not.
const SIGNS_TAKEN_BACK: u32 = 2;

/// Emptiness is never believed at first sight.
const ZEROS_MIN: u32 = 2;

/// How long a workload stays awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wakefulness {
    /// `emptyConfirmSeconds`: zeros are believed when they were seen over so long, at least twice.
    pub empty_confirm: Duration,
    /// `keepWarmSeconds`: and the workload stays awake so long after the last sign of work.
    pub keep_warm: Duration,
}

impl Default for Wakefulness {
    /// The counts of SQS may take a minute to settle.
    fn default() -> Self {
        Self {
            empty_confirm: Duration::from_mins(1),
            keep_warm: Duration::ZERO,
        }
    }
}

impl Wakefulness {
    /// As `aws-sqs-queue`: the first zero is believed.
    const NONE: Self = Self {
        empty_confirm: Duration::ZERO,
        keep_warm: Duration::ZERO,
    };
}

/// Whether one workload is awake, and what speaks against it.
#[derive(Debug, Clone, Default)]
pub struct Activation {
    is_awake: bool,
    first_look_at: Option<Duration>,
    last_look_at: Option<Duration>,
    signs: u32,
    /// Faint signs that came to nothing, and since when one may be forgotten.
    flickers: u32,
    flickers_since: Duration,
    last_work_at: Duration,
    zeros: u32,
    zeros_since: Duration,
}

/// What one look says of the work there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// Messages above the activation length, of those that the policy counts: they wake.
    pub to_wake: i64,
    /// Whether anything is left that the workload must stay awake for.
    pub to_stay: bool,
}

impl Signs {
    /// The signs of an observation and of the decision taken from it. A workload is woken for what its
    /// policy counts, and kept awake by whatever there is.
    pub fn of(observation: &Observation, decision: &ScalingDecision) -> Self {
        let enough = decision.policy.activation_queue_length;
        Self {
            to_wake: decision.messages().saturating_sub(enough),
            to_stay: decision.is_active || observation.messages_seen() > enough,
        }
    }
}

/// What KEDA may be told after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// To a poll: without a key that says otherwise, exactly what `aws-sqs-queue` says.
    pub polled: bool,
    /// To a stream.
    pub pushed: bool,
    /// Whether a second look would soon tell more.
    pub is_in_doubt: bool,
}

impl Activation {
    /// What `decision` comes to, which was taken from an `observation` asked for at `at`.
    pub fn activity(
        &mut self,
        at: Duration,
        observation: &Observation,
        decision: &ScalingDecision,
    ) -> Activity {
        let wakefulness = decision.policy.wakefulness;
        let signs = Signs::of(observation, decision);
        let to_stay = wakefulness.map_or(decision.is_active, |_| signs.to_stay);
        let is_awake = self.look(
            at,
            Signs { to_stay, ..signs },
            &wakefulness.unwrap_or(Wakefulness::NONE),
        );
        // Whoever has just started has nothing to doubt a poll with: the workload may be at work.
        let is_first = self.first_look_at == Some(at);
        let kept = || is_awake || (is_first && decision.is_active);
        Activity {
            polled: wakefulness.map_or(decision.is_active, |_| kept()),
            pushed: is_awake,
            is_in_doubt: !is_awake && self.signs > 0 && self.flickers == 0,
        }
    }

    /// Whether the workload is awake after a look at `at`.
    pub fn look(&mut self, at: Duration, signs: Signs, wakefulness: &Wakefulness) -> bool {
        // The same look again, or an older one, says nothing new.
        let before = self.last_look_at;
        if before.is_some_and(|last| at <= last) {
            return self.is_awake;
        }
        self.last_look_at = Some(at);
        self.first_look_at = self.first_look_at.or(Some(at));
        let is_recent = before.is_none_or(|last| at.saturating_sub(last) <= CONFIRMED_WITHIN);
        if signs.to_wake > 0 || (self.is_awake && signs.to_stay) {
            self.sign_of_work(at, signs.to_wake, is_recent);
        } else {
            self.no_sign(at, wakefulness);
        }
        self.is_awake
    }

    fn sign_of_work(&mut self, at: Duration, messages: i64, is_recent: bool) {
        self.forget_flickers(at);
        self.signs = self.signs.saturating_add(1);
        let is_clear = !is_recent || messages > FAINT_MESSAGES;
        let enough = SIGNS_MIN.saturating_add(self.flickers).min(SIGNS_MAX);
        if self.is_awake || is_clear || self.signs >= enough {
            self.is_awake = true;
            self.last_work_at = at;
            self.zeros = 0;
            self.signs = 0;
        }
    }

    fn no_sign(&mut self, at: Duration, wakefulness: &Wakefulness) {
        if self.signs > 0 {
            self.signs = self.signs.saturating_sub(SIGNS_TAKEN_BACK);
            if self.signs == 0 {
                self.note_flicker(at);
            }
        }
        if self.zeros == 0 {
            self.zeros_since = at;
        }
        self.zeros = self.zeros.saturating_add(1);
        if self.is_empty(at, wakefulness.empty_confirm)
            && at.saturating_sub(self.last_work_at) >= wakefulness.keep_warm
        {
            self.is_awake = false;
        }
    }

    fn is_empty(&self, at: Duration, confirm: Duration) -> bool {
        let is_confirmed = at.saturating_sub(self.zeros_since) >= confirm;
        confirm.is_zero() || (self.zeros >= ZEROS_MIN && is_confirmed)
    }

    fn note_flicker(&mut self, at: Duration) {
        self.forget_flickers(at);
        if self.flickers == 0 {
            self.flickers_since = at;
        }
        self.flickers = self.flickers.saturating_add(1).min(SIGNS_MAX);
    }

    fn forget_flickers(&mut self, at: Duration) {
        while self.flickers > 0 && at.saturating_sub(self.flickers_since) >= FLICKER_FORGOTTEN {
            self.flickers -= 1;
            self.flickers_since = self.flickers_since.saturating_add(FLICKER_FORGOTTEN);
        }
    }
}

#[cfg(test)]
#[path = "activation_tests.rs"]
mod tests;
