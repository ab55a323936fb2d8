//! Manifests as text: the objects of KEDA in them and their triggers, each with its place. It reads no
//! file and knows nothing of what becomes of them.

pub(crate) mod objects;
mod sqs_triggers;
pub(crate) mod tree;

use std::fmt;

pub use self::sqs_triggers::{SqsTrigger, sqs_triggers};
use self::tree::{Documents, NoYaml};

/// A manifest is a few kilobytes; what is larger than this is none.
pub const FILE_BYTES_MAX: usize = 8 * 1_048_576;

/// Where something stands, from 1, as editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl Place {
    /// Where a file begins.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with a manifest, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{place}: {fault}")]
pub struct ManifestError {
    file: String,
    place: Place,
    fault: String,
}

impl ManifestError {
    pub(crate) fn at(file: &str, place: Place, fault: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place,
            fault: fault.into(),
        }
    }
}

/// Reads the documents of a file, whose name is for errors.
pub(crate) fn parse(file: &str, text: &str) -> Result<Documents, ManifestError> {
    if text.len() > FILE_BYTES_MAX {
        let fault = format!(
            "expected at most {FILE_BYTES_MAX} bytes, found {}",
            text.len()
        );
        return Err(ManifestError::at(file, Place::START, fault));
    }
    tree::parse(text).map_err(|NoYaml { place, fault }| {
        let hint = if text.contains("{{") {
            "; it looks like a template: render it first, as with `helm template`"
        } else {
            ""
        };
        ManifestError::at(file, place, format!("no YAML: {fault}{hint}"))
    })
}
