//! What each command does, a file each: from what was typed to what is printed and the exit code. The
//! work itself is elsewhere.

mod demo;
mod doctor;
mod explain;
mod files;
mod migrate;
mod serve;
mod simulate;

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::{cli::Command, local, shutdown};

/// Runs a command to its end. Zero when it did what it was asked for.
///
/// # Errors
/// When it could not.
pub async fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(args).await?,
        Command::Demo(args) => demo::run(args).await?,
        Command::Simulate(args) => simulate::run(args).await?,
        Command::Explain(args) => explain::run(args).await?,
        Command::Doctor(args) => return doctor::run(args).await,
        Command::Migrate(args) => return migrate::run(args),
        Command::Local(args) => local::run(args.into(), shutdown::on_signal()?).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints one thing, for people or for machines.
fn show<T: Serialize + Display>(thing: &T, as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        serde_json::to_writer_pretty(&mut out, thing)?;
        writeln!(out)
    } else {
        write!(out, "{thing}")
    }
}
