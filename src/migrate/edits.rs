//! Changes of a text, each in its place: what they do not name stays as it is, byte for byte.

use std::ops::Range;

use crate::manifest::tree::{Entry, Node, Quote, Style, Value};

/// One change: these bytes become that text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    fn new(bytes: Range<usize>, text: String) -> Self {
        Self {
            start: bytes.start,
            end: bytes.end,
            text,
        }
    }

    /// Whether it is within these bytes.
    pub(super) fn is_within(&self, bytes: &Range<usize>) -> bool {
        bytes.start <= self.start && self.end <= bytes.end
    }
}

/// The text with all edits done. None when two of them get into each other's way.
pub(super) fn apply(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    edits.sort();
    // Two triggers that share what they are written with want the same thing.
    edits.dedup();
    let (mut done, mut rest_at) = (String::with_capacity(text.len()), 0);
    for edit in &edits {
        done.push_str(text.get(rest_at..edit.start)?);
        done.push_str(&edit.text);
        rest_at = edit.end;
    }
    // Two insertions in one place would have to be ordered, and nothing says how.
    let mut pairs = edits.windows(2);
    if pairs.any(|pair| matches!(pair, [one, next] if one.start == next.start)) {
        return None;
    }
    done.push_str(text.get(rest_at..)?);
    Some(done)
}

/// Gives a scalar another text in the quotes it has. None when it is not written as it reads: escapes
/// could not be told when it is changed back.
pub(super) fn replace(text: &str, scalar: &Node, with: &str) -> Option<Edit> {
    let written = text.get(scalar.bytes.clone())?;
    let (is_plain, quote) = match quote_of(scalar)? {
        Quote::None => (true, ""),
        Quote::Single => (false, "'"),
        Quote::Double => (false, "\""),
        Quote::Block => return None,
    };
    let reads = scalar.text()?;
    let is_as_it_reads = if is_plain {
        written == reads
    } else {
        written.strip_prefix(quote)?.strip_suffix(quote)? == reads
    };
    is_as_it_reads.then(|| Edit::new(scalar.bytes.clone(), format!("{quote}{with}{quote}")))
}

fn quote_of(node: &Node) -> Option<Quote> {
    match node.value {
        Value::Scalar { quote, .. } => Some(quote),
        _ => None,
    }
}

/// Puts entries before the first one of a mapping. None when that does not stand alone in its line.
pub(super) fn insert(
    text: &str,
    (first, style): (&Entry, Style),
    entries: &[(&str, &str)],
) -> Option<Edit> {
    let at = first.key.bytes.start;
    let quote = match quote_of(&first.key)? {
        Quote::Double => "\"",
        _ => "",
    };
    let written = |(key, value): &(&str, &str)| match quote {
        "" => format!("{key}: {value}"),
        quote => format!("{quote}{key}{quote}: {quote}{value}{quote}"),
    };
    if style == Style::Flow {
        let entries = entries.iter().map(|entry| written(entry) + ", ");
        return Some(Edit::new(at..at, entries.collect()));
    }
    let indent = text.get(line_start(text, at)..at)?;
    if !indent.bytes().all(|byte| byte == b' ') {
        return None;
    }
    // Comments above the first entry belong to it.
    let mut line = line_start(text, at);
    while let Some(above) = line_above(text, line).filter(|above| is_blank(above)) {
        line -= above.len();
    }
    let end = line_above(text, line).map_or("\n", line_end);
    let lines = entries
        .iter()
        .map(|entry| format!("{indent}{}{end}", written(entry)));
    Some(Edit::new(line..line, lines.collect()))
}

/// Takes the entry with this number out of a mapping, with its line where nothing else is on it. None
/// where something else would go with it.
pub(super) fn remove(
    text: &str,
    (entries, style): (&[Entry], Style),
    number: usize,
) -> Option<Edit> {
    let entry = entries.get(number)?;
    if entry.value.anchor.is_some() || entry.key.anchor.is_some() {
        return None;
    }
    let bytes = entry.key.bytes.start..entry.value.bytes.end;
    let bytes = match style {
        Style::Flow => {
            let before = number.checked_sub(1).and_then(|number| entries.get(number));
            match (entries.get(number + 1), before) {
                (Some(next), _) => bytes.start..next.key.bytes.start,
                (None, Some(before)) => before.value.bytes.end..bytes.end,
                (None, None) => return None,
            }
        }
        Style::Block => whole_lines(text, bytes)?,
    };
    let has_comment = text.get(bytes.clone())?.contains('#');
    (!has_comment).then(|| Edit::new(bytes, String::new()))
}

/// The lines of what begins one, with their end, unless a comment follows.
fn whole_lines(text: &str, bytes: Range<usize>) -> Option<Range<usize>> {
    let start = line_start(text, bytes.start);
    if !text
        .get(start..bytes.start)?
        .bytes()
        .all(|byte| byte == b' ')
    {
        return None;
    }
    let rest = text.get(bytes.end..)?;
    let rest = rest.split_inclusive('\n').next().unwrap_or("");
    if rest.trim().is_empty() {
        return Some(start..bytes.end + rest.len());
    }
    rest.trim_start().starts_with('#').then_some(bytes)
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |end| end + 1)
}

/// The line before the one that starts here, with its end.
fn line_above(text: &str, line: usize) -> Option<&str> {
    let before = text.get(..line)?;
    before.split_inclusive('\n').next_back()
}

fn line_end(line: &str) -> &'static str {
    if line.ends_with("\r\n") { "\r\n" } else { "\n" }
}

/// Whether there is nothing in a line but perhaps a comment.
fn is_blank(line: &str) -> bool {
    matches!(line.trim_start().chars().next(), None | Some('#'))
}
