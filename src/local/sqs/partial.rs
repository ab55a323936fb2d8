//! The fault of a batch that succeeds in part: every second entry fails, the others are really done.

use serde_json::{Map, Value, json};

use super::{SqsError, batch::FailedEntry};
use crate::local::server::App;

/// The status that a failed entry would have had as a request of its own.
const ENTRY_STATUS: u16 = 500;

/// Answers a batch with its first, third, ... entry failed; other operations as they are.
pub(crate) async fn answer(
    app: &App,
    operation: &str,
    host: &str,
    body: &[u8],
) -> Result<Vec<u8>, SqsError> {
    let mut request: Map<String, Value> = super::decode(body)?;
    let Some(Value::Array(entries)) = request.get_mut("Entries") else {
        return super::answer(app, operation, host, body).await;
    };
    let (failing, kept) = split(std::mem::take(entries));
    let is_any_kept = !kept.is_empty();
    *entries = kept;
    let mut answer: Map<String, Value> = if is_any_kept {
        let body = super::encode(&request)?;
        super::decode(&super::answer(app, operation, host, &body).await?)?
    } else {
        Map::from_iter([("Successful".to_owned(), json!([]))])
    };
    add_failed(&mut answer, &failing);
    super::encode(&answer)
}

fn split(entries: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let (failing, kept): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .enumerate()
        .partition(|(index, _)| index % 2 == 0);
    let values =
        |entries: Vec<(usize, Value)>| entries.into_iter().map(|(_, entry)| entry).collect();
    (values(failing), values(kept))
}

fn add_failed(answer: &mut Map<String, Value>, failing: &[Value]) {
    let failed = failing.iter().map(|entry| {
        let id = entry.get("Id").and_then(Value::as_str).unwrap_or_default();
        json!(FailedEntry::new(
            id.to_owned(),
            &SqsError::Failure(ENTRY_STATUS)
        ))
    });
    match answer.get_mut("Failed") {
        Some(Value::Array(list)) => list.extend(failed),
        _ => {
            answer.insert("Failed".to_owned(), failed.collect());
        }
    }
}
