//! Prints each message on standard output, one line each.

use std::io::{self, Write as _};
use std::sync::Arc;

use super::{Handler, HandlerError};
use crate::message::Message;

/// Characters of a body that are shown; the rest of a line stays readable.
const BODY_CHARACTERS_MAX: usize = 200;

/// Writes `message_id=... receive_count=... body=...`.
#[derive(Debug, Clone, Copy)]
pub struct Print;

impl Handler for Print {
    async fn handle(&self, message: Arc<Message>) -> Result<(), HandlerError> {
        let line = line(&message);
        // A reader that does not read blocks the write; heartbeats and the drain go on meanwhile.
        let written = tokio::task::spawn_blocking(move || writeln!(io::stdout().lock(), "{line}"));
        Ok(written.await??)
    }
}

fn line(message: &Message) -> String {
    let count = message
        .receive_count
        .map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    format!(
        "message_id={} receive_count={count} body={}",
        message.id,
        printable(&message.body)
    )
}

/// The beginning of a text on one line, without anything a terminal would act upon.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(BODY_CHARACTERS_MAX) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(BODY_CHARACTERS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_shown_as_it_is() {
        assert_eq!(
            printable(r#"{"messageNumber":"1","city":"Köln"}"#),
            r#"{"messageNumber":"1","city":"Köln"}"#
        );
    }

    #[test]
    fn a_body_cannot_break_the_line_or_command_the_terminal() {
        let hostile = "a\nb\r\u{1b}[2J\u{2028}\u{202e}";
        assert_eq!(printable(hostile), r"a\nb\r\u{1b}[2J\u{2028}\u{202e}");
    }

    #[test]
    fn a_long_body_is_cut_and_says_so() {
        assert_eq!(printable(&"ü".repeat(200)), "ü".repeat(200));
        assert_eq!(
            printable(&"ü".repeat(201)),
            format!("{}...", "ü".repeat(200))
        );
    }

    #[test]
    fn the_line_says_how_often_the_message_was_given_out() {
        let message = Message {
            receive_count: Some(2),
            ..Message::new("m-1", "hello")
        };
        assert_eq!(line(&message), "message_id=m-1 receive_count=2 body=hello");
        let unknown = Message {
            receive_count: None,
            ..message
        };
        assert_eq!(
            line(&unknown),
            "message_id=m-1 receive_count=unknown body=hello"
        );
    }
}
