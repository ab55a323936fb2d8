//! Tells Kubernetes what it costs to delete the pod, so that scaling in takes idle pods first. It knows how much of the
//! worker is busy, not with what.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::causes::with_causes;
use crate::cluster::{Cluster, ClusterError};
use crate::metrics::Metrics;

/// The annotation that a `ReplicaSet` compares its pods by; pods without it cost 0.
pub const ANNOTATION: &str = "controller.kubernetes.io/pod-deletion-cost";
/// A look costs nothing; only a change is told.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// More work is told at once, less only when it has lasted: work that comes and goes costs the API server nothing.
const SETTLED: Duration = Duration::from_secs(10);
/// After a failure. A permission takes a person to grant.
const RETRY: Duration = Duration::from_secs(30);

/// Updates the cost of one pod.
#[derive(Debug)]
pub struct DeletionCost {
    pub cluster: Cluster,
    pub pod: String,
    pub metrics: Metrics,
}

impl DeletionCost {
    /// Until it is dropped.
    pub async fn keep_told(self) {
        let mut rule = Rule::new(Instant::now());
        let mut has_failed = false;
        loop {
            let pause = match rule.due(self.metrics.busy_quarters(), Instant::now()) {
                None => LOOK_INTERVAL,
                Some(cost) => match self.tell(cost).await {
                    Ok(()) => {
                        rule.told = Some(cost);
                        has_failed = false;
                        LOOK_INTERVAL
                    }
                    Err(error) => {
                        self.complain(&error, has_failed);
                        has_failed = true;
                        RETRY
                    }
                },
            };
            sleep(pause).await;
        }
    }

    async fn tell(&self, cost: u8) -> Result<(), ClusterError> {
        let (pod, value) = (&self.pod, cost.to_string());
        self.cluster.annotate(pod, ANNOTATION, &value).await?;
        info!(pod, cost, "deletion cost told");
        Ok(())
    }

    /// Once for each row of failures: a worker does its work without it.
    fn complain(&self, error: &ClusterError, has_failed: bool) {
        if !has_failed {
            warn!(
                pod = self.pod,
                error = with_causes(error),
                "cannot tell the deletion cost; the pod may be deleted while others are idle"
            );
        }
    }
}

/// When which cost is told.
#[derive(Debug)]
struct Rule {
    told: Option<u8>,
    /// When the worker was last as busy as was told.
    busy_at: Instant,
}

impl Rule {
    fn new(now: Instant) -> Self {
        Self {
            told: None,
            busy_at: now,
        }
    }

    /// The cost that is to be told now: 25 for each quarter of the slots that is busy, in part or whole.
    fn due(&mut self, busy_quarters: u8, now: Instant) -> Option<u8> {
        let cost = busy_quarters.min(4) * 25;
        if self.told.is_none_or(|told| cost >= told) {
            self.busy_at = now;
            return (self.told != Some(cost)).then_some(cost);
        }
        (now.duration_since(self.busy_at) >= SETTLED).then_some(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_work_is_told_at_once_and_less_when_it_has_lasted() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rule = Rule::new(start);
        let steps = [
            (0, 0, Some(0)),
            (1, 1, Some(25)),
            (2, 4, Some(100)),
            (3, 0, None),
            // A short pause between two pieces of work is none.
            (8, 4, None),
            (9, 2, None),
            (17, 1, None),
            (18, 1, Some(25)),
            (19, 1, None),
        ];
        for (second, quarters, expected) in steps {
            let due = rule.due(quarters, at(second));
            assert_eq!(due, expected, "at {second} s");
            rule.told = due.or(rule.told);
        }
    }
}
