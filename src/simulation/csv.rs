//! A comparison as CSV: a line for each run, with every measure there is.

use serde_json::{Map, Value};

use super::compare::Comparison;

/// Writes each run of each policy; the names of the measures are those of the JSON.
///
/// # Errors
/// None that is known: memory can be written to, and every run has the same measures.
pub fn csv(comparison: &Comparison) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut is_headed = false;
    for row in &comparison.rows {
        for (run, seed) in row.runs.iter().zip(&comparison.seeds) {
            let measures = measures(run);
            if !is_headed {
                let names = measures.iter().map(|(name, _)| name.as_str());
                writer.write_record(
                    ["workload", "policy", "found", "seed"]
                        .into_iter()
                        .chain(names),
                )?;
                is_headed = true;
            }
            let found = row.found.as_deref().unwrap_or_default();
            let start = [&comparison.workload, &row.policy, found, &seed.to_string()];
            let values = measures.iter().map(|(_, value)| value.as_str());
            writer.write_record(start.into_iter().chain(values))?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

fn measures(run: &impl serde::Serialize) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(Value::Object(measures)) = serde_json::to_value(run) {
        flatten("", &measures, &mut found);
    }
    found
}

/// What is within another measure has its name before its own.
fn flatten(before: &str, measures: &Map<String, Value>, found: &mut Vec<(String, String)>) {
    for (name, value) in measures {
        match value {
            Value::Object(inner) => flatten(&format!("{before}{name}_"), inner, found),
            Value::Null => found.push((format!("{before}{name}"), String::new())),
            Value::String(text) => found.push((format!("{before}{name}"), text.clone())),
            other => found.push((format!("{before}{name}"), other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{compare::Row, outcome::Outcome};

    #[test]
    fn each_run_is_a_line_and_each_measure_a_column() {
        let run = Outcome {
            sent_messages: 7,
            drain_seconds: None,
            ..Outcome::default()
        };
        let comparison = Comparison {
            workload: "a, \"b\"".to_owned(),
            target_wait_seconds: 300.0,
            seeds: vec![3, 4],
            rows: vec![Row {
                policy: "step".to_owned(),
                runs: vec![run.clone(), run],
                ..Row::default()
            }],
            lower_bound_pod_hours: 1.0,
            notes: Vec::new(),
        };
        let text = csv(&comparison).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let names = reader.headers().unwrap().clone();
        let place = |name| names.iter().position(|known| known == name).unwrap();
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 2);
        assert_eq!(&records[1][place("workload")], "a, \"b\"");
        assert_eq!(&records[1][place("seed")], "4");
        assert_eq!(&records[1][place("sent_messages")], "7");
        assert_eq!(&records[1][place("drain_seconds")], "");
        assert_eq!(&records[1][place("elasticity_jitter_per_hour")], "0.0");
    }
}
