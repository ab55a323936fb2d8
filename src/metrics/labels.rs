//! By what the metrics are told apart, and the words for it.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CacheLabels {
    pub(super) answer: CacheAnswer,
}

/// Where an observation came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum CacheAnswer {
    /// Young enough to be given without asking.
    Fresh,
    /// Asked for, alone or together with other callers.
    Fetched,
    /// The last good one, because SQS cannot be asked or is slow.
    Stale,
    /// Nothing to give: the caller got an error.
    Failed,
}

impl CacheAnswer {
    /// As traces say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "hit",
            Self::Fetched => "miss",
            Self::Stale => "stale",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SqsLabels {
    pub(super) outcome: SqsOutcome,
}

/// What came of a request to SQS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum SqsOutcome {
    /// An answer.
    Ok,
    /// Too many requests, by SQS's account.
    Throttled,
    /// Any other failure.
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Outcome {
    Ok,
    Error,
}

impl RequestLabels {
    pub(super) fn of<T, E>(outcome: &Result<T, E>) -> Self {
        let outcome = if outcome.is_ok() {
            Outcome::Ok
        } else {
            Outcome::Error
        };
        Self { outcome }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RefusalLabels {
    pub(super) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CertificateLabels {
    pub(super) certificate: &'static str,
}
