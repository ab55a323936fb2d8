//! What the local SQS and CloudWatch read.

#[path = "../../../src/local/cloudwatch/cbor.rs"]
mod cbor;
#[path = "../../../src/local/queue/mod.rs"]
pub mod queue;

/// Reads CBOR, writes what was read, and reads it again.
pub fn there_and_back(bytes: &[u8]) -> Option<(serde_json::Value, serde_json::Value)> {
    let read = cbor::to_json(bytes).ok()?;
    let again = cbor::to_json(&cbor::from_json(&read)).expect("what was written can be read");
    Some((read, again))
}
