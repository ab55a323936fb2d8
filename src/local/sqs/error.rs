//! The errors of SQS, in the words and with the names that AWS gives them.

use thiserror::Error;

/// Why SQS refused a request. The text is what a client sees.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SqsError {
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    #[error(
        "You must wait 60 seconds after deleting a queue before you can create another with the same name."
    )]
    QueueDeletedRecently,
    #[error("Only one PurgeQueue operation on {0} is allowed every 60 seconds.")]
    PurgeQueueInProgress(String),
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    #[error("Invalid value for the parameter {0}.")]
    InvalidAttributeValue(String),
    #[error("{0}")]
    InvalidParameterValue(String),
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    #[error("The address {0} is not valid for this endpoint.")]
    InvalidAddress(String),
    #[error("The input receipt handle \"{0}\" is not a valid receipt handle.")]
    ReceiptHandleIsInvalid(String),
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    #[error(
        "Too many messages in flight: a queue can have {} at a time.",
        crate::local::queue::IN_FLIGHT_MAX
    )]
    OverLimit,
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    #[error("There should be at least one {0} in the request.")]
    EmptyBatchRequest(&'static str),
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    #[error("Batch requests cannot be longer than 1048576 bytes. You have sent {0} bytes.")]
    BatchRequestTooLong(usize),
    #[error("{0}")]
    ResourceNotFound(String),
    #[error("{0}")]
    UnsupportedOperation(String),
    #[error("The request could not be read: {0}")]
    Serialization(String),
    #[error("The operation {0} is not known.")]
    UnknownOperation(String),
    #[error("The local server was told that this caller may not use sqs:{0}.")]
    AccessDenied(String),
    #[error("Rate exceeded")]
    Throttling,
    #[error("The local server was told to fail with status {0}.")]
    Failure(u16),
}

/// How one error looks on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorShape {
    /// `__type` of the JSON body.
    pub(crate) type_name: &'static str,
    /// The code of the older query protocol, which SDKs read from `x-amzn-query-error`.
    pub(crate) query_code: &'static str,
    pub(crate) status: u16,
}

const fn sqs(type_name: &'static str, query_code: &'static str) -> ErrorShape {
    ErrorShape {
        type_name,
        query_code,
        status: 400,
    }
}

impl SqsError {
    /// A value that is out of its range, in the words of SQS.
    pub(crate) fn invalid(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        Self::InvalidParameterValue(format!(
            "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
        ))
    }

    pub(crate) fn is_senders_fault(&self) -> bool {
        !matches!(self, Self::Failure(_))
    }

    pub(crate) fn shape(&self) -> ErrorShape {
        match self {
            Self::QueueDoesNotExist
            | Self::QueueNameExists(_)
            | Self::QueueDeletedRecently
            | Self::PurgeQueueInProgress(_)
            | Self::InvalidAttributeName(_)
            | Self::InvalidAttributeValue(_)
            | Self::InvalidAddress(_) => self.queue_shape(),
            Self::EmptyBatchRequest(_)
            | Self::TooManyEntriesInBatchRequest(_)
            | Self::BatchEntryIdsNotDistinct(_)
            | Self::InvalidBatchEntryId
            | Self::BatchRequestTooLong(_) => self.batch_shape(),
            _ => self.request_shape(),
        }
    }

    fn queue_shape(&self) -> ErrorShape {
        match self {
            Self::QueueNameExists(_) => {
                sqs("com.amazonaws.sqs#QueueNameExists", "QueueAlreadyExists")
            }
            Self::QueueDeletedRecently => sqs(
                "com.amazonaws.sqs#QueueDeletedRecently",
                "AWS.SimpleQueueService.QueueDeletedRecently",
            ),
            Self::PurgeQueueInProgress(_) => sqs(
                "com.amazonaws.sqs#PurgeQueueInProgress",
                "AWS.SimpleQueueService.PurgeQueueInProgress",
            ),
            Self::InvalidAttributeName(_) => sqs(
                "com.amazonaws.sqs#InvalidAttributeName",
                "InvalidAttributeName",
            ),
            Self::InvalidAttributeValue(_) => sqs(
                "com.amazonaws.sqs#InvalidAttributeValue",
                "InvalidAttributeValue",
            ),
            Self::InvalidAddress(_) => sqs("com.amazonaws.sqs#InvalidAddress", "InvalidAddress"),
            _ => sqs(
                "com.amazonaws.sqs#QueueDoesNotExist",
                "AWS.SimpleQueueService.NonExistentQueue",
            ),
        }
    }

    fn batch_shape(&self) -> ErrorShape {
        match self {
            Self::EmptyBatchRequest(_) => sqs(
                "com.amazonaws.sqs#EmptyBatchRequest",
                "AWS.SimpleQueueService.EmptyBatchRequest",
            ),
            Self::TooManyEntriesInBatchRequest(_) => sqs(
                "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
                "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            ),
            Self::BatchEntryIdsNotDistinct(_) => sqs(
                "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
                "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            ),
            Self::BatchRequestTooLong(_) => sqs(
                "com.amazonaws.sqs#BatchRequestTooLong",
                "AWS.SimpleQueueService.BatchRequestTooLong",
            ),
            _ => sqs(
                "com.amazonaws.sqs#InvalidBatchEntryId",
                "AWS.SimpleQueueService.InvalidBatchEntryId",
            ),
        }
    }

    fn request_shape(&self) -> ErrorShape {
        match self {
            Self::MissingParameter(_) => sqs(
                "com.amazonaws.sqs#MissingRequiredParameterException",
                "MissingParameter",
            ),
            Self::ReceiptHandleIsInvalid(_) => sqs(
                "com.amazonaws.sqs#ReceiptHandleIsInvalid",
                "ReceiptHandleIsInvalid",
            ),
            Self::MessageNotInflight => sqs(
                "com.amazonaws.sqs#MessageNotInflight",
                "AWS.SimpleQueueService.MessageNotInflight",
            ),
            Self::OverLimit => sqs("com.amazonaws.sqs#OverLimit", "OverLimit"),
            Self::InvalidMessageContents => sqs(
                "com.amazonaws.sqs#InvalidMessageContents",
                "InvalidMessageContents",
            ),
            Self::ResourceNotFound(_) => sqs(
                "com.amazonaws.sqs#ResourceNotFoundException",
                "ResourceNotFoundException",
            ),
            Self::UnsupportedOperation(_) => sqs(
                "com.amazonaws.sqs#UnsupportedOperation",
                "AWS.SimpleQueueService.UnsupportedOperation",
            ),
            Self::Serialization(_) => sqs(
                "com.amazon.coral.service#SerializationException",
                "SerializationException",
            ),
            Self::UnknownOperation(_) => sqs(
                "com.amazon.coral.service#UnknownOperationException",
                "InvalidAction",
            ),
            Self::AccessDenied(_) => ErrorShape {
                type_name: "com.amazon.coral.service#AccessDeniedException",
                query_code: "AccessDenied",
                status: 403,
            },
            Self::Throttling => sqs(
                "com.amazon.coral.availability#ThrottlingException",
                "ThrottlingException",
            ),
            Self::Failure(status) => ErrorShape {
                type_name: "com.amazon.coral.service#InternalFailure",
                query_code: "InternalFailure",
                status: *status,
            },
            _ => sqs(
                "com.amazonaws.sqs#InvalidParameterValueException",
                "InvalidParameterValue",
            ),
        }
    }
}
