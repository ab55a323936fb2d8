//! What helps against an error of SQS: asking again, asking more slowly, or only a person. Pure: codes in, a class out.

use std::time::Duration;

use crate::backoff::Backoff;

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// It passes by itself, and soon.
    Retry,
    /// SQS asks for less.
    BackOff,
    /// Waiting changes nothing.
    Fatal(Reason),
}

/// What a person has to put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Missing,
    Denied,
    /// The credentials themselves are not accepted.
    Credentials,
    /// SQS understood, and does not do such a thing.
    Invalid,
}

/// Both must stay well under [`crate::progress::TURN_MAX`], or backing off would look like being stuck.
const SOON: Backoff = Backoff {
    least: Duration::from_millis(250),
    most: Duration::from_secs(30),
};
const SLOWLY: Backoff = Backoff {
    least: Duration::from_secs(1),
    most: Duration::from_secs(30),
};

/// Codes and what helps; a code matches the first row that it contains. `InvalidAddress` is what SQS says to an URL that
/// is none of its own, and a token that has expired is renewed by the credentials' own chain.
const TABLE: &[(&str, Remedy)] = &[
    ("QueueDoesNotExist", Remedy::Fatal(Reason::Missing)),
    ("NonExistentQueue", Remedy::Fatal(Reason::Missing)),
    ("InvalidAddress", Remedy::Fatal(Reason::Missing)),
    ("QueueDeletedRecently", Remedy::Fatal(Reason::Missing)),
    ("AccessDenied", Remedy::Fatal(Reason::Denied)),
    ("KmsOptInRequired", Remedy::Fatal(Reason::Denied)),
    ("ExpiredToken", Remedy::Retry),
    ("RequestExpired", Remedy::Retry),
    ("InvalidClientTokenId", Remedy::Fatal(Reason::Credentials)),
    ("UnrecognizedClient", Remedy::Fatal(Reason::Credentials)),
    ("SignatureDoesNotMatch", Remedy::Fatal(Reason::Credentials)),
    ("MissingAuthentication", Remedy::Fatal(Reason::Credentials)),
    ("OptInRequired", Remedy::Fatal(Reason::Credentials)),
    ("InvalidSecurity", Remedy::Fatal(Reason::Credentials)),
    ("Throttl", Remedy::BackOff),
    ("TooManyRequests", Remedy::BackOff),
    ("RequestLimitExceeded", Remedy::BackOff),
    ("SlowDown", Remedy::BackOff),
    ("OverLimit", Remedy::BackOff),
    ("KmsDisabled", Remedy::Fatal(Reason::Invalid)),
    ("KmsInvalidState", Remedy::Fatal(Reason::Invalid)),
    ("KmsInvalidKeyUsage", Remedy::Fatal(Reason::Invalid)),
    ("KmsNotFound", Remedy::Fatal(Reason::Invalid)),
    ("InvalidParameter", Remedy::Fatal(Reason::Invalid)),
    ("InvalidAttribute", Remedy::Fatal(Reason::Invalid)),
    ("UnsupportedOperation", Remedy::Fatal(Reason::Invalid)),
    ("UnknownOperation", Remedy::Fatal(Reason::Invalid)),
];

impl Remedy {
    /// By the code of SQS's answer; no code means that no answer came, and an unknown one may pass.
    pub fn of(code: Option<&str>) -> Self {
        let code = code.unwrap_or_default();
        let row = TABLE.iter().find(|(part, _)| code.contains(part));
        row.map_or(Self::Retry, |(_, remedy)| *remedy)
    }

    /// How long to wait after this many failures in a row.
    pub fn wait(self, failures: u32, chance: f64) -> Duration {
        match self {
            Self::Retry => SOON.wait(failures, chance),
            Self::BackOff | Self::Fatal(_) => SLOWLY.wait(failures, chance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_error_has_its_remedy() {
        let table = [
            (None, Remedy::Retry),
            (Some("InternalError"), Remedy::Retry),
            (Some("ServiceUnavailable"), Remedy::Retry),
            (Some("RequestTimeout"), Remedy::Retry),
            (Some("ExpiredTokenException"), Remedy::Retry),
            (Some("RequestThrottled"), Remedy::BackOff),
            (Some("ThrottlingException"), Remedy::BackOff),
            (Some("KmsThrottled"), Remedy::BackOff),
            (Some("OverLimit"), Remedy::BackOff),
            (
                Some("AWS.SimpleQueueService.NonExistentQueue"),
                Remedy::Fatal(Reason::Missing),
            ),
            (Some("QueueDoesNotExist"), Remedy::Fatal(Reason::Missing)),
            (Some("AccessDeniedException"), Remedy::Fatal(Reason::Denied)),
            (Some("KmsAccessDenied"), Remedy::Fatal(Reason::Denied)),
            (
                Some("InvalidClientTokenId"),
                Remedy::Fatal(Reason::Credentials),
            ),
            (
                Some("SignatureDoesNotMatch"),
                Remedy::Fatal(Reason::Credentials),
            ),
            (Some("KmsDisabled"), Remedy::Fatal(Reason::Invalid)),
            (
                Some("InvalidParameterValue"),
                Remedy::Fatal(Reason::Invalid),
            ),
        ];
        for (code, expected) in table {
            assert_eq!(Remedy::of(code), expected, "{code:?}");
        }
    }

    #[test]
    fn who_asked_for_less_is_not_asked_again_within_a_second() {
        assert!(Remedy::BackOff.wait(1, 0.0) >= Duration::from_secs(1));
        assert!(Remedy::Retry.wait(1, 0.0) < Duration::from_secs(1));
    }
}
