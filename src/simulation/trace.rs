//! Arrivals from a file of `minute,messages`: the messages that arrive between a row's minute and the
//! next row's. It reads text, not files.

use std::time::Duration;

use super::{
    arrivals::Segment,
    numbers::{count, real},
};

/// More rows than the minutes of ten years are not a trace.
const ROWS_MAX: usize = 5_300_000;

/// The only header there is.
const HEADER: &str = "minute,messages";

/// A trace that cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: expected {wanted}, found {found:?}")]
pub struct TraceError {
    file: String,
    /// From 1, as editors count.
    line: usize,
    column: usize,
    wanted: &'static str,
    found: String,
}

/// Reads a trace, each of its numbers of messages times `scale`. `file` is for errors.
///
/// # Errors
/// For a header that is not `minute,messages`, a row that is not two whole numbers, minutes that do
/// not rise, and fewer than two rows.
pub fn parse(file: &str, text: &str, scale: f64) -> Result<Vec<Segment>, TraceError> {
    let error = |line, column, wanted, found: &str| TraceError {
        file: file.to_owned(),
        line,
        column,
        wanted,
        found: found.to_owned(),
    };
    let mut lines = text
        .lines()
        .zip(1..)
        .map(|(line, number)| (number, line.trim_end()));
    match lines.next() {
        Some((_, HEADER)) => {}
        other => {
            let found = other.map_or("", |(_, line)| line);
            return Err(error(1, 1, "the header minute,messages", found));
        }
    }
    let mut rows: Vec<(u64, u64)> = Vec::new();
    for (line, row) in lines.filter(|(_, row)| !row.is_empty()) {
        let (minute, messages) = row
            .split_once(',')
            .ok_or_else(|| error(line, 1, "a minute, a comma and messages", row))?;
        let minute: u64 = minute
            .parse()
            .map_err(|_| error(line, 1, "a whole number of minutes", minute))?;
        let column = row.len() - messages.len() + 1;
        let messages: u64 = messages
            .parse()
            .map_err(|_| error(line, column, "a whole number of messages", messages))?;
        if rows.last().is_some_and(|(last, _)| minute <= *last) {
            return Err(error(line, 1, "a later minute than in the row before", row));
        }
        if rows.len() >= ROWS_MAX {
            return Err(error(line, 1, "an end after ten years of minutes", row));
        }
        rows.push((minute, messages));
    }
    let wanted = "at least two rows";
    segments(&rows, scale).ok_or_else(|| error(rows.len() + 1, 1, wanted, ""))
}

/// The last row lasts as long as the one before it. What a scaled row has of a message too few, the
/// next one has too many.
fn segments(rows: &[(u64, u64)], scale: f64) -> Option<Vec<Segment>> {
    let [.., (before, _), (last, _)] = rows else {
        return None;
    };
    let ends = rows.iter().skip(1).map(|(minute, _)| *minute);
    let ends = ends.chain([last.saturating_add(last - before)]);
    let (mut exact, mut sent) = (0.0, 0);
    let segments = rows.iter().zip(ends).map(|(&(minute, messages), end)| {
        exact += real(messages) * scale;
        let messages = count(exact).saturating_sub(sent);
        sent += messages;
        Segment {
            from: Duration::from_secs(minute.saturating_mul(60)),
            until: Duration::from_secs(end.saturating_mul(60)),
            messages,
        }
    });
    Some(segments.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_error(text: &str) -> String {
        parse("load.csv", text, 1.0).unwrap_err().to_string()
    }

    #[test]
    fn a_row_lasts_until_the_next_and_the_last_as_long_as_the_one_before() {
        let segments = parse("load.csv", "minute,messages\n0,94\n5,56\n", 1.0).unwrap();
        let at = Duration::from_mins;
        let expected = [
            Segment {
                from: at(0),
                until: at(5),
                messages: 94,
            },
            Segment {
                from: at(5),
                until: at(10),
                messages: 56,
            },
        ];
        assert_eq!(segments, expected);
    }

    #[test]
    fn a_scale_keeps_the_sum() {
        let rows: Vec<String> = (0..60).map(|minute| format!("{minute},1")).collect();
        let text = format!("minute,messages\n{}\n", rows.join("\n"));
        let segments = parse("load.csv", &text, 0.1).unwrap();
        assert_eq!(
            segments.iter().map(|segment| segment.messages).sum::<u64>(),
            6
        );
    }

    #[test]
    fn a_last_row_that_would_end_after_the_end_of_time_ends_there() {
        let text = format!("minute,messages\n0,1\n{},2\n", u64::MAX);
        let segments = parse("load.csv", &text, 1.0).unwrap();
        assert_eq!(segments.len(), 2);
    }

    #[test]
    fn an_error_names_file_line_and_column() {
        assert_eq!(
            given_error("minute,messages\n0,94\n5,many\n"),
            "load.csv:3:3: expected a whole number of messages, found \"many\""
        );
        assert_eq!(
            given_error("minute,messages\n0,94\n0,5\n"),
            "load.csv:3:1: expected a later minute than in the row before, found \"0,5\""
        );
        for wrong in [
            "",
            "time,count\n0,1\n1,1\n",
            "minute,messages\n0,1\n",
            "minute,messages\n1;2\n",
        ] {
            assert!(given_error(wrong).starts_with("load.csv:"), "{wrong:?}");
        }
    }
}
