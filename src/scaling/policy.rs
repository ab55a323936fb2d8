//! How a backlog becomes a number of replicas: what a trigger's metadata settled, and what the workload
//! that asks adds to it. Knows no metadata.

use super::{
    Law, Mode, Wakefulness, Workload, WorkloadKind, observation::count_as_f64,
    scaled_job_key::ScaledJob,
};

/// How a backlog becomes a number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalingPolicy {
    /// Messages per replica: the target of the metric.
    pub queue_length: i64,
    /// Active above this many messages, not at it.
    pub activation_queue_length: i64,
    /// Whether messages in flight are counted.
    pub scale_on_in_flight: bool,
    /// Whether delayed messages are counted.
    pub scale_on_delayed: bool,
    /// The law, where a target wait turns it on.
    pub law: Option<Law>,
    /// Whether the law is obeyed or only shown.
    pub mode: Mode,
    /// No more replicas are asked for.
    pub max_replicas: Option<u32>,
    /// How long the workload stays awake; None as long as `aws-sqs-queue` says.
    pub wakefulness: Option<Wakefulness>,
}

impl Default for ScalingPolicy {
    fn default() -> Self {
        Self {
            queue_length: 5,
            activation_queue_length: 0,
            scale_on_in_flight: true,
            scale_on_delayed: false,
            law: None,
            mode: Mode::Live,
            max_replicas: None,
            wakefulness: None,
        }
    }
}

impl ScalingPolicy {
    /// The policy where it is known who asks: a law is capped as its replicas are, and the strategy of a
    /// `ScaledJob` says whether messages in flight are counted.
    #[must_use]
    pub fn for_workload(self, workload: &Workload) -> Self {
        let in_flight = match workload.kind {
            WorkloadKind::ScaledJob(Some(strategy)) => ScaledJob::from(strategy).counts_in_flight(),
            WorkloadKind::ScaledObject | WorkloadKind::ScaledJob(None) => None,
        };
        let cap = self.law.map(|_| workload.replicas_max);
        Self {
            max_replicas: self.max_replicas.or(cap),
            scale_on_in_flight: in_flight.unwrap_or(self.scale_on_in_flight),
            ..self
        }
    }

    /// The target of the metric: what one replica is worth. It never changes with the backlog,
    /// because KEDA passes it on to the autoscaler only when it reconciles.
    pub fn target(&self) -> f64 {
        count_as_f64(self.queue_length)
    }
}
