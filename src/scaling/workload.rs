//! What a cluster tells of the object that asks. KEDA's contract does not, so all of it may be unknown.

/// A `ScaledObject` or `ScaledJob`, and what runs for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Which of the two it is.
    pub kind: WorkloadKind,
    /// Replicas that are ready to receive messages; a `ScaledJob` has none.
    pub ready_replicas: Option<u32>,
    /// It is not scaled below this.
    pub replicas_min: u32,
    /// It is not scaled above this.
    pub replicas_max: u32,
}

/// What asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// A `ScaledObject`: replicas that come and go.
    ScaledObject,
    /// A `ScaledJob`: a job for each piece of work, by this strategy where it is a known one.
    ScaledJob(Option<JobStrategy>),
}

/// How a `ScaledJob` takes running jobs into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStrategy {
    /// `default`
    Default,
    /// `custom`
    Custom,
    /// `accurate`
    Accurate,
    /// `eager`
    Eager,
}
