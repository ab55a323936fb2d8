//! Which settings of a policy are tried when it is tuned: as many for each of them, so that none has the
//! advantage of a longer search. What is chosen on training seeds is judged on others.

use std::{fmt, str::FromStr};

use super::{policy::Policy, rivals::Rival};

/// So many settings of each policy are tried.
pub const CANDIDATES: usize = 12;

/// Training seeds are this far from those that a policy is judged on.
const TRAINING_DISTANCE: u64 = 1 << 40;

/// The seeds to tune on for the seeds to judge on: as many, and others.
pub(super) fn training_seeds(seeds: &[u64]) -> Vec<u64> {
    let far = |seed: &u64| seed.wrapping_add(TRAINING_DISTANCE);
    seeds.iter().map(far).collect()
}

/// What can be tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// KEDA's own scaler: `queueLength`, with and without messages in flight.
    QueueLength,
    /// The number of pods that always run.
    Fixed,
    WorkerPod,
    BacklogPerInstance,
    Lambda,
    Flink,
    Step,
}

impl Family {
    pub const ALL: [Self; 7] = [
        Self::QueueLength,
        Self::Fixed,
        Self::WorkerPod,
        Self::BacklogPerInstance,
        Self::Lambda,
        Self::Flink,
        Self::Step,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::QueueLength => "queue-length",
            Self::Fixed => "fixed",
            Self::WorkerPod => "worker-pod",
            Self::BacklogPerInstance => "backlog-per-instance",
            Self::Lambda => "lambda",
            Self::Flink => "flink",
            Self::Step => "step",
        }
    }

    /// The settings that are tried, all [`CANDIDATES`] of them.
    pub fn candidates(self) -> Vec<Policy> {
        match self {
            Self::QueueLength => queue_lengths(&[100, 400, 20, 1_500, 5, 1]),
            Self::Fixed => [10, 20, 5, 3, 2, 1, 15, 30, 40, 60, 80, 100]
                .map(|replicas| Policy::Fixed { replicas })
                .to_vec(),
            Self::WorkerPod => pairs(&[75, 50, 100, 25], &[600, 120, 60], |wait, delay| {
                Rival::WorkerPod {
                    wait_percent: wait,
                    scale_down_delay_seconds: delay,
                }
            }),
            Self::BacklogPerInstance => [75, 50, 100, 60, 90, 40, 30, 25, 20, 15, 10, 5]
                .map(|wait_percent| Policy::Rival(Rival::BacklogPerInstance { wait_percent }))
                .to_vec(),
            Self::Lambda => [10, 20, 5, 3, 2, 15, 30, 40, 50, 60, 80, 100]
                .map(|maximum| Policy::Rival(Rival::Lambda { maximum }))
                .to_vec(),
            Self::Flink => flink(),
            Self::Step => pairs(
                &[100, 1_000, 10, 10_000],
                &[1, 5, 20],
                |up_messages, pods| Rival::Step { up_messages, pods },
            ),
        }
    }
}

fn queue_lengths(lengths: &[u32]) -> Vec<Policy> {
    let both = |&messages: &u32| {
        [true, false].map(|in_flight| Policy::QueueLength {
            messages,
            in_flight,
        })
    };
    lengths.iter().flat_map(both).collect()
}

fn pairs(ones: &[u32], others: &[u32], rival: impl Fn(u32, u32) -> Rival) -> Vec<Policy> {
    let with = |one: u32| {
        let rival = &rival;
        others
            .iter()
            .map(move |&other| Policy::Rival(rival(one, other)))
    };
    ones.iter().flat_map(|&one| with(one)).collect()
}

fn flink() -> Vec<Policy> {
    [60, 360]
        .into_iter()
        .flat_map(|down| {
            pairs(&[180, 60, 600], &[70, 90], move |catch_up, utilisation| {
                Rival::Flink {
                    catch_up_seconds: catch_up,
                    utilisation_percent: utilisation,
                    scale_down_interval_seconds: down,
                }
            })
        })
        .collect()
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Family {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|family| family.name() == text);
        named.ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_the_same_budget_and_no_candidate_twice() {
        for family in Family::ALL {
            let candidates = family.candidates();
            assert_eq!(candidates.len(), CANDIDATES, "{family}");
            for (index, candidate) in candidates.iter().enumerate() {
                assert!(!candidates[..index].contains(candidate), "{candidate}");
                assert_eq!(candidate.to_string().parse(), Ok(*candidate));
            }
            assert_eq!(family.to_string().parse(), Ok(family));
        }
    }

    #[test]
    fn training_seeds_are_others() {
        let seeds: Vec<u64> = (1..=100).collect();
        let training = training_seeds(&seeds);
        assert_eq!(training.len(), seeds.len());
        assert!(training.iter().all(|seed| !seeds.contains(seed)));
    }
}
