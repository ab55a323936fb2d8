//! What is typed about the handler, and how it is checked.

use clap::Args;

use super::Faults;
use super::former::Typed;
use crate::handlers::{Place, Takes};
use crate::settings::HandlerSettings;

/// An answer that takes longer than this belongs into a queue of its own.
const HTTP_TIMEOUT_SECONDS_MAX: u64 = 3_600;

/// What the handlers are called.
const HANDLERS: [&str; 5] = ["print", "command", "http", "s3", "sleep"];

#[derive(Debug, Args)]
pub struct HandlerArguments {
    /// What is done with a message: it is printed on standard output (print), given to a program (command), posted to a
    /// URL (http), stored in S3 (s3), or only slept over (sleep) [default: print]
    #[arg(long, env = "SLUICE_WORKER_HANDLER", value_name = "HANDLER")]
    handler: Option<String>,

    /// Program of the handler `command`: words, or a JSON array of strings. No shell is between
    #[arg(long, env = "SLUICE_WORKER_COMMAND", value_name = "PROGRAM")]
    command: Option<String>,

    /// What one run of the program takes: message or batch
    #[arg(
        long,
        env = "SLUICE_WORKER_COMMAND_TAKES",
        value_name = "WHAT",
        default_value = "message"
    )]
    command_takes: String,

    /// URL of the handler `http`; a 2xx answer is done, redirects are not followed
    #[arg(long, env = "SLUICE_WORKER_HTTP_URL", value_name = "URL")]
    http_url: Option<String>,

    /// Seconds that an answer to the handler `http` may take, 1 to 3600
    #[arg(
        long,
        env = "SLUICE_WORKER_HTTP_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value = "30"
    )]
    http_timeout_seconds: String,

    /// Bucket of the handler `s3`
    #[arg(long, env = "STORE_EVENTS_BKT", value_name = "BUCKET")]
    store_events_bkt: Option<String>,

    /// What the keys of the handler `s3` begin with
    #[arg(
        long,
        env = "S3_PREFIX",
        value_name = "PREFIX",
        default_value = "store_events"
    )]
    s3_prefix: String,

    /// Another S3 than that of the region
    #[arg(long, env = "AWS_ENDPOINT_URL_S3", value_name = "URL")]
    s3_endpoint_url: Option<String>,
}

impl HandlerArguments {
    /// `count_url` is where another worker posted what was done.
    pub(super) fn check(
        &self,
        count_url: Option<Typed<'_>>,
        faults: &mut Faults,
    ) -> HandlerSettings {
        let timeout = faults.number(
            "SLUICE_WORKER_HTTP_TIMEOUT_SECONDS",
            &self.http_timeout_seconds,
            1..=HTTP_TIMEOUT_SECONDS_MAX,
        );
        let takes = self.takes(faults);
        match self.name(count_url, faults) {
            "command" => self.command(takes, faults),
            "http" => HandlerSettings::Http {
                url: self.http_url(count_url, faults),
                timeout: std::time::Duration::from_secs(timeout),
            },
            "s3" => HandlerSettings::S3(self.place(faults)),
            "sleep" => HandlerSettings::Sleep,
            _ => HandlerSettings::Print,
        }
    }

    /// Untold, what else is told says it: the workers that these variables are from had one handler each.
    fn name(&self, count_url: Option<Typed<'_>>, faults: &mut Faults) -> &'static str {
        match (&self.handler, count_url, &self.store_events_bkt) {
            (Some(handler), ..) => faults.one_of("SLUICE_WORKER_HANDLER", handler, HANDLERS),
            (None, Some(_), _) => "http",
            (None, None, Some(_)) => "s3",
            (None, None, None) => "print",
        }
    }

    fn takes(&self, faults: &mut Faults) -> Takes {
        let (variable, words) = ("SLUICE_WORKER_COMMAND_TAKES", ["message", "batch"]);
        match faults.one_of(variable, &self.command_takes, words) {
            "batch" => Takes::Batch,
            _ => Takes::Message,
        }
    }

    fn command(&self, takes: Takes, faults: &mut Faults) -> HandlerSettings {
        let typed = self.command.as_deref().unwrap_or_default();
        let mut words = words(typed).into_iter();
        let program = words.next().unwrap_or_default();
        if program.is_empty() {
            let wanted = "a program, as \"encode --fast\" or [\"encode\", \"--fast\"]";
            faults.add("SLUICE_WORKER_COMMAND", wanted, &format!("{typed:?}"));
        }
        HandlerSettings::Command {
            program,
            arguments: words.collect(),
            takes,
        }
    }

    fn http_url(&self, count_url: Option<Typed<'_>>, faults: &mut Faults) -> String {
        let own = self.http_url.as_deref();
        let own = own.map(|url| ("SLUICE_WORKER_HTTP_URL", url));
        let (variable, url) = own.or(count_url).unwrap_or(("SLUICE_WORKER_HTTP_URL", ""));
        faults.http_url(variable, url);
        url.to_owned()
    }

    fn place(&self, faults: &mut Faults) -> Place {
        let bucket = self.store_events_bkt.clone().unwrap_or_default();
        let is_letter = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || ".-".contains(letter)
        };
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_letter) {
            let wanted = "the name of a bucket: 3 to 63 of a-z, 0-9, . and -";
            faults.add("STORE_EVENTS_BKT", wanted, &format!("{bucket:?}"));
        }
        let endpoint = self.s3_endpoint_url.clone();
        let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty());
        if let Some(url) = &endpoint {
            faults.http_url("AWS_ENDPOINT_URL_S3", url);
        }
        Place {
            bucket,
            prefix: self.s3_prefix.clone(),
            endpoint,
        }
    }
}

/// Words between spaces, or the strings of a JSON array, which may hold spaces themselves.
fn words(typed: &str) -> Vec<String> {
    if typed.trim_start().starts_with('[') {
        return serde_json::from_str::<Vec<serde_json::Value>>(typed)
            .ok()
            .and_then(|words| {
                let words = words.into_iter();
                words
                    .map(|word| word.as_str().map(ToOwned::to_owned))
                    .collect()
            })
            .unwrap_or_default();
    }
    typed.split_whitespace().map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_words_or_a_json_array() {
        assert_eq!(words(" encode  --fast "), ["encode", "--fast"]);
        assert_eq!(words(r#"["sh", "-c", "exit 3"]"#), ["sh", "-c", "exit 3"]);
        assert_eq!(words(r#"["sh", 3]"#), Vec::<String>::new());
    }
}
