//! Everything about a run but who scales, and chance. It knows nothing of how a run goes.

use std::time::Duration;

use super::{
    approximate::Fidelity, arrivals::Segment, cluster::Cluster, control::ScalerSettings,
    hpa::AutoscalerSettings, keda::ScaledObject, scaled_object_file::OwnObject, work::Work,
};
use crate::scaling::Wakefulness;

/// One tenant of a fair queue that sends far more than the others, which are many and small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flood {
    /// What it sends, in the order of time.
    pub arrivals: Vec<Segment>,
    /// How long its messages may wait, where that is longer than the others may.
    pub noisy_wait: Duration,
}

/// Everything about a run but who scales, and chance.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    /// What is sent, in the order of time.
    pub arrivals: Vec<Segment>,
    /// Beside that, where one tenant floods the queue.
    pub flood: Option<Flood>,
    /// `DelaySeconds` of the queue.
    pub delay: Duration,
    /// `VisibilityTimeout` of the queue. Consumers extend it while they work: a message is seen again
    /// so long after its consumer lost it.
    pub visibility_timeout: Duration,
    pub work: Work,
    /// How long a message may wait.
    pub target_wait: Duration,
    /// Until when the run lasts at least, so that scaling down is paid for by all policies alike.
    pub horizon: Duration,
    pub fidelity: Fidelity,
    pub cluster: Cluster,
    pub object: ScaledObject,
    pub autoscaler: AutoscalerSettings,
    /// How this scaler is asked.
    pub scaler: ScalerSettings,
    /// How long the law keeps a workload awake.
    pub wakefulness: Wakefulness,
    /// The user's own objects, each a policy.
    pub own: Vec<OwnObject>,
}

impl Scenario {
    /// All that are sent.
    pub fn messages(&self) -> u64 {
        let segments = self.arrivals.iter().chain(self.flood_arrivals());
        segments.map(|segment| segment.messages).sum()
    }

    /// How long a message of a noisy group may wait.
    pub fn noisy_wait(&self) -> Duration {
        let flood = self.flood.as_ref().map(|flood| flood.noisy_wait);
        flood.unwrap_or_default().max(self.target_wait)
    }

    /// What the flood sends.
    pub(super) fn flood_arrivals(&self) -> &[Segment] {
        self.flood.as_ref().map_or(&[], |flood| &flood.arrivals)
    }
}
