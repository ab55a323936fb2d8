//! All triggers that are alive, and what could not be understood. It keeps no trigger alive: who answers
//! KEDA does, and forgets those that KEDA no longer asks about.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;
use tokio::time::Instant;

use super::{
    report::{
        QueueList, QueueName, QueueReport, RejectedReport, ScaledObjectList, ScaledObjectReport,
        TriggerReport,
    },
    trigger_status::TriggerStatus,
    words::{self, With},
};
use crate::{
    clock::EpochClock,
    scaling::{BindingTerm, Trigger},
    workloads::ObjectName,
};

/// Triggers in one answer: a list of these is a few megabytes.
pub(super) const LISTED_MAX: usize = 5_000;

/// Objects remembered whose metadata could not be understood.
const REJECTED_MAX: u64 = 1_000;
const REJECTED_FOR: Duration = Duration::from_hours(1);

/// The status board.
#[derive(Debug)]
pub struct Board {
    clock: EpochClock,
    triggers: Mutex<Vec<Weak<TriggerStatus>>>,
    rejected: Cache<(String, String), Arc<str>>,
    tally: Tally,
}

/// What all triggers count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Sums>);

#[derive(Debug, Default)]
struct Sums {
    /// Decisions of each term, in the order of [`BindingTerm::ALL`].
    decisions: [AtomicU64; BindingTerm::ALL.len()],
    triggers: AtomicU64,
}

