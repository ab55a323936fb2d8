//! The errors of `CloudWatch`, named as AWS names them.

use thiserror::Error;

/// Why `CloudWatch` refused a request. The text is what a client sees.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum CloudWatchError {
    #[error("{0}")]
    InvalidParameterValue(String),
    #[error("{0}")]
    InvalidParameterCombination(String),
    #[error("The parameter {0} is required.")]
    MissingParameter(&'static str),
    #[error("{0}")]
    Validation(String),
    #[error("The request could not be read: {0}")]
    Serialization(String),
    #[error("The operation {0} is not known.")]
    UnknownOperation(String),
    #[error("The local server was told that this caller may not use cloudwatch:{0}.")]
    AccessDenied(&'static str),
    #[error("Rate exceeded")]
    Throttling,
    #[error("The local server was told to fail with status {0}.")]
    Failure(u16),
    #[error("More than {0} metrics are stored, no more are allowed.")]
    LimitExceeded(usize),
}

impl CloudWatchError {
    /// `__type` in the body and the code of the older query protocol.
    pub(crate) fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidParameterValue(_) => (
                "com.amazonaws.cloudwatch#InvalidParameterValueException",
                "InvalidParameterValue",
            ),
            Self::InvalidParameterCombination(_) => (
                "com.amazonaws.cloudwatch#InvalidParameterCombinationException",
                "InvalidParameterCombination",
            ),
            Self::MissingParameter(_) => (
                "com.amazonaws.cloudwatch#MissingRequiredParameterException",
                "MissingParameter",
            ),
            Self::Validation(_) => (
                "com.amazon.coral.validate#ValidationException",
                "ValidationError",
            ),
            Self::Serialization(_) => (
                "com.amazon.coral.service#SerializationException",
                "SerializationException",
            ),
            Self::UnknownOperation(_) => (
                "com.amazon.coral.service#UnknownOperationException",
                "InvalidAction",
            ),
            Self::AccessDenied(_) => (
                "com.amazon.coral.service#AccessDeniedException",
                "AccessDenied",
            ),
            Self::Throttling => (
                "com.amazon.coral.availability#ThrottlingException",
                "Throttling",
            ),
            Self::Failure(_) => (
                "com.amazonaws.cloudwatch#InternalServiceFault",
                "InternalServiceError",
            ),
            Self::LimitExceeded(_) => (
                "com.amazonaws.cloudwatch#LimitExceededFault",
                "LimitExceeded",
            ),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::AccessDenied(_) => 403,
            Self::Failure(status) => *status,
            _ => 400,
        }
    }
}
