//! Where logs go: to stderr, as text for people or JSON for machines. And where traces do.

use std::{
    error::Error,
    io::{self, IsTerminal},
    iter::successors,
};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, Layer, filter::ParseError, fmt, prelude::*, registry};

use crate::traces::Traces;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging what `filter` lets through (`info`, `sluice=debug`, ...), and tracing where the
/// environment says so.
///
/// # Errors
/// When `filter` cannot be understood.
pub fn start(format: LogFormat, filter: &str) -> Result<Traces, ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let traces = Traces::from_environment();
    registry()
        .with(traces.layer())
        .with(lines.with_filter(filter))
        .init();
    traces.announce();
    Ok(traces)
}

/// An error with all its causes, in one line.
pub fn chain(error: &dyn Error) -> String {
    let causes = successors(Some(error), |&error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
