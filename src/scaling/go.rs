//! How Go quotes text and reads numbers: what KEDA says of a wrong value is said by Go's `strconv` and
//! `encoding/json`. Knows nothing of what the values mean.

use std::fmt::Write;

/// `text` as Go's `%q` shows it.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from('"');
    text.chars()
        .for_each(|character| escape(&mut shown, character, '"'));
    shown.push('"');
    shown
}

/// A byte as the errors of Go's JSON show it: as the character with that number.
fn quoted_byte(byte: u8) -> String {
    let mut shown = String::from('\'');
    escape(&mut shown, char::from(byte), '\'');
    shown.push('\'');
    shown
}

fn escape(shown: &mut String, character: char, quote: char) {
    let short = match character {
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\\' => "\\\\",
        _ => "",
    };
    if !short.is_empty() {
        shown.push_str(short);
    } else if character == quote {
        shown.extend(['\\', character]);
    } else if is_printable(character) {
        shown.push(character);
    } else {
        escape_number(shown, u32::from(character));
    }
}

fn escape_number(shown: &mut String, number: u32) {
    let written = match number {
        ..0x80 => write!(shown, "\\x{number:02x}"),
        0x80..0x1_0000 => write!(shown, "\\u{number:04x}"),
        _ => write!(shown, "\\U{number:08x}"),
    };
    debug_assert!(written.is_ok(), "a String takes everything");
}

/// Whether Go prints a character as it is. Behind another one, Rust escapes just what Go does.
fn is_printable(character: char) -> bool {
    let quotes_alone = matches!(character, '"' | '\'');
    let behind_another = String::from_iter(['a', character]);
    quotes_alone || behind_another.escape_debug().count() == 2
}

