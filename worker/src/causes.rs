//! The text of an error together with its causes, for one log line.

use std::error::Error;

/// `error: cause: cause of the cause`.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::QueueError;

    #[test]
    fn the_causes_follow_the_error() {
        let error = QueueError::Failed {
            operation: "receive from",
            url: "q".into(),
            remedy: crate::remedy::Remedy::Retry,
            source: "connection refused".into(),
        };
        assert_eq!(
            with_causes(&error),
            "cannot receive from queue \"q\": connection refused"
        );
    }
}
