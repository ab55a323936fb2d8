//! The best of several policies under one scenario. A run is given up as soon as it can no longer be the
//! best, which changes nothing about which one is found.

use std::ops::ControlFlow;

use super::{
    compare::{LATE_SHARE_MET, Row},
    numbers::{real, share},
    outcome::Outcome,
    policy::Policy,
    scenario::Scenario,
    timeline::Timeline,
    world::World,
};

/// Sums of the same numbers may differ by so much, as a share, and are still the same.
const ROUNDING: f64 = 1e-9;

/// The cheapest candidate that meets the target; where none does, the one with the fewest late messages.
/// Of equals the first is taken. `progress` is called for each candidate and seed.
pub(super) fn best(
    scenario: &Scenario,
    candidates: &[Policy],
    seeds: &[u64],
    progress: &mut impl FnMut(),
) -> Option<Row> {
    let mut best: Option<Row> = None;
    for &policy in candidates {
        let limit = best.as_ref().map_or(Limit::NONE, Limit::to_beat);
        let runs = runs_within(scenario, policy, seeds, limit);
        for _ in seeds {
            progress();
        }
        let row = runs.map(|(runs, timeline)| Row::of(policy, runs, timeline));
        best = match (best, row) {
            (Some(best), Some(row)) if beats(&row, &best) => Some(row),
            (best, row) => best.or(row),
        };
    }
    best
}

/// The candidate with the fewest late message-seconds of those that cost no more than `pod_hours` and do
/// all the work; none where none does. Of equals the first is taken.
pub(super) fn least_late(
    scenario: &Scenario,
    candidates: &[Policy],
    seeds: &[u64],
    (pod_hours, progress): (f64, &mut impl FnMut()),
) -> Option<Row> {
    let limit = Limit {
        pod_hours: pod_hours * (1.0 + ROUNDING),
        ..Limit::NONE
    };
    let rows = candidates.iter().filter_map(|&policy| {
        let runs = runs_within(scenario, policy, seeds, limit);
        for _ in seeds {
            progress();
        }
        let (runs, timeline) = runs?;
        Some(Row::of(policy, runs, timeline)).filter(|row| row.outcome.left_messages == 0)
    });
    rows.reduce(|best, row| {
        let is_better = row.outcome.late_message_seconds < best.outcome.late_message_seconds;
        if is_better { row } else { best }
    })
}

fn beats(row: &Row, other: &Row) -> bool {
    match (row.is_met, other.is_met) {
        (true, true) => row.outcome.pod_hours < other.outcome.pod_hours,
        (false, false) => {
            let late = |row: &Row| (row.outcome.left_messages, row.outcome.late_share);
            late(row) < late(other)
        }
        (is_met, _) => is_met,
    }
}

/// What a candidate may come to at most, as means over its runs.
#[derive(Debug, Clone, Copy)]
struct Limit {
    pod_hours: f64,
    late_share: f64,
}

impl Limit {
    const NONE: Self = Self {
        pod_hours: f64::INFINITY,
        late_share: f64::INFINITY,
    };

    /// With more than this a candidate cannot be better than `best`.
    fn to_beat(best: &Row) -> Self {
        match best {
            _ if best.is_met => Self {
                pod_hours: best.outcome.pod_hours * (1.0 + ROUNDING),
                late_share: LATE_SHARE_MET * (1.0 + ROUNDING),
            },
            _ if best.outcome.left_messages == 0 => Self {
                late_share: best.outcome.late_share * (1.0 + ROUNDING),
                ..Self::NONE
            },
            _ => Self::NONE,
        }
    }
}

/// A run for each seed and the first over time; none if they come to more than `limit`.
fn runs_within(
    scenario: &Scenario,
    policy: Policy,
    seeds: &[u64],
    limit: Limit,
) -> Option<(Vec<Outcome>, Timeline)> {
    let messages = real(scenario.messages());
    let runs_in_all = real(u64::try_from(seeds.len()).unwrap_or_default());
    let (mut pod_hours, mut late_share) = (0.0, 0.0);
    let (mut runs, mut timeline) = (Vec::new(), None);
    for &seed in seeds {
        let (hours_left, late_left) = (
            limit.pod_hours * runs_in_all - pod_hours,
            limit.late_share * runs_in_all - late_share,
        );
        let world = World::new(scenario, policy.control(scenario)?, seed);
        let (run, recorded) = world.watched(|view| {
            let is_dear = view.pod_seconds / 3600.0 > hours_left;
            let is_late = share(real(view.late_messages), messages) > late_left;
            if is_dear || is_late {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        pod_hours += run.pod_hours;
        late_share += run.late_share;
        runs.push(run);
        timeline.get_or_insert(recorded);
    }
    Some((runs, timeline.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::simulation::{
        arrivals::Segment,
        work::{ServiceTime, Work},
        workloads,
    };

    /// A thousand messages at once, twice.
    fn given_bursts(target_wait: Duration) -> Scenario {
        let arrivals = [5, 35].map(|minute| Segment {
            from: Duration::from_mins(minute),
            until: Duration::from_mins(minute + 1),
            messages: 1_000,
        });
        let service_time = ServiceTime::Exponential(Duration::from_secs(5));
        let work = Work::undisturbed(service_time, 10);
        let scenario = workloads::scenario("bursts", arrivals.to_vec(), work);
        Scenario {
            target_wait,
            ..scenario
        }
    }

    /// Every candidate run to its end.
    fn exhaustive(scenario: &Scenario, candidates: &[Policy], seeds: &[u64]) -> Row {
        let rows = candidates.iter().map(|&policy| {
            let (runs, timeline) = runs_within(scenario, policy, seeds, Limit::NONE).unwrap();
            Row::of(policy, runs, timeline)
        });
        let keep = |best, row| if beats(&row, &best) { row } else { best };
        rows.reduce(keep).unwrap()
    }

    #[test]
    fn the_least_late_at_a_price_costs_no_more_than_that() {
        let scenario = given_bursts(Duration::from_secs(5));
        let candidates = [1, 5, 20].map(|replicas| Policy::Fixed { replicas });
        let found = |pod_hours| least_late(&scenario, &candidates, &[1], (pod_hours, &mut || {}));
        let dear = found(f64::INFINITY).unwrap();
        assert_eq!(dear.policy, "fixed=20");
        let cheap = found(dear.outcome.pod_hours / 2.0).unwrap();
        assert_eq!(cheap.policy, "fixed=5");
        assert!(cheap.outcome.late_message_seconds > dear.outcome.late_message_seconds);
        assert_eq!(found(0.0), None);
    }

    #[test]
    fn giving_up_early_changes_nothing_about_what_is_found() {
        let candidates: Vec<Policy> = [4_000, 1, 300, 1_000, 30]
            .into_iter()
            .flat_map(|messages| {
                [true, false].map(|in_flight| Policy::QueueLength {
                    messages,
                    in_flight,
                })
            })
            .collect();
        for seconds in [60, 120, 300, 900] {
            let scenario = given_bursts(Duration::from_secs(seconds));
            let mut steps = 0;
            let found = best(&scenario, &candidates, &[1, 2], &mut || steps += 1);
            assert_eq!(steps, 20);
            assert_eq!(
                found,
                Some(exhaustive(&scenario, &candidates, &[1, 2])),
                "{seconds} s"
            );
        }
    }
}
