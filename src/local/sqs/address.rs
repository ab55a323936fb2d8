//! Names, URLs, ARNs, message ids and receipt handles: how things of the local account are called.

use std::fmt::Write as _;

use super::SqsError;
use crate::local::queue::{MessageKey, Receipt};

/// The account that owns every local queue.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The region that every local queue is in.
pub(crate) const REGION: &str = "us-east-1";

const NAME_LENGTH_MAX: usize = 80;
/// Sixteen hex digits each for queue and message, eight for the receive.
const HANDLE_LENGTH: usize = 40;

pub(crate) fn queue_url(host: &str, name: &str) -> String {
    format!("http://{host}/{ACCOUNT}/{name}")
}

pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The queue an ARN names, whatever its region and account.
pub(crate) fn name_in_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.rsplit(':').next()
}

/// The queue that a full URL, a path `/account/name` or a bare name means.
pub(crate) fn name_in_url(url: &str) -> Result<&str, SqsError> {
    let path = url.split_once("://").map_or(url, |(_, rest)| {
        rest.split_once('/').map_or("", |(_, path)| path)
    });
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    if name.is_empty() {
        return Err(SqsError::InvalidAddress(url.to_owned()));
    }
    Ok(name)
}

/// Refuses a queue name that SQS would not take; `.fifo` must end the name of a FIFO queue only.
pub(crate) fn check_name(name: &str, is_fifo: bool) -> Result<(), SqsError> {
    let stem = name.strip_suffix(".fifo");
    let is_fit = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    };
    if name.len() > NAME_LENGTH_MAX || !is_fit(stem.unwrap_or(name)) {
        return Err(SqsError::InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
                .to_owned(),
        ));
    }
    if stem.is_some() != is_fifo {
        return Err(SqsError::InvalidParameterValue(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
                .to_owned(),
        ));
    }
    Ok(())
}

/// The message id of a key: in the form of a UUID, the same each time it is asked for.
pub(crate) fn message_id(queue_id: u64, key: MessageKey) -> String {
    let bytes = (u128::from(scramble(queue_id)) << 64 | u128::from(scramble(queue_id ^ key.0)))
        .to_be_bytes();
    let mut id = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        let _infallible = write!(id, "{byte:02x}");
    }
    id
}

/// Twenty digits that grow with each message, as FIFO queues number them.
pub(crate) fn sequence_number(key: MessageKey) -> String {
    format!("{:020}", u128::from(key.0) + 18_800_000_000_000_000_000)
}

pub(crate) fn receipt_handle(queue_id: u64, receipt: Receipt) -> String {
    format!(
        "{queue_id:016x}{:016x}{:08x}",
        receipt.key.0, receipt.receive_count
    )
}

/// The receipt that a handle of this queue stands for.
pub(crate) fn receipt_of(queue_id: u64, handle: &str) -> Result<Receipt, SqsError> {
    parse_handle(handle)
        .filter(|(queue, _)| *queue == queue_id)
        .map(|(_, receipt)| receipt)
        .ok_or_else(|| SqsError::ReceiptHandleIsInvalid(handle.to_owned()))
}

fn parse_handle(handle: &str) -> Option<(u64, Receipt)> {
    if handle.len() != HANDLE_LENGTH {
        return None;
    }
    let queue = u64::from_str_radix(handle.get(..16)?, 16).ok()?;
    let key = u64::from_str_radix(handle.get(16..32)?, 16).ok()?;
    let receive_count = u32::from_str_radix(handle.get(32..)?, 16).ok()?;
    Some((
        queue,
        Receipt {
            key: MessageKey(key),
            receive_count,
        },
    ))
}

/// Spreads a counter over all bits (the finaliser of `SplitMix64`), so that ids do not look alike.
fn scramble(value: u64) -> u64 {
    let mixed = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_found_by_url_path_and_name() {
        for url in [
            "http://x:1/000000000000/orders",
            "https://h/q/orders/",
            "/0/orders",
            "orders",
        ] {
            assert_eq!(name_in_url(url), Ok("orders"), "{url}");
        }
        assert!(matches!(
            name_in_url("http://host"),
            Err(SqsError::InvalidAddress(_))
        ));
    }

    #[test]
    fn a_receipt_handle_is_of_one_queue_only() {
        let receipt = Receipt {
            key: MessageKey(7),
            receive_count: 2,
        };
        let handle = receipt_handle(1, receipt);
        assert_eq!(receipt_of(1, &handle), Ok(receipt));
        for (queue_id, handle) in [
            (2, handle.as_str()),
            (1, "garbage"),
            (1, "é".repeat(20).as_str()),
        ] {
            assert!(receipt_of(queue_id, handle).is_err(), "{handle}");
        }
    }

    #[test]
    fn a_message_id_has_the_form_of_a_uuid() {
        let id = message_id(1, MessageKey(1));
        assert_eq!(
            id.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert_ne!(id, message_id(1, MessageKey(2)));
    }
}
