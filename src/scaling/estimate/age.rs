//! How long messages have waited, and which of them are pressed for time.

use std::time::Duration;

use super::{Cohort, Estimator, MessageTime, Oldest, history::Reading};

impl Estimator {
    /// Of the messages that were there at an earlier reading, those wait that have not been done since:
    /// SQS hands out the oldest first, more or less. They have less time left than what came later.
    /// The second is how long the oldest of all has waited.
    pub(super) fn pressing(
        &self,
        now: Duration,
        reading: Reading,
        (message, replicas_max): (Option<MessageTime>, Option<f64>),
    ) -> (Option<Cohort>, Option<Oldest>) {
        let measured = self.measured_age(now, reading);
        let Some(MessageTime { seconds, .. }) = message else {
            return (None, measured);
        };
        let first_at = self.history.first().map_or(now, |first| first.at);
        let most_busy = self.busy_slots(f64::INFINITY, replicas_max);
        let in_flight = reading.in_flight.min(most_busy);
        let cohorts = self.history.backwards(now, most_busy).map(|earlier| {
            let age = now.saturating_sub(earlier.at);
            // What was there at the first look may be older than that.
            let is_older = earlier.at == first_at;
            let measured_age = measured
                .filter(|_| is_older)
                .map_or(age, |oldest| oldest.age);
            Cohort {
                messages: earlier.messages - in_flight - earlier.slot_seconds / seconds,
                age: age.max(measured_age),
            }
        });
        let (mut pressing, mut oldest): (Option<Cohort>, Option<Cohort>) = (None, None);
        let need = |cohort: &Cohort| self.law.slots_for(cohort, seconds);
        for cohort in cohorts.take_while(|cohort| cohort.messages > 0.0) {
            oldest = Some(cohort);
            if pressing
                .as_ref()
                .is_none_or(|most| need(&cohort) > need(most))
            {
                pressing = Some(cohort);
            }
        }
        let counted = oldest
            .filter(|_| reading.visible > 0.0)
            .map(|cohort| Oldest {
                age: cohort.age,
                is_measured: false,
            });
        (pressing, measured.or(counted))
    }

    /// What CloudWatch said of the oldest message, aged by the time since: while messages have waited
    /// ever since, it may be the same one. It is blind to messages that failed often, so it never tells
    /// that there is none.
    pub(super) fn measured_age(&self, now: Duration, reading: Reading) -> Option<Oldest> {
        let since = self.oldest_since?;
        (reading.visible > 0.0).then(|| Oldest {
            age: now.saturating_sub(since),
            is_measured: true,
        })
    }
}
