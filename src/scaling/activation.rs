//! When a workload is awake: at a clear sign of work at once, at a faint one when it is confirmed, and
//! asleep only after emptiness has been confirmed. Pure: time is passed in.
//!
//! SQS counts a message too many now and then, most often on a queue that is idle, and zero although
//! there are messages.

use std::time::Duration;

/// So few messages on an idle queue may be none.
const FAINT_MESSAGES: i64 = 2;

/// Looks further apart than this do not confirm one another: who only polls is woken at once.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(10);

/// A queue whose faint signs came to nothing is trusted again after this time.
const FLICKER_REMEMBERED: Duration = Duration::from_mins(10);

/// However much a queue flickers, so many looks in a row are believed.
const CONFIRMATIONS_MAX: u32 = 4;

/// How long a workload stays awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wakefulness {
    /// `emptyConfirmSeconds`: zeros are believed when they were seen over so long, at least twice.
    pub empty_confirm: Duration,
    /// `keepWarmSeconds`: and the workload stays awake so long after the last sign of work.
    pub keep_warm: Duration,
}

/// Whether one workload is awake, and since when there are signs to the contrary.
#[derive(Debug, Clone, Default)]
pub struct Activation {
    is_awake: bool,
    /// Faint signs in a row, and when the last one was seen.
    faint_looks: u32,
    last_look_at: Option<Duration>,
    /// Faint signs that came to nothing, and when the last one did.
    flickers: u32,
    last_flicker_at: Duration,
    last_work_at: Duration,
    zeros: u32,
}

impl Activation {
    /// What a look at `at` comes to, that found `messages` more than the activation length.
    pub fn look(&mut self, at: Duration, messages: i64, wakefulness: &Wakefulness) -> bool {
        // The same look twice, or one from before a clock was set back, says nothing new.
        if self.last_look_at.is_some_and(|last| at == last) {
            return self.is_awake;
        }
        let is_recent = self
            .last_look_at
            .is_some_and(|last| at.saturating_sub(last) <= CONFIRMED_WITHIN);
        self.last_look_at = Some(at);
        if messages > 0 {
            self.sign_of_work(at, messages, is_recent);
        } else {
            self.no_sign(at, wakefulness);
        }
        self.is_awake
    }

    fn sign_of_work(&mut self, at: Duration, messages: i64, is_recent: bool) {
        self.faint_looks += 1;
        if self.is_awake || !is_recent || messages > FAINT_MESSAGES || self.is_confirmed(at) {
            self.is_awake = true;
            self.last_work_at = at;
            self.zeros = 0;
        }
    }

    /// One more look than usual for each time that the queue has flickered lately.
    fn is_confirmed(&self, at: Duration) -> bool {
        let is_remembered = at.saturating_sub(self.last_flicker_at) <= FLICKER_REMEMBERED;
        let flickers = if is_remembered { self.flickers } else { 0 };
        self.faint_looks >= (2 + flickers).min(CONFIRMATIONS_MAX)
    }

    fn no_sign(&mut self, at: Duration, wakefulness: &Wakefulness) {
        if self.faint_looks > 0 && !self.is_awake {
            let is_remembered = at.saturating_sub(self.last_flicker_at) <= FLICKER_REMEMBERED;
            self.flickers = if is_remembered {
                self.flickers.saturating_add(1)
            } else {
                1
            };
            self.last_flicker_at = at;
        }
        self.faint_looks = 0;
        self.zeros = self.zeros.saturating_add(1);
        let empty_for = at.saturating_sub(self.last_work_at);
        let is_empty = wakefulness.empty_confirm.is_zero()
            || (self.zeros >= 2 && empty_for >= wakefulness.empty_confirm);
        if is_empty && empty_for >= wakefulness.keep_warm {
            self.is_awake = false;
        }
    }
}
