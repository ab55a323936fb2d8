//! The queue's name in a `queueURL`, by the rules that KEDA inherits from Go's `url.ParseRequestURI`.
//!
//! They differ from the WHATWG rules of the usual crates in ways that users can see: text that Go
//! cannot parse is taken for a bare queue name, and `scheme:opaque` is a URL without a path.

use std::net::Ipv6Addr;

/// A `queueURL` whose path is not `/<account>/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoQueueName;

/// The name that KEDA reads from `queue_url`: the last of exactly two path segments, or all of a
/// text that is no URL.
pub(super) fn queue_name(queue_url: &str) -> Result<String, NoQueueName> {
    let Some(path) = request_uri_path(queue_url) else {
        return Ok(queue_url.to_owned());
    };
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [_, _, name] if !name.is_empty() => Ok((*name).to_owned()),
        _ => Err(NoQueueName),
    }
}

/// The decoded path of a request URI, or `None` where Go's parser fails.
fn request_uri_path(text: &str) -> Option<String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return None;
    }
    if text == "*" {
        return Some(text.to_owned());
    }
    let (scheme, rest) = split_scheme(text)?;
    let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
    if !rest.starts_with('/') {
        // `scheme:opaque` has an empty path; without a scheme it is no request URI.
        return scheme.map(|_| String::new());
    }
    match (scheme, rest.strip_prefix("//")) {
        (Some(scheme), Some(after)) => {
            let (authority, path) = after.find('/').map_or((after, ""), |at| after.split_at(at));
            is_authority(scheme, authority).then(|| percent_decoded(path))?
        }
        _ => percent_decoded(rest),
    }
}

/// The scheme, if there is one, and what follows it. `None` for a text that starts with a colon.
fn split_scheme(text: &str) -> Option<(Option<&str>, &str)> {
    for (at, character) in text.char_indices() {
        match character {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' => {
                let (scheme, rest) = text.split_once(':')?;
                return (at > 0).then_some((Some(scheme), rest));
            }
            _ => return Some((None, text)),
        }
    }
    Some((None, text))
}

/// Whether Go takes this for `[userinfo@]host[:port]`.
fn is_authority(scheme: &str, authority: &str) -> bool {
    let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    is_userinfo(userinfo) && is_host(scheme, host)
}

fn is_userinfo(userinfo: &str) -> bool {
    let is_allowed = |character: char| {
        character.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(character)
    };
    userinfo.chars().all(is_allowed) && percent_decoded(userinfo).is_some()
}

fn is_host(scheme: &str, host: &str) -> bool {
    if let Some(at) = host.rfind('[') {
        return at == 0 && is_ip_literal(host.get(1..).unwrap_or_default());
    }
    // Other schemes may list several hosts, so that only the last colon starts a port.
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let port_at = if is_http {
        host.find(':')
    } else {
        host.rfind(':')
    };
    let (name, port) = host.split_at(port_at.unwrap_or(host.len()));
    is_optional_port(port) && is_host_name(name)
}

/// What follows a `[`: an IPv6 address, a zone after `%25` perhaps, `]` and perhaps a port.
fn is_ip_literal(text: &str) -> bool {
    let Some((literal, port)) = text.rsplit_once(']') else {
        return false;
    };
    let (address, zone) = match literal.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (literal, None),
    };
    let is_zone = |zone: &str| !zone.is_empty() && percent_decoded(zone).is_some();
    is_optional_port(port) && address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_zone)
}

/// Empty, or a colon and digits; `:` alone is allowed.
fn is_optional_port(port: &str) -> bool {
    port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Go decodes only escapes of non-ASCII bytes in a host and refuses a few ASCII characters.
fn is_host_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_plain = |byte: u8| {
        byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:]<>\"%".contains(&byte)
    };
    bytes.iter().all(|&byte| is_plain(byte))
        && bytes
            .iter()
            .enumerate()
            .filter(|&(_, &byte)| byte == b'%')
            .all(|(at, _)| {
                escaped_byte(bytes.get(at + 1..).unwrap_or_default())
                    .is_some_and(|byte| byte >= 0x80)
            })
}

/// The text with its `%XX` escapes decoded, or `None` for a broken escape.
fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            decoded.push(escaped_byte(after)?);
            rest = after.get(2..)?;
        } else {
            decoded.push(byte);
            rest = after;
        }
    }
    Some(String::from_utf8_lossy(&decoded).into_owned())
}

/// The byte that the two hexadecimal digits in front of `text` mean.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_keda_reads_them() {
        let cases = [
            (
                "https://sqs.eu-west-1.amazonaws.com/account_id/DeleteArtifactQ",
                "DeleteArtifactQ",
            ),
            ("https://h/123/orders.fifo", "orders.fifo"),
            ("my-queue", "my-queue"),
            ("/123/q", "q"),
            ("https://h/123/q?x=1", "q"),
            ("https://h//q", "q"),
            ("https://h/123%2Fq", "q"),
            ("https://h:4566/123/q", "q"),
            ("https://h:/123/q", "q"),
            ("https://user:word@h/123/q", "q"),
            ("https://[::1]:4566/123/q", "q"),
            ("https://[fe80::1%25en0]/123/q", "q"),
            ("amqp://one:two:3/123/q", "q"),
            ("https://h/123/q#part", "q#part"),
            // What Go cannot parse is a bare name, whatever it looks like.
            ("127.0.0.1:4566/000/q", "127.0.0.1:4566/000/q"),
            ("https://h:port/123/q", "https://h:port/123/q"),
            ("https://h/123/q%zz", "https://h/123/q%zz"),
            ("https://h/123/q%4", "https://h/123/q%4"),
            ("https://a b/123/q", "https://a b/123/q"),
            ("https://::1/123/q", "https://::1/123/q"),
            ("https://[]/123/q", "https://[]/123/q"),
            ("https://[1.2.3.4]/123/q", "https://[1.2.3.4]/123/q"),
            ("https://[fe80::1%en0]/123/q", "https://[fe80::1%en0]/123/q"),
            ("https://h[/123/q", "https://h[/123/q"),
            (":x", ":x"),
            ("a\tb", "a\tb"),
        ];
        for (url, name) in cases {
            assert_eq!(queue_name(url), Ok(name.to_owned()), "{url}");
        }
    }

    #[test]
    fn a_url_with_another_path_has_no_name() {
        let cases = [
            "https://sqs.eu-west-1.amazonaws.com/account_id",
            "https://sqs.eu-west-1.amazonaws.com",
            "https://h/123/",
            "https://h/123/q/",
            "https://h/",
            "arn:aws:sqs:eu-west-1:1:q",
            "localhost:4566/000/q",
            "/queue/us-east-1/000/q",
            "//h/123/q",
            "*",
        ];
        for url in cases {
            assert_eq!(queue_name(url), Err(NoQueueName), "{url}");
        }
    }
}
