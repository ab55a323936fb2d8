//! The JSON of the API under `/api/v1/`. Fields are only ever added; a value that is not known is `null`
//! or left out, never zero. Times are ages in seconds, or seconds since the Unix epoch where the name
//! ends in `_at_seconds`. No secret is among them: of a queue's identity nothing is told.

use serde::{Deserialize, Serialize};

use super::trouble::{Trouble, WarningReport};

/// `GET /api/v1/queues`: every queue that a trigger asks about, by region and name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueList {
    /// The queues; at most 5,000.
    pub queues: Vec<QueueReport>,
    /// Queues beyond the limit.
    pub left_out: u64,
}

/// A queue and who asks about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueReport {
    /// Which one.
    pub queue: QueueName,
    /// The last observation, of whichever trigger has the youngest.
    pub observation: Option<ObservationReport>,
    /// Why it cannot be observed now.
    pub failure: Option<FailureReport>,
    /// `namespace/name` of the objects that ask about it.
    pub scaledobjects: Vec<String>,
}

/// `GET /api/v1/scaledobjects`: everything that asks, without histories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScaledObjectList {
    /// By namespace and name; at most 5,000 triggers.
    pub scaledobjects: Vec<ScaledObjectReport>,
    /// Triggers beyond the limit.
    pub left_out: u64,
    /// Objects whose metadata could not be understood, the last 1,000 of the last hour.
    pub rejected: Vec<RejectedReport>,
}

/// `GET /api/v1/scaledobjects/{namespace}/{name}`: one `ScaledObject` or `ScaledJob`, with the last hour
/// of each of its triggers. 404 for one that did not ask within the last hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScaledObjectReport {
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
    /// Its triggers about SQS; one whose metadata was changed stays for an hour and is then forgotten.
    pub triggers: Vec<TriggerReport>,
}

/// An object whose metadata could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedReport {
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
    /// What is wrong.
    pub error: String,
}

/// One trigger: what is seen, believed, decided, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerReport {
    /// The queue it is about.
    pub queue: QueueName,
    /// The metric's name, without the `s<index>-` that KEDA puts before it.
    pub metric_name: String,
    /// What matters most about it.
    pub trouble: Trouble,
    /// Since KEDA asked last, streams not counted.
    pub asked_age_seconds: f64,
    /// What its metadata says, with defaults.
    pub policy: PolicyReport,
    /// What SQS said last.
    pub observation: Option<ObservationReport>,
    /// Why it cannot be observed now; KEDA may still get answers from the last observation.
    pub failure: Option<FailureReport>,
    /// What CloudWatch adds; absent without a law, which alone asks.
    pub minutes: Option<MinutesReport>,
    /// Replicas that are ready, where Kubernetes is read.
    pub ready_replicas: Option<u32>,
    /// What is believed; absent without a law.
    pub estimate: Option<EstimateReport>,
    /// What KEDA is told.
    pub decision: Option<DecisionReport>,
    /// What the law saved against `aws-sqs-queue`, or added; absent without a law.
    pub balance: Option<BalanceReport>,
    /// What a user should know, the worst first.
    pub warnings: Vec<WarningReport>,
    /// The last hour, oldest first, at most 120 points; empty in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryPoint>,
}

/// Which queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueueName {
    /// The AWS region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// `queueURL` as the user wrote it.
    pub url: String,
    /// Another endpoint than the region's.
    pub endpoint: Option<String>,
}

/// Which of the two answers is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyMode {
    /// That of `aws-sqs-queue`: there is no law.
    Plain,
    /// That of the law.
    Live,
    /// That of `aws-sqs-queue`, with the law's beside it.
    Shadow,
}

/// What a trigger's metadata says, with defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Which answer is given.
    pub mode: PolicyMode,
    /// Messages per replica: the target of the metric.
    pub queue_length: i64,
    /// Active above this many messages.
    pub activation_queue_length: i64,
    /// How long a message may wait.
    pub target_wait_seconds: Option<f64>,
    /// How long a message of a noisy group may wait, where that is longer.
    #[serde(default)]
    pub noisy_wait_seconds: Option<f64>,
    /// The hint of how long a message takes.
    pub message_seconds: Option<f64>,
    /// The hint of how many messages a replica works on at once.
    pub concurrency: Option<u32>,
    /// No more replicas are asked for.
    pub max_replicas: Option<u32>,
}

/// What SQS said. A count that is unreadable is `null`, which is not zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservationReport {
    /// Since it was asked for.
    pub age_seconds: f64,
    /// Messages waiting to be received.
    pub visible_messages: Option<i64>,
    /// Received and not yet deleted.
    pub in_flight_messages: Option<i64>,
    /// Sent and not yet receivable.
    pub delayed_messages: Option<i64>,
    /// `VisibilityTimeout` of the queue.
    pub visibility_timeout_seconds: Option<u64>,
    /// `maxReceiveCount` of its `RedrivePolicy`.
    pub receives_max: Option<u32>,
    /// The name of its queue of dead letters.
    pub dead_letter_queue: Option<String>,
    /// Messages waiting there, read every five minutes where that is permitted.
    pub dead_letters: Option<i64>,
}

