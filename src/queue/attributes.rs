//! SQS's attribute strings -> counts, by the rules of KEDA's `aws-sqs-queue`. Pure.

use crate::scaling::{Count, CountError, Observation};

/// What `GetQueueAttributes` calls the three counts.
pub(super) const VISIBLE: &str = "ApproximateNumberOfMessages";
pub(super) const IN_FLIGHT: &str = "ApproximateNumberOfMessagesNotVisible";
pub(super) const DELAYED: &str = "ApproximateNumberOfMessagesDelayed";

/// Reads the three counts through `attribute`, which gives the text of an attribute by its name.
pub(super) fn observation<'a>(attribute: impl Fn(&str) -> Option<&'a str>) -> Observation {
    let count = |name| count(name, attribute(name));
    Observation {
        visible: count(VISIBLE),
        in_flight: count(IN_FLIGHT),
        delayed: count(DELAYED),
    }
}

fn count(attribute: &'static str, text: Option<&str>) -> Count {
    let text = text.ok_or(CountError::Missing { attribute })?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let found = || text.to_owned();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CountError::NotAnInteger {
            attribute,
            found: found(),
        });
    }
    // Digits that are no number of 64 bits are too many of them.
    text.parse().map_err(|_| CountError::OutOfRange {
        attribute,
        found: found(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_keda_reads_them() {
        let cases: [(Option<&str>, Result<i64, &str>); 9] = [
            (Some("0"), Ok(0)),
            (Some("2147483647"), Ok(2_147_483_647)),
            (Some("2147483648"), Ok(2_147_483_648)),
            (Some("-1"), Ok(-1)),
            (
                Some("9223372036854775808x"),
                Err("ApproximateNumberOfMessages: strconv.ParseInt: parsing \
                     \"9223372036854775808x\": invalid syntax"),
            ),
            (
                None,
                Err("metric ApproximateNumberOfMessages not found in SQS queue attributes"),
            ),
            (
                Some("NotInt"),
                Err(
                    "ApproximateNumberOfMessages: strconv.ParseInt: parsing \"NotInt\": invalid syntax",
                ),
            ),
            (
                Some("1.0"),
                Err(
                    "ApproximateNumberOfMessages: strconv.ParseInt: parsing \"1.0\": invalid syntax",
                ),
            ),
            (
                Some("9223372036854775808"),
                Err("ApproximateNumberOfMessages: strconv.ParseInt: parsing \
                     \"9223372036854775808\": value out of range"),
            ),
        ];
        for (text, expected) in cases {
            let found = count(VISIBLE, text).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn an_attribute_that_is_missing_does_not_hide_the_others() {
        let observation = observation(|name| (name != DELAYED).then_some("7"));
        assert_eq!((observation.visible, observation.in_flight), (Ok(7), Ok(7)));
        assert_eq!(
            observation.delayed,
            Err(CountError::Missing { attribute: DELAYED })
        );
    }
}
