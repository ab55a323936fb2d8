//! What cannot be used of what was typed: each fault is one line that names the variable, what is allowed, and what was
//! found.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use super::former::Typed;

/// One setting that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{variable}: expected {wanted}, found {found}")]
pub struct Fault {
    variable: &'static str,
    wanted: String,
    found: String,
}

/// Every setting that cannot be used, one line each.
#[derive(Debug, Default, Error, PartialEq, Eq)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The settings, if nothing is wrong with them.
    pub(super) fn or<T>(self, settings: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(settings)
        } else {
            Err(self)
        }
    }

    /// By its URL or, where only that is known, by its name.
    pub(super) fn queue(&mut self, url: Option<&str>, name: Option<Typed<'_>>) -> String {
        match (url, name) {
            (None, Some((variable, name))) => self.queue_name(variable, name),
            (url, _) => self.queue_url(url),
        }
    }

    pub(super) fn add(&mut self, variable: &'static str, wanted: &str, found: &str) {
        let (wanted, found) = (wanted.to_owned(), found.to_owned());
        self.0.push(Fault {
            variable,
            wanted,
            found,
        });
    }

    /// The number, or after a fault the least one allowed, which is never used.
    pub(super) fn number<T>(
        &mut self,
        variable: &'static str,
        typed: &str,
        range: RangeInclusive<T>,
    ) -> T
    where
        T: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        let (min, max) = (*range.start(), *range.end());
        match typed.parse() {
            Ok(number) if range.contains(&number) => number,
            Ok(_) | Err(_) => {
                let wanted = format!("a whole number from {min} to {max}");
                self.add(variable, &wanted, &format!("{typed:?}"));
                min
            }
        }
    }

    pub(super) fn seconds(&mut self, variable: &'static str, typed: &str, max: u64) -> Duration {
        Duration::from_secs(self.number(variable, typed, 0..=max))
    }

    /// One of these words, or after a fault the first, which is never used.
    pub(super) fn one_of<const COUNT: usize>(
        &mut self,
        variable: &'static str,
        typed: &str,
        words: [&'static str; COUNT],
    ) -> &'static str {
        if let Some(word) = words.into_iter().find(|word| *word == typed) {
            return word;
        }
        let wanted = format!("one of {}", words.join(", "));
        self.add(variable, &wanted, &format!("{typed:?}"));
        words.first().copied().unwrap_or_default()
    }

    pub(super) fn http_url(&mut self, variable: &'static str, typed: &str) {
        let uri: Option<Uri> = typed.parse().ok();
        let is_http =
            |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        if !uri.as_ref().is_some_and(is_http) {
            let wanted = "an http or https URL with a host";
            self.add(variable, wanted, &format!("{typed:?}"));
        }
    }

    /// A name as Kubernetes has them, which can stand in a path.
    pub(super) fn kubernetes_name(&mut self, variable: &'static str, typed: &str) {
        let is_letter = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter)
        };
        if !(1..=253).contains(&typed.len()) || !typed.chars().all(is_letter) {
            let wanted = "a name of Kubernetes: a-z, 0-9, - and .";
            self.add(variable, wanted, &format!("{typed:?}"));
        }
    }

    fn queue_url(&mut self, typed: Option<&str>) -> String {
        let typed = typed.unwrap_or_default();
        if !is_queue_url(typed) {
            let wanted =
                "the URL of a queue, as https://sqs.<region>.amazonaws.com/<account>/<name>";
            let found = if typed.is_empty() {
                "nothing".to_owned()
            } else {
                format!("{typed:?}")
            };
            self.add("SQS_QUEUE_URL", wanted, &found);
        }
        typed.to_owned()
    }

    fn queue_name(&mut self, variable: &'static str, typed: &str) -> String {
        let letters = typed.strip_suffix(".fifo").unwrap_or(typed);
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if !(1..=80).contains(&typed.len()) || !letters.chars().all(is_letter) {
            let wanted = "the name of a queue: 1 to 80 letters, digits, - and _";
            self.add(variable, wanted, &format!("{typed:?}"));
        }
        typed.to_owned()
    }

    pub(super) fn log_filter(&mut self, typed: String) -> String {
        if EnvFilter::try_new(&typed).is_err() {
            let wanted = "a level or filter directives such as info,sluice_worker=debug";
            self.add("RUST_LOG", wanted, &format!("{typed:?}"));
        }
        typed
    }
}

/// A scheme, a host, and a last path segment that is the queue's name.
fn is_queue_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.and_then(|rest| rest.split_once('/'))
        .is_some_and(|(host, path)| {
            !host.is_empty()
                && !path.is_empty()
                && !path.ends_with('/')
                && !text.contains(char::is_whitespace)
        })
}