/// Parses `text` as Go's `json.Unmarshal` does into an `int64`, with its words for what is wrong.
pub(super) fn json_integer(text: &str) -> Result<i64, String> {
    let value = json_value(text)?;
    let is_integer = value == JsonValue::Number && !text.contains(['.', 'e', 'E']);
    let number = if is_integer { text.parse().ok() } else { None };
    number.ok_or_else(|| {
        let found = match value {
            JsonValue::Number => format!("number {text}"),
            JsonValue::Other(kind) => kind.to_owned(),
        };
        format!("json: cannot unmarshal {found} into Go value of type int64")
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonValue {
    Number,
    Other(&'static str),
}

/// What kind of JSON value `text` is, or Go's words for why it is none. Inside of strings, arrays and
/// objects, which are refused anyway, the words are those of another parser.
fn json_value(text: &str) -> Result<JsonValue, String> {
    let literal = |literal, kind| json_literal(text, literal).map(|()| JsonValue::Other(kind));
    match text.bytes().next() {
        None => Err("unexpected end of JSON input".to_owned()),
        Some(b'-' | b'0'..=b'9') => json_number(text).map(|()| JsonValue::Number),
        Some(b't') => literal("true", "bool"),
        Some(b'f') => literal("false", "bool"),
        Some(b'n') => literal("null", "null"),
        Some(b'"') => json_composite(text, "string"),
        Some(b'[') => json_composite(text, "array"),
        Some(b'{') => json_composite(text, "object"),
        Some(other) => Err(invalid(other, "looking for beginning of value")),
    }
}

fn invalid(byte: u8, context: &str) -> String {
    format!("invalid character {} {context}", quoted_byte(byte))
}

/// The bytes of `text` and the white space by which Go finds out that a value has ended.
fn with_end(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().chain([b' '])
}

/// Only white space may follow a value.
fn json_end(rest: impl Iterator<Item = u8>) -> Result<(), String> {
    let mut rest = rest.filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    rest.next()
        .map_or(Ok(()), |byte| Err(invalid(byte, "after top-level value")))
}

fn json_literal(text: &str, literal: &str) -> Result<(), String> {
    let mut bytes = with_end(text);
    for expected in literal.bytes() {
        let found = bytes.next().unwrap_or(b' ');
        if found != expected {
            let expected = quoted_byte(expected);
            return Err(invalid(
                found,
                &format!("in literal {literal} (expecting {expected})"),
            ));
        }
    }
    json_end(bytes)
}

fn json_composite(text: &str, kind: &'static str) -> Result<JsonValue, String> {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(JsonValue::Other(kind)),
        Err(error) if error.is_eof() => Err("unexpected end of JSON input".to_owned()),
        Err(error) => Err(format!("invalid JSON: {error}")),
    }
}

/// Where in a number the scanner is.
#[derive(Clone, Copy)]
enum Place {
    Sign,
    Zero,
    Digits,
    Dot,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

fn json_number(text: &str) -> Result<(), String> {
    let mut place = match text.bytes().next() {
        Some(b'-') => Place::Sign,
        Some(b'0') => Place::Zero,
        _ => Place::Digits,
    };
    let mut bytes = with_end(text).skip(1);
    while let Some(byte) = bytes.next() {
        place = match (place, byte) {
            (Place::Sign, b'0') => Place::Zero,
            (Place::Sign | Place::Digits, b'0'..=b'9') => Place::Digits,
            (Place::Zero | Place::Digits, b'.') => Place::Dot,
            (Place::Dot | Place::Fraction, b'0'..=b'9') => Place::Fraction,
            (Place::Zero | Place::Digits | Place::Fraction, b'e' | b'E') => Place::Exponent,
            (Place::Exponent, b'+' | b'-') => Place::ExponentSign,
            (Place::Exponent | Place::ExponentSign | Place::ExponentDigits, b'0'..=b'9') => {
                Place::ExponentDigits
            }
            (Place::Sign, _) => return Err(invalid(byte, "in numeric literal")),
            (Place::Dot, _) => {
                return Err(invalid(byte, "after decimal point in numeric literal"));
            }
            (Place::Exponent | Place::ExponentSign, _) => {
                return Err(invalid(byte, "in exponent of numeric literal"));
            }
            _ => return json_end([byte].into_iter().chain(bytes)),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_quotes_it() {
        let cases = [
            ("a", r#""a""#),
            ("it's \"so\"", r#""it's \"so\"""#),
            ("\0\u{7f}\u{1b}\u{b}\n", r#""\x00\x7f\x1b\v\n""#),
            ("\u{85}\u{200b}\u{feff}", r#""\u0085\u200b\ufeff""#),
            ("\u{e0001}", r#""\U000e0001""#),
            ("e\u{301} é ٣ 😀", "\"e\u{301} é ٣ 😀\""),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn numbers_are_read_as_go_reads_json() {
        for (text, expected) in [
            ("5", 5),
            ("-1", -1),
            ("0", 0),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(json_integer(text), Ok(expected), "{text}");
        }
        for (text, kind) in [
            ("1.5", "number 1.5"),
            ("5.0", "number 5.0"),
            ("1e1", "number 1e1"),
            ("9223372036854775808", "number 9223372036854775808"),
            ("\"5\"", "string"),
            ("true", "bool"),
            ("null", "null"),
            ("[5]", "array"),
            ("{}", "object"),
        ] {
            let expected = format!("json: cannot unmarshal {kind} into Go value of type int64");
            assert_eq!(json_integer(text), Err(expected));
        }
    }

    #[test]
    fn what_is_no_json_is_said_as_go_says_it() {
        let cases = [
            ("a", "'a' looking for beginning of value"),
            ("+5", "'+' looking for beginning of value"),
            ("'5'", r"'\'' looking for beginning of value"),
            ("é", "'Ã' looking for beginning of value"),
            ("05", "'5' after top-level value"),
            ("5a", "'a' after top-level value"),
            ("5 6", "'6' after top-level value"),
            ("5\\", r"'\\' after top-level value"),
            ("-", "' ' in numeric literal"),
            ("-a", "'a' in numeric literal"),
            ("1.", "' ' after decimal point in numeric literal"),
            ("1.x", "'x' after decimal point in numeric literal"),
            ("1e", "' ' in exponent of numeric literal"),
            ("1ex", "'x' in exponent of numeric literal"),
            ("tru", "' ' in literal true (expecting 'e')"),
            ("truex", "'x' after top-level value"),
            ("nulL", "'L' in literal null (expecting 'l')"),
        ];
        for (text, cause) in cases {
            assert_eq!(
                json_integer(text),
                Err(format!("invalid character {cause}")),
                "{text}"
            );
        }
    }
}
