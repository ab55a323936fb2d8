//! Where logs go: to stderr, as text for people or JSON for machines.

use std::{
    error::Error,
    io::{self, IsTerminal},
    iter::successors,
};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, filter::ParseError};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging what `filter` lets through (`info`, `sluice=debug`, ...).
///
/// # Errors
/// When `filter` cannot be understood.
pub fn start(format: LogFormat, filter: &str) -> Result<(), ParseError> {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

/// An error with all its causes, in one line.
pub fn chain(error: &dyn Error) -> String {
    let causes = successors(Some(error), |&error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
