//! Who scales the demonstration's workers: KEDA between zero and one, the autoscaler above. Their
//! arithmetic is that of the simulation; this is when they act, and why.

use std::time::Duration;

use tonic::Status;

use super::keda::{Keda, Poll};
use crate::simulation::{
    hpa::{Autoscaler, AutoscalerSettings, Metric, Sync},
    keda::{Executor, ScaledObject},
};

/// `pollingInterval`; KEDA's default is 30 s. Pushes come in between.
const POLLING_INTERVAL: Duration = Duration::from_secs(5);

/// The autoscaler's sync; 15 s in a cluster.
const SYNC_INTERVAL: Duration = Duration::from_secs(5);

/// `cooldownPeriod`; KEDA's default is 300 s.
const COOLDOWN: Duration = Duration::from_secs(10);

/// `stabilizationWindowSeconds` for scaling down; 300 s by default.
const STABILIZATION_WINDOW: Duration = Duration::from_secs(10);

/// The scale of one workload and those who set it.
#[derive(Debug)]
pub(super) struct Workload {
    keda: Keda,
    executor: Executor,
    autoscaler: Autoscaler,
    replicas: u32,
    next_poll: Duration,
    next_sync: Duration,
    why: String,
}

impl Workload {
    pub(super) fn new(keda: Keda, max_replicas: u32) -> Self {
        Self {
            keda,
            executor: Executor::new(ScaledObject {
                cooldown: COOLDOWN,
                ..ScaledObject::default()
            }),
            autoscaler: Autoscaler::new(AutoscalerSettings {
                max_replicas,
                downscale_window: STABILIZATION_WINDOW,
                ..AutoscalerSettings::default()
            }),
            replicas: 0,
            next_poll: Duration::ZERO,
            next_sync: Duration::ZERO,
            why: "nothing to do".to_owned(),
        }
    }

    pub(super) fn replicas(&self) -> u32 {
        self.replicas
    }

    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// A push says that there is work.
    pub(super) fn pushed(&mut self, now: Duration) {
        if let Some(replicas) = self.executor.act(Some(true), self.replicas, now) {
            self.set(replicas, "pushed: there is work".to_owned(), now);
        }
    }

    /// Polls and syncs when their time has come.
    pub(super) async fn advance(&mut self, now: Duration) {
        if now >= self.next_poll {
            self.next_poll = now + POLLING_INTERVAL;
            let poll = self.keda.poll().await;
            self.polled(&poll, now);
        }
        if self.replicas > 0 && now >= self.next_sync {
            self.next_sync = now + SYNC_INTERVAL;
            let poll = self.keda.poll().await;
            self.synced(&poll, now);
        }
    }

    fn polled(&mut self, poll: &Result<Poll, Status>, now: Duration) {
        let is_active = poll.as_ref().ok().map(|poll| poll.is_active);
        if let Err(status) = poll {
            self.why = format!("not known, so nothing changes: {}", status.message());
        }
        match self.executor.act(is_active, self.replicas, now) {
            Some(0) => {
                self.autoscaler.rest();
                self.set(0, format!("no work for {} s", COOLDOWN.as_secs()), now);
            }
            Some(replicas) => self.set(replicas, "polled: there is work".to_owned(), now),
            None => {}
        }
    }

    fn synced(&mut self, poll: &Result<Poll, Status>, now: Duration) {
        // Without a metric the autoscaler changes nothing.
        let Ok(Poll { metric, .. }) = *poll else {
            return;
        };
        let Metric { value, target } = metric;
        let sync = self.autoscaler.sync(metric, self.replicas, now);
        let Sync {
            replicas,
            wanted,
            bound_by,
        } = sync;
        self.why = format!(
            "{value} messages at {target} a replica: {wanted} wanted, {replicas} set ({bound_by})"
        );
        self.replicas = replicas;
    }

    fn set(&mut self, replicas: u32, why: String, now: Duration) {
        // A workload that wakes up is synced at the autoscaler's next turn, not at once.
        if self.replicas == 0 {
            self.next_sync = now + SYNC_INTERVAL / 2;
        }
        (self.replicas, self.why) = (replicas, why);
    }
}
