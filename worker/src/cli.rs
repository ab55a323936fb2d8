//! What is typed, as flags or environment variables, and how it is checked. It touches nothing.

pub mod analyze;
pub mod cluster;
mod faults;
pub mod former;
pub mod handler;
mod listen;
mod log;
pub mod produce;
pub mod redrive;
mod run;
pub mod send;

use clap::{Parser, Subcommand};

use self::analyze::AnalyzeArguments;
pub use self::faults::{Fault, Faults};
use self::produce::ProduceArguments;
use self::redrive::RedriveArguments;
pub use self::run::Arguments;
use self::send::SendArguments;

/// What is typed.
#[derive(Debug, Parser)]
#[command(name = "sluice-worker", version, args_override_self = true)]
pub struct CommandLine {
    #[command(subcommand)]
    mode: Option<Mode>,

    #[command(flatten)]
    run: Arguments,
}

/// What the worker does; without one it runs.
#[derive(Debug, Subcommand)]
pub enum Mode {
    /// Consumes until it is told to stop
    Run(Box<Arguments>),
    /// Handles one message and ends with exit code 0, also when none comes within 30 seconds (for a ScaledJob)
    Once(Box<Arguments>),
    /// Sends messages, and prints how many
    Produce(Box<ProduceArguments>),
    /// Moves the messages of a dead-letter queue back to where they came from, and prints how far it is
    Redrive(Box<RedriveArguments>),
    /// Keeps the results that workers report, and tells them over HTTP
    Analyze(Box<AnalyzeArguments>),
    /// Serves a page that sends messages and shows how many wait and which pods work on them
    Send(Box<SendArguments>),
}

impl CommandLine {
    pub fn mode(self) -> Mode {
        self.mode.unwrap_or_else(|| Mode::Run(Box::new(self.run)))
    }
}

#[cfg(test)]
mod tests;
