//! Other autoscalers, from their published formulas: none of them goes through KEDA.

pub mod backlog_per_instance;
pub mod oracle;
pub mod step;
pub mod worker_pod;