/// Why something failed, and since when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailureReport {
    /// The cause, as KEDA is told.
    pub cause: String,
    /// Since the first failure after the last success.
    pub age_seconds: f64,
}

/// Whether CloudWatch's minutes come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinutesReport {
    /// Whether they come.
    pub state: MinutesState,
    /// Why not, where they are off.
    pub reason: Option<String>,
}

/// Whether CloudWatch's minutes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MinutesState {
    /// They do not, for now or for good.
    Off,
    /// They were not asked for yet, or not lately.
    Waiting,
    /// The last answer is a few minutes old at most.
    Current,
}

/// What is believed of a queue. As old as the observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EstimateReport {
    /// How long a message is in flight.
    pub message_seconds: Option<f64>,
    /// Whether it may be far less: nothing but a fall of the counts has told yet.
    #[serde(default)]
    pub message_is_at_most: Option<bool>,
    /// How well that is known.
    pub message_confidence: Confidence,
    /// The deletions it was learned from, faded; a hint is worth five.
    pub message_deletions: f64,
    /// Messages that arrive.
    pub arrivals_per_second: f64,
    /// Messages that a replica works on at once.
    pub concurrency: f64,
    /// How long the oldest message has waited; `null` when none waits or nothing tells.
    pub oldest_age_seconds: Option<f64>,
    /// Whether CloudWatch said so, minutes ago; else it follows from the counts.
    pub oldest_age_is_measured: Option<bool>,
    /// Groups of a FIFO queue that are worked on at once, where they are the limit.
    pub groups: Option<f64>,
    /// Groups of a fair queue that are noisy, where `noisyWaitSeconds` lets them wait longer; `null` when there
    /// are none, or nothing tells.
    #[serde(default)]
    pub noisy_groups: Option<f64>,
    /// Their messages among those that wait.
    #[serde(default)]
    pub noisy_visible_messages: Option<f64>,
    /// The share of the messages received in the last minutes that failed; `null` while it is no more than
    /// noise, or nothing tells.
    #[serde(default)]
    pub failing_share: Option<f64>,
    /// Work goes on and nothing comes of it.
    pub is_stalled: bool,
}

/// How well something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Nothing tells.
    None,
    /// A hint, or a few deletions.
    Low,
    /// Dozens of deletions.
    Fair,
    /// Fifty deletions or more.
    Good,
}

/// What KEDA is told, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionReport {
    /// The metric's value, in messages.
    pub metric_value: f64,
    /// What the autoscaler makes of it, before its bounds; `null` for a target that Kubernetes refuses.
    pub replicas: Option<f64>,
    /// What KEDA's poll is told of activity.
    pub is_active: bool,
    /// Active although there is no message: emptiness is not confirmed, or the workload is kept warm.
    pub is_kept_awake: bool,
    /// The term that determined the value: `empty`, `below_activation`, `queue_length`, `max_replicas`, or
    /// of the law `learning`, `target_wait`, `busy`, `taken_over`, `noisy_groups`, `stalled`, `ineffective`,
    /// `fifo_groups`, `law_empty`.
    pub bound_by: String,
    /// The decision in words.
    pub explanation: String,
    /// What `aws-sqs-queue` would say.
    pub plain: PlainReport,
    /// What the law says, whether it is obeyed or not.
    pub law_replicas: Option<f64>,
    /// The law's reasons in words, where it is not obeyed; else they are part of the explanation.
    #[serde(default)]
    pub law_explanation: Option<String>,
    /// In how much time the backlog is to be gone.
    pub horizon_seconds: Option<f64>,
}

/// What `aws-sqs-queue` would say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlainReport {
    /// Its metric's value.
    pub metric_value: f64,
    /// What the autoscaler would make of it.
    pub replicas: Option<f64>,
    /// Whether it would be active.
    pub is_active: bool,
}

/// What the law asked for against what `aws-sqs-queue` would have, since the trigger was first seen. In
/// mode `shadow` it is what obeying would save; in mode `live` what it has saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalanceReport {
    /// Over so much time; a decision holds for five minutes at most.
    pub seconds: f64,
    /// Replica-seconds that the law did not ask for and `aws-sqs-queue` did.
    pub saved_replica_seconds: f64,
    /// Replica-seconds that the law asked for and `aws-sqs-queue` did not.
    pub added_replica_seconds: f64,
    /// Seconds in which the oldest message had waited for longer than the target.
    pub late_seconds: f64,
}

/// One moment of the last hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// When, since the Unix epoch.
    pub at_seconds: f64,
    /// Messages waiting.
    pub visible_messages: i64,
    /// Messages in flight.
    pub in_flight_messages: i64,
    /// Replicas asked for.
    pub replicas: f32,
    /// What `aws-sqs-queue` would have asked for.
    pub plain_replicas: f32,
    /// How long the oldest message had waited.
    pub oldest_age_seconds: Option<f32>,
}
