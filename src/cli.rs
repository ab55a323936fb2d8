//! What is typed -> checked, typed settings. Touches nothing.

mod access;
mod cloudwatch;
mod demo;
mod doctor;
mod explain;
mod history;
mod local;
mod migrate;
mod serve;
mod simulate;
mod tls;

use std::{ops::RangeInclusive, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::telemetry::LogFormat;

pub use {
    access::AccessArgs,
    cloudwatch::{CloudWatchArgs, CloudWatchSwitch, Switch},
    demo::DemoArgs,
    doctor::DoctorArgs,
    explain::{ExplainArgs, RampArgs},
    history::HistoryArgs,
    local::LocalArgs,
    migrate::MigrateArgs,
    serve::ServeArgs,
    simulate::{Form, SimulateArgs},
    tls::{TlsArgs, UnsecuredAddress},
};

/// Scales Kubernetes workers to their Amazon SQS queues: a KEDA external scaler.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub log: LogArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer KEDA.
    Serve(Box<ServeArgs>),
    /// Show scaling at work on this machine: no cluster, no account, about a minute.
    Demo(DemoArgs),
    /// Compare scaling policies on a workload or a trace in virtual time, before production does.
    Simulate(Box<SimulateArgs>),
    /// Say what is decided and why, or what a cluster needs for a wanted ramp.
    Explain(ExplainArgs),
    /// Look at what scaling depends on: what is wrong, and what to do.
    Doctor(DoctorArgs),
    /// Rewrite manifests from KEDA's aws-sqs-queue to Sluice, and back.
    Migrate(MigrateArgs),
    /// Run a local SQS for development.
    Local(LocalArgs),
}

/// How to log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// How a line of the log looks.
    #[arg(
        long,
        env = "SLUICE_LOG_FORMAT",
        value_enum,
        default_value = "text",
        global = true
    )]
    pub log_format: LogFormat,
    /// What is logged: a level, or `target=level` pairs with commas between [default: info, and
    /// warn for the demo].
    #[arg(long, env = "SLUICE_LOG", global = true, display_order = 101)]
    pub log: Option<String>,
}

impl Cli {
    /// What to log: as asked, or little where people watch something else.
    pub fn log_filter(&self) -> &str {
        let default = if matches!(self.command, Command::Demo(_)) {
            "warn"
        } else {
            "info"
        };
        self.log.log.as_deref().unwrap_or(default)
    }
}

/// A parser of seconds within `range`, such as `5` or `0.5`.
fn seconds(
    range: RangeInclusive<f64>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync {
    move |text| {
        let wanted = || format!("expected seconds from {} to {}", range.start(), range.end());
        let seconds = text.parse::<f64>().map_err(|_| wanted())?;
        if !range.contains(&seconds) {
            return Err(wanted());
        }
        Duration::try_from_secs_f64(seconds).map_err(|_| wanted())
    }
}

/// What `serve` is told, for tests.
#[cfg(test)]
fn given_serve(arguments: &[&str]) -> Result<ServeArgs, String> {
    let line = ["sluice", "serve"].iter().chain(arguments);
    let cli = Cli::try_parse_from(line).map_err(|error| error.to_string())?;
    match cli.command {
        Command::Serve(args) => Ok(*args),
        other => panic!("not serve: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
