//! What waits because a few tenants of a fair queue flood it. Without state: the minutes of CloudWatch tell.
//! It knows no tenant by name, and neither does SQS.

use std::time::Duration;

use super::{Cohort, Estimate, Estimator, NoisyGroups, Seen};
use crate::scaling::Minute;

/// What a minute said of groups holds for so long: SQS forgives a group after five quiet minutes.
const KNOWN_FOR: Duration = Duration::from_mins(5);

impl Estimator {
    /// Tells the messages of noisy groups from the others, where the law lets them wait longer and CloudWatch
    /// says how many there are. Where it does not, every message is urgent.
    pub(super) fn tell_groups_apart(
        &self,
        now: Duration,
        seen: &Seen<'_>,
        estimate: Estimate,
    ) -> Estimate {
        let told = self.law.noisy_wait.and_then(|_| told_last(now, seen));
        let Some((minute, groups)) = told else {
            return estimate;
        };
        // The share is that of minutes ago. Should quiet groups have sent more since, SQS hands that out before
        // the flood, to every slot the flood had.
        let visible = groups.share * estimate.visible;
        let quiet_arrivals = estimate
            .message
            .zip(minute.quiet_in_flight)
            .map_or(f64::INFINITY, |(message, in_flight)| {
                in_flight / message.seconds
            });
        let noisy_arrivals = (estimate.arrivals_per_second - quiet_arrivals).max(0.0);
        // The age is that of then: SQS hands out these messages first, so it does not grow by itself.
        let quiet_pressing = minute.quiet_oldest_age.map(|age| Cohort {
            messages: estimate.visible - visible,
            age,
        });
        Estimate {
            noisy: Some(NoisyGroups {
                groups: groups.number,
                visible,
                arrivals_per_second: noisy_arrivals,
                quiet_pressing,
            }),
            ..estimate
        }
    }
}

/// Noisy groups in a minute.
struct Groups {
    number: f64,
    /// The share of what waited that was theirs.
    share: f64,
}

/// The last minute in which noisy groups had messages waiting, unless a later one had none.
fn told_last(now: Duration, seen: &Seen<'_>) -> Option<(Minute, Groups)> {
    let minutes = seen.minutes.iter().rev().map(|minute| minute.believed());
    let fresh = minutes.take_while(|minute| now.saturating_sub(minute.until()) <= KNOWN_FOR);
    let told = fresh.filter_map(|minute| Some((minute, minute.noisy_groups?)));
    let noisy = told.take_while(|(_, number)| *number > 0.0);
    let mut noisy = noisy.filter_map(|(minute, number)| Some((minute, groups(&minute, number)?)));
    noisy.next()
}

fn groups(minute: &Minute, number: f64) -> Option<Groups> {
    let all = minute.visible.filter(|all| *all > 0.0)?;
    let visible = (all - minute.quiet_visible?).max(0.0);
    Some(Groups {
        number,
        share: visible / all,
    })
}

#[cfg(test)]
#[path = "noisy_tests.rs"]
mod tests;
