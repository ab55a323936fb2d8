//! The status board: what is known of every trigger that KEDA asks about, for people and machines who
//! want to see why. A leaf: whoever answers KEDA records here, pages read, and no decision ever does.
//!
//! Recording is cheap, since it happens in the calls of KEDA: one atomic store for a call, and one
//! short lock for a sample that is new. Words are made when somebody reads.

mod balance;
mod board;
mod exposition;
mod history;
mod numbers;
mod report;
mod rows;
mod trigger_status;
mod trouble;
mod warnings;
mod words;

pub use board::Board;
pub use exposition::BoardMetrics;
pub use report::{
    BalanceReport, Confidence, DecisionReport, EstimateReport, FailureReport, HistoryPoint,
    MinutesReport, MinutesState, ObservationReport, PlainReport, PolicyMode, PolicyReport,
    QueueList, QueueName, QueueReport, RejectedReport, ScaledObjectList, ScaledObjectReport,
    TriggerReport,
};
pub use rows::{Follower, News, Row};
pub use trigger_status::{Change, Look, TriggerStatus};
pub use trouble::{Severity, Trouble, WarningKind, WarningReport};