impl Tally {
    /// Counts a decision that `term` determined.
    pub(super) fn decided(&self, term: BindingTerm) {
        let terms = BindingTerm::ALL.iter().zip(&self.0.decisions);
        for (_, decisions) in terms.filter(|(counted, _)| **counted == term) {
            decisions.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A number that no other trigger has.
    pub(super) fn next_trigger(&self) -> u64 {
        self.0.triggers.fetch_add(1, Ordering::Relaxed)
    }
}

impl Board {
    /// An empty board that tells the time by `clock`.
    pub fn new(clock: EpochClock) -> Self {
        let rejected = Cache::builder()
            .max_capacity(REJECTED_MAX)
            .time_to_live(REJECTED_FOR)
            .build();
        Self {
            clock,
            triggers: Mutex::default(),
            rejected,
            tally: Tally::default(),
        }
    }

    /// How many decisions each term has determined.
    pub(super) fn decisions(&self) -> impl Iterator<Item = (BindingTerm, u64)> {
        let decisions = self.tally.0.decisions.iter();
        let decisions = decisions.map(|decisions| decisions.load(Ordering::Relaxed));
        BindingTerm::ALL.into_iter().zip(decisions)
    }

    /// Now, since the Unix epoch.
    pub fn now(&self) -> Duration {
        self.clock.at(Instant::now())
    }

    /// Shows a trigger for as long as what is returned is held.
    pub fn show(&self, object: Arc<ObjectName>, trigger: Arc<Trigger>) -> Arc<TriggerStatus> {
        let status = Arc::new(TriggerStatus::new(
            (object, trigger),
            self.tally.clone(),
            self.now(),
        ));
        let mut triggers = self.triggers.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the list would grow, what is gone makes place.
        if triggers.len() == triggers.capacity() {
            triggers.retain(|trigger| trigger.strong_count() > 0);
        }
        triggers.push(Arc::downgrade(&status));
        status
    }

    /// Shows that the metadata of an object cannot be understood.
    pub fn reject(&self, namespace: &str, name: &str, error: &dyn std::fmt::Display) {
        let key = (namespace.to_owned(), name.to_owned());
        self.rejected.insert(key, error.to_string().into());
    }

    /// Why the metadata of an object was not understood, if that was so within the last hour.
    pub fn rejection(&self, namespace: &str, name: &str) -> Option<String> {
        let key = (namespace.to_owned(), name.to_owned());
        self.rejected.get(&key).map(|error| error.to_string())
    }

    /// All triggers by object and queue, the one asked about last first where several are about the same.
    pub(super) fn live(&self) -> Vec<Arc<TriggerStatus>> {
        let alive = {
            let triggers = self.triggers.lock().unwrap_or_else(PoisonError::into_inner);
            let alive = triggers.iter().filter_map(Weak::upgrade);
            alive.collect::<Vec<_>>()
        };
        // Read once: an order that changes while it is sorted by is none.
        let mut live: Vec<_> = alive
            .into_iter()
            .map(|status| (Reverse(status.asked_at()), status))
            .collect();
        live.sort_by(|one, other| (one.1.place(), one.0).cmp(&(other.1.place(), other.0)));
        live.into_iter().map(|(_, status)| status).collect()
    }

    /// `GET /api/v1/scaledobjects`.
    pub fn scaledobjects(&self) -> ScaledObjectList {
        let live = self.live();
        let listed = live.iter().take(LISTED_MAX);
        let rejected = self.rejected.iter().map(|(key, error)| RejectedReport {
            namespace: key.0.clone(),
            name: key.1.clone(),
            error: error.to_string(),
        });
        let mut rejected: Vec<_> = rejected.collect();
        rejected.sort_by(|one, other| {
            (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name))
        });
        ScaledObjectList {
            scaledobjects: self.objects(listed, With::NoHistory),
            left_out: beyond(live.len()),
            rejected,
        }
    }

    /// `GET /api/v1/scaledobjects/{namespace}/{name}`, if such an object asks.
    pub fn scaledobject(&self, namespace: &str, name: &str) -> Option<ScaledObjectReport> {
        let live = self.live();
        let of_object = live
            .iter()
            .filter(|status| status.object.namespace == namespace && status.object.name == name);
        self.objects(of_object, With::History).pop()
    }

    /// `GET /api/v1/queues`.
    pub fn queues(&self) -> QueueList {
        let now = self.now();
        let mut queues: BTreeMap<QueueName, QueueReport> = BTreeMap::new();
        for status in self.live() {
            let TriggerReport {
                queue,
                observation,
                failure,
                ..
            } = words::trigger(&status, now, With::NoHistory);
            let entry = queues.entry(queue.clone()).or_insert_with(|| QueueReport {
                queue,
                observation: None,
                failure: None,
                scaledobjects: Vec::new(),
            });
            let age = |seen: &Option<_>| {
                seen.as_ref()
                    .map_or(f64::INFINITY, |seen: &super::ObservationReport| {
                        seen.age_seconds
                    })
            };
            if age(&observation) < age(&entry.observation) {
                (entry.observation, entry.failure) = (observation, failure);
            } else if entry.observation.is_none() {
                entry.failure = failure.or(entry.failure.take());
            }
            let asks = format!("{}/{}", status.object.namespace, status.object.name);
            if !entry.scaledobjects.contains(&asks) {
                entry.scaledobjects.push(asks);
            }
        }
        let left_out = beyond(queues.len());
        QueueList {
            queues: queues.into_values().take(LISTED_MAX).collect(),
            left_out,
        }
    }

    fn objects<'a>(
        &self,
        live: impl Iterator<Item = &'a Arc<TriggerStatus>>,
        with: With,
    ) -> Vec<ScaledObjectReport> {
        let now = self.now();
        let mut objects: Vec<ScaledObjectReport> = Vec::new();
        for status in live {
            let report = words::trigger(status, now, with);
            let ObjectName { namespace, name } = &*status.object;
            match objects.last_mut() {
                Some(last) if last.namespace == *namespace && last.name == *name => {
                    last.triggers.push(report);
                }
                _ => objects.push(ScaledObjectReport {
                    namespace: namespace.clone(),
                    name: name.clone(),
                    triggers: vec![report],
                }),
            }
        }
        objects
    }
}

fn beyond(listed: usize) -> u64 {
    u64::try_from(listed.saturating_sub(LISTED_MAX)).unwrap_or(u64::MAX)
}
