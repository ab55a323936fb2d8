//! What a message says, and the MD5 digests by which SDKs check that it arrived unchanged.

use std::{collections::BTreeMap, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::SqsError;

/// SQS allows this many attributes a message.
const ATTRIBUTES_MAX: usize = 10;

/// A stored message; queues share it, so that a receive copies nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// The id under which a message came that was moved here; the others are called by their key.
    pub(crate) id: Option<String>,
    pub(crate) body: String,
    pub(crate) body_md5: String,
    pub(crate) attributes: Attributes,
    /// `MessageGroupId`, `MessageDeduplicationId`, `SequenceNumber`, `AWSTraceHeader`, ... as they were sent.
    pub(crate) system: BTreeMap<&'static str, String>,
}

pub(crate) type Attributes = BTreeMap<String, Attribute>;

/// A message attribute as JSON carries it; binary values are base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attribute {
    pub(crate) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) binary_value: Option<String>,
}

impl Attribute {
    /// The value's bytes and the mark of its kind in the digest.
    fn value(&self) -> Option<(u8, Vec<u8>)> {
        match (&self.string_value, &self.binary_value) {
            (Some(text), None) => Some((1, text.as_bytes().to_vec())),
            (None, Some(base64)) => Some((2, STANDARD.decode(base64).ok()?)),
            _ => None,
        }
    }

    fn check(&self, name: &str) -> Result<(), SqsError> {
        let kind = self.data_type.split('.').next().unwrap_or_default();
        let is_typed = match kind {
            "String" => self.string_value.is_some(),
            "Number" => self
                .string_value
                .as_ref()
                .is_some_and(|value| value.parse::<f64>().is_ok()),
            "Binary" => self.binary_value.is_some(),
            _ => false,
        };
        if is_typed && self.value().is_some_and(|(_, value)| !value.is_empty()) {
            return Ok(());
        }
        Err(SqsError::InvalidParameterValue(format!(
            "The message attribute '{name}' has an invalid message attribute type or value; expected a non-empty String, Number or Binary value, found type '{}'.",
            self.data_type
        )))
    }
}

pub(crate) fn check_attributes(attributes: &Attributes) -> Result<(), SqsError> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(SqsError::InvalidParameterValue(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
            attributes.len()
        )));
    }
    attributes
        .iter()
        .try_for_each(|(name, attribute)| attribute.check(name))
}

/// How much of the size limit a message uses: body, attribute names, types and values.
pub(crate) fn size_bytes(body: &str, attributes: &Attributes) -> usize {
    let attribute_bytes = attributes.iter().map(|(name, attribute)| {
        let value = attribute.value().map_or(0, |(_, value)| value.len());
        name.len() + attribute.data_type.len() + value
    });
    body.len() + attribute_bytes.sum::<usize>()
}

pub(crate) fn is_valid_text(body: &str) -> bool {
    body.chars().all(|letter| {
        !matches!(letter, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
    })
}

pub(crate) fn body_md5(body: &str) -> String {
    hex(&Md5::digest(body.as_bytes()))
}

/// The deduplication id of a message whose queue deduplicates by content.
pub(crate) fn body_sha256(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

/// The digest over all attributes in the order of their names, or `None` when there are none.
pub(crate) fn attributes_md5(attributes: &Attributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        let (mark, value) = attribute.value()?;
        add_sized(&mut digest, name.as_bytes());
        add_sized(&mut digest, attribute.data_type.as_bytes());
        digest.update([mark]);
        add_sized(&mut digest, &value);
    }
    Some(hex(&digest.finalize()))
}

fn add_sized(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_body_is_md5() {
        assert_eq!(body_md5("hello"), "5d41402abc4b2a76b9719d911017c592");
    }

    #[test]
    fn control_characters_are_not_valid_text() {
        assert!(is_valid_text("tab\t and \u{1f600}"));
        assert!(!is_valid_text("bell \x07"));
    }

    #[test]
    fn a_number_must_be_one() {
        let attribute = Attribute {
            data_type: "Number".to_owned(),
            string_value: Some("seven".to_owned()),
            binary_value: None,
        };
        assert!(check_attributes(&Attributes::from([("n".to_owned(), attribute)])).is_err());
    }
}
