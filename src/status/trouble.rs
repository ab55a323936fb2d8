//! The words of the API and the metrics for what is wrong with a trigger, the worst first. Words are only
//! ever added.

use serde::{Deserialize, Serialize};

/// What matters most about a trigger; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The queue cannot be observed.
    CannotObserve,
    /// The oldest message has waited for longer than the target.
    Late,
    /// There is a warning.
    Warning,
    /// There is work.
    Working,
    /// There is none.
    Idle,
    /// KEDA has not asked for ten minutes: the object or its metadata was changed, or it is paused.
    Unasked,
}

impl Trouble {
    /// All of them, the worst first.
    pub const ALL: [Self; 6] = [
        Self::CannotObserve,
        Self::Late,
        Self::Warning,
        Self::Working,
        Self::Idle,
        Self::Unasked,
    ];

    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::CannotObserve => "cannot_observe",
            Self::Late => "late",
            Self::Warning => "warning",
            Self::Working => "working",
            Self::Idle => "idle",
            Self::Unasked => "unasked",
        }
    }
}

/// Something that a user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningReport {
    /// What it is about.
    pub kind: WarningKind,
    /// How bad it is.
    pub severity: Severity,
    /// In words, with what to do.
    pub text: String,
}

/// How bad a warning is; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Messages are lost, late or not done.
    Serious,
    /// Something does not fit.
    Notable,
    /// Good to know.
    Minor,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// The queue cannot be observed.
    CannotObserve,
    /// A key of the metadata does nothing, or not what it seems to.
    Metadata,
    /// More and more messages end as dead letters.
    DeadLettersGrow,
    /// There are dead letters.
    DeadLetters,
    /// Messages are received and nothing gets done.
    Poison,
    /// Some messages fail, and are received again.
    ReceivedAgain,
    /// The oldest message will soon be dropped, because it is too old.
    Retention,
    /// No more groups of a FIFO queue can be worked on.
    FifoGroups,
    /// More replicas got no more done: something behind them is the limit.
    Downstream,
    /// A message takes longer than the visibility timeout.
    VisibilityTimeout,
    /// Measurement says something else than a hint.
    HintContradicted,
    /// Messages that always fail are tried until they are too old: there is no queue for them.
    NoDeadLetters,
    /// CloudWatch is off, denied or over its budget.
    CloudWatch,
}

impl WarningKind {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::CannotObserve => "cannot_observe",
            Self::Metadata => "metadata",
            Self::DeadLettersGrow => "dead_letters_grow",
            Self::DeadLetters => "dead_letters",
            Self::Poison => "poison",
            Self::ReceivedAgain => "received_again",
            Self::Retention => "retention",
            Self::FifoGroups => "fifo_groups",
            Self::Downstream => "downstream",
            Self::VisibilityTimeout => "visibility_timeout",
            Self::HintContradicted => "hint_contradicted",
            Self::NoDeadLetters => "no_dead_letters",
            Self::CloudWatch => "cloud_watch",
        }
    }
}
