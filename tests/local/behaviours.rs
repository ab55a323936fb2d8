//! The rows of `tests/foreign/behaviours.json` through the Rust SDK; `behaviours.py` runs them through boto3.
//!
//! Time is moved instead of waited for, and counts must be right at once.

mod messages;
mod observations;
mod queues;
mod row;
mod steps;

use row::Row;

const ROWS: &str = include_str!("../foreign/behaviours.json");
/// A table that lost its rows would pass; there were 98 when this was written.
const ROWS_MIN: usize = 90;

#[tokio::test]
async fn every_behaviour_of_the_table_is_what_the_rust_sdk_sees() {
    let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap();
    assert!(rows.len() >= ROWS_MIN, "only {} rows", rows.len());
    let mut failures = Vec::new();
    for row in &rows {
        if let Err(difference) = Box::pin(steps::run(row)).await {
            failures.push(format!("{}: {difference}", row.name));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} rows:\n{}",
        failures.len(),
        rows.len(),
        failures.join("\n")
    );
}
