//! What no policy that keeps the target can undercut: a relaxation, not a plan. Every slot of a pod is
//! always busy, nothing fails, pods come and go as they please; but each pod has to start, and where
//! messages crowd there must be as many pods as it takes to receive them in time.
//!
//! Service times are drawn by chance: the bound takes them, and their number, three deviations below
//! what is expected.

use std::time::Duration;

use super::{
    compare::LATE_SHARE_MET,
    hpa::whole_replicas,
    numbers::{real, share},
    scenario::Scenario,
    work::Work,
};

/// Three deviations below: less happens once in a thousand runs.
const DEVIATIONS: f64 = 3.0;

/// At most so many beginnings and ends of a crowd are looked at.
const WINDOWS_MAX: usize = 1_500;

/// The pod-hours below which nobody keeps the target of `scenario`.
pub(super) fn lower_bound_pod_hours(scenario: &Scenario) -> f64 {
    let slots = f64::from(scenario.work.concurrency.max(1));
    let work_seconds = work_seconds(scenario) / slots;
    let start_seconds = f64::from(pods_at_once(scenario)) * startup_seconds(scenario);
    (work_seconds + start_seconds) / 3600.0
}

/// The seconds of all messages that can be worked off at all.
fn work_seconds(scenario: &Scenario) -> f64 {
    let work = &scenario.work;
    let seconds: f64 = scenario
        .arrivals
        .iter()
        .chain(scenario.flood_arrivals())
        .map(|segment| {
            let poison = if segment.until > work.poison_from {
                work.poison_share
            } else {
                0.0
            };
            let sound = real(segment.messages) * (1.0 - poison);
            sound * work.slowdown(segment.from)
        })
        .sum();
    let mean = mean_seconds(work);
    // How many are sound is up to chance as well, by no more than one message in each.
    (seconds * mean - DEVIATIONS * (deviation(work) + mean * chance(work)) * seconds.sqrt())
        .max(0.0)
}

/// The most pods that some stretch of time takes: what arrives in it, but for the share that may be late,
/// has to be received until its end and the target, and a pod holds only so much. A flood, which may wait
/// longer, is not among it.
fn pods_at_once(scenario: &Scenario) -> u32 {
    let arrivals = &scenario.arrivals;
    let may_be_late = LATE_SHARE_MET * real(scenario.messages());
    let stride = arrivals.len() / WINDOWS_MAX + 1;
    let mut most = f64::from(u32::from(scenario.messages() > 0));
    for (first, begin) in arrivals.iter().enumerate().step_by(stride) {
        let mut messages = -may_be_late;
        for segment in arrivals.iter().skip(first) {
            messages += real(segment.messages);
            let length = segment.until.saturating_sub(begin.from) + scenario.target_wait;
            most = most.max(pods_for(&scenario.work, messages, length));
        }
    }
    whole_replicas(most).min(scenario.object.max_replicas)
}

/// The pods that receive `messages` within `length`: what they finish in it and what they hold at its end.
fn pods_for(work: &Work, messages: f64, length: Duration) -> f64 {
    if messages <= 0.0 {
        return 0.0;
    }
    let needed = messages * mean_seconds(work) - DEVIATIONS * deviation(work) * messages.sqrt();
    let slots = f64::from(work.concurrency.max(1));
    let held = slots + f64::from(work.prefetch);
    // What is in work at a moment takes longer than most: the more so the more times vary.
    let variation = share(deviation(work), mean_seconds(work));
    let held_seconds = mean_seconds(work) * f64::midpoint(1.0, variation * variation).max(1.0);
    share(
        needed.max(0.0),
        slots * length.as_secs_f64() + held * held_seconds,
    )
}

fn startup_seconds(scenario: &Scenario) -> f64 {
    scenario.cluster.startup.as_secs_f64()
}

fn mean_seconds(work: &Work) -> f64 {
    work.service_time.mean().as_secs_f64()
}

fn deviation(work: &Work) -> f64 {
    work.service_time.deviation().as_secs_f64()
}

/// Whether chance decides how many messages are sound.
fn chance(work: &Work) -> f64 {
    f64::from(u8::from(work.poison_share > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{
        arrivals::Segment, compare::compare, policy::Policy, work::ServiceTime, workloads,
    };

    fn given_burst(messages: u64) -> Scenario {
        let arrivals = vec![Segment {
            from: Duration::ZERO,
            until: Duration::ZERO,
            messages,
        }];
        let second = ServiceTime::Constant(Duration::from_secs(1));
        workloads::scenario("burst", arrivals, Work::undisturbed(second, 10))
    }

    /// 9,900 that may not be late, in 300 s and with one held each: 9,900 / (10 x 301) are four pods.
    #[test]
    fn a_crowd_takes_as_many_starts_as_pods() {
        let scenario = given_burst(10_000);
        assert_eq!(pods_at_once(&scenario), 4);
        let expected = (10_000.0 / 10.0 + 4.0 * 15.0) / 3600.0;
        assert!((lower_bound_pod_hours(&scenario) - expected).abs() < 1e-9);
    }

    #[test]
    fn nobody_who_keeps_the_target_is_cheaper() {
        let policies = Policy::leaderboard();
        let policies: Vec<Policy> = policies
            .into_iter()
            .filter(|policy| *policy != Policy::Hindsight)
            .collect();
        let named = ["trickle", "long-jobs"].map(|name| workloads::canonical(name).unwrap());
        for scenario in named.into_iter().chain([given_burst(5_000)]) {
            let name = &scenario.name;
            let comparison = compare(&scenario, &policies, &[1], || {});
            let bound = comparison.lower_bound_pod_hours;
            for row in comparison.rows.iter().filter(|row| row.is_met) {
                let found = row.outcome.pod_hours;
                assert!(
                    found >= bound,
                    "{name}: {} at {found} of {bound}",
                    row.policy
                );
            }
        }
    }
}
