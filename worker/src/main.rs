//! Parses, checks, runs, and turns the outcome into an exit code: 0 drained, 1 failed, 2 wrong settings.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use sluice_worker::cli::Arguments;
use sluice_worker::settings::Settings;
use sluice_worker::{service, telemetry};

const WRONG_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    match Arguments::parse().check() {
        Ok(settings) => run(settings).unwrap_or_else(|error| fail(1, &format!("{error:#}"))),
        Err(faults) => fail(WRONG_SETTINGS, &faults.to_string()),
    }
}

fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    telemetry::start(&settings.log)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(service::run(settings));
    // A write to a standard output that nobody reads must not hold the exit.
    runtime.shutdown_background();
    outcome.map(|()| ExitCode::SUCCESS)
}

fn fail(code: u8, text: &str) -> ExitCode {
    // There is nobody left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}
