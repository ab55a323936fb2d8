//! What all batch requests share: the rules for their entries, and an answer an entry.

use std::collections::HashSet;

use serde::Serialize;

use super::SqsError;

/// SQS takes this many entries in one batch.
const ENTRIES_MAX: usize = 10;
const ID_LENGTH_MAX: usize = 80;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchAnswer<S> {
    successful: Vec<S>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedEntry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FailedEntry {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

/// An entry that is done, when there is nothing to say but its id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DoneEntry {
    pub(super) id: String,
}

impl FailedEntry {
    pub(crate) fn new(id: String, error: &SqsError) -> Self {
        Self {
            id,
            sender_fault: error.is_senders_fault(),
            code: error.shape().query_code,
            message: error.to_string(),
        }
    }
}

/// Does each entry on its own; one that fails does not keep the others from succeeding.
pub(super) fn answer_each<E, S>(
    entries: Vec<(String, E)>,
    mut entry_answer: impl FnMut(String, E) -> Result<S, SqsError>,
) -> BatchAnswer<S> {
    let mut answer = BatchAnswer {
        successful: Vec::new(),
        failed: Vec::new(),
    };
    for (id, entry) in entries {
        match entry_answer(id.clone(), entry) {
            Ok(done) => answer.successful.push(done),
            Err(error) => answer.failed.push(FailedEntry::new(id, &error)),
        }
    }
    answer
}

/// Refuses a whole batch for the number or the ids of its entries.
pub(super) fn check_ids<'a>(
    kind: &'static str,
    ids: impl ExactSizeIterator<Item = &'a String>,
) -> Result<(), SqsError> {
    match ids.len() {
        0 => return Err(SqsError::EmptyBatchRequest(kind)),
        1..=ENTRIES_MAX => {}
        more => return Err(SqsError::TooManyEntriesInBatchRequest(more)),
    }
    let mut seen = HashSet::new();
    for id in ids {
        let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if id.is_empty() || id.len() > ID_LENGTH_MAX || !id.chars().all(is_fit) {
            return Err(SqsError::InvalidBatchEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::BatchEntryIdsNotDistinct(id.clone()));
        }
    }
    Ok(())
}
