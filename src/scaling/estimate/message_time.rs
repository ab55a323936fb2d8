//! How long a message takes: by the hint, by the deletions that CloudWatch tells, and while it tells none
//! by the falls of the counts.

use std::time::Duration;

use super::{Estimator, MessageTime, TRAFFIC_MESSAGES};

/// What a hint is worth, in deletions: it is unlearned within minutes of traffic.
const HINT_DELETIONS: f64 = 5.0;

/// Fewer deletions than this say nothing without a hint.
const DELETIONS_TO_TELL: f64 = 5.0;

/// Long jobs show themselves before they end: from here on, the time without deletions counts.
const LONG_JOB: Duration = Duration::from_mins(1);

/// No message takes less, and none more.
const MESSAGE_SECONDS: std::ops::RangeInclusive<f64> = 1e-3..=86_400.0;

/// A fall of the counts by so many messages, and by this share, is work that was done.
const FALL_MESSAGES_MIN: f64 = 20.0;
const FALL_SHARE_MIN: f64 = 0.1;

/// At first a smaller share will do. Until something is known replicas are doubled blindly, which costs more
/// than a wrong count does: CloudWatch sets that right within these minutes, where it tells anything.
const FALL_SHARE_MIN_AT_FIRST: f64 = 0.06;
const AT_FIRST: Duration = Duration::from_mins(4);

/// A fall is looked for in so long.
const FALL_WITHIN: Duration = Duration::from_secs(90);

/// With no other fall, the time that one has shown is taken for twice as long after so long.
const FALL_DOUBTED_IN: Duration = Duration::from_mins(15);

/// A count may be so old when it is read: a fall may have taken longer than between two readings.
const STALENESS: Duration = Duration::from_secs(5);

impl Estimator {
    pub(super) fn message(&self) -> Option<MessageTime> {
        // Counted by the same number of messages per replica as when it was learned, whatever is doubted.
        let slot_seconds = self.slot_seconds + self.replica_seconds * self.concurrency.messages();
        let hint = self.law.message.map(|message| message.as_secs_f64());
        let (seconds, deletions) = match hint {
            Some(hint) => {
                let deletions = HINT_DELETIONS + self.deletions;
                (
                    (HINT_DELETIONS * hint + slot_seconds) / deletions,
                    deletions,
                )
            }
            None if self.deletions >= DELETIONS_TO_TELL => {
                (slot_seconds / self.deletions, self.deletions)
            }
            None => {
                let at_least = slot_seconds / (self.deletions + 1.0);
                if at_least < LONG_JOB.as_secs_f64() {
                    return self.by_fall;
                }
                (at_least, self.deletions)
            }
        };
        Some(MessageTime {
            seconds: seconds.clamp(*MESSAGE_SECONDS.start(), *MESSAGE_SECONDS.end()),
            deletions,
            is_at_most: false,
        })
    }

    /// Whatever arrived, at least as many messages were done as the counts fell: the time that a
    /// message takes is at most that of those in flight meanwhile.
    pub(super) fn learn_from_fall(&mut self, now: Duration, messages: f64) {
        let passed = now.saturating_sub(self.by_fall_at);
        self.by_fall_at = now;
        if self.deletions >= DELETIONS_TO_TELL {
            self.by_fall = None;
            return;
        }
        let known = self.by_fall.map(|known| MessageTime {
            seconds: (known.seconds * doubled_in(passed, messages)).min(*MESSAGE_SECONDS.end()),
            ..known
        });
        let (from, replicas_max) = (now.saturating_sub(FALL_WITHIN), self.replicas_max(now));
        let share_min = self.fall_share_min(now);
        let falls = self.history.falls_since(from, messages);
        self.by_fall = falls
            .filter(|fall| fall.messages >= FALL_MESSAGES_MIN && fall.share >= share_min)
            .map(|fall| MessageTime {
                seconds: self.busy_slots(fall.most_in_flight, replicas_max)
                    * (fall.passed + STALENESS).as_secs_f64()
                    / fall.messages,
                deletions: fall.messages,
                is_at_most: true,
            })
            .chain(known)
            .min_by(|one, other| one.seconds.total_cmp(&other.seconds));
    }

    /// The share of the messages by which the counts have to fall to tell anything.
    fn fall_share_min(&self, now: Duration) -> f64 {
        match self.worked_since {
            Some(since) if now.saturating_sub(since) < AT_FIRST => FALL_SHARE_MIN_AT_FIRST,
            _ => FALL_SHARE_MIN,
        }
    }
}

/// How much longer a message is believed to take, `passed` after the last look: while there are messages and
/// their number does not fall, what a fall has shown long ago may have been a wrong count, or easier work.
fn doubled_in(passed: Duration, messages: f64) -> f64 {
    if messages < TRAFFIC_MESSAGES {
        return 1.0;
    }
    let passed = passed.min(FALL_WITHIN);
    passed.div_duration_f64(FALL_DOUBTED_IN).exp2()
}
