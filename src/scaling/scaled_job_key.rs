//! The metadata key that says which strategy a `ScaledJob` has, because KEDA does not tell.

use super::{JobStrategy, PolicyError};

/// Which strategy of a `ScaledJob` asks, if one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ScaledJob {
    #[default]
    None,
    /// `default` and `custom` subtract the running jobs, so their messages must be counted.
    SubtractsRunning,
    /// `accurate` and `eager` subtract the pending jobs only, so that a message in flight, which has
    /// its job already, must not be counted: it would get a second one.
    SubtractsPending,
}

impl From<JobStrategy> for ScaledJob {
    fn from(strategy: JobStrategy) -> Self {
        match strategy {
            JobStrategy::Default | JobStrategy::Custom => Self::SubtractsRunning,
            JobStrategy::Accurate | JobStrategy::Eager => Self::SubtractsPending,
        }
    }
}

impl ScaledJob {
    /// The value of `scaledJob`.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, PolicyError> {
        match text {
            None | Some("none") => Ok(Self::None),
            Some("default" | "custom") => Ok(Self::SubtractsRunning),
            Some("accurate" | "eager") => Ok(Self::SubtractsPending),
            Some(found) => Err(PolicyError::NotOneOf {
                key: "scaledJob",
                found: found.to_owned(),
                expected: "none, default, custom, accurate or eager".into(),
            }),
        }
    }

    /// Whether messages in flight are counted, where the strategy leaves no choice.
    pub(super) fn counts_in_flight(self) -> Option<bool> {
        match self {
            Self::None => None,
            Self::SubtractsRunning => Some(true),
            Self::SubtractsPending => Some(false),
        }
    }
}
