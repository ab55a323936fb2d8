//! Parses, checks, runs, and turns the outcome into an exit code: 0 drained, 1 failed, 2 wrong settings.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use sluice_worker::cli::{CommandLine, Faults, Mode};
use sluice_worker::settings::{LogSettings, Settings};
use sluice_worker::{analyze, produce, redrive, send, service, telemetry};

const WRONG_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    match CommandLine::parse().mode() {
        Mode::Run(arguments) => run(arguments.check(), consume),
        Mode::Once(arguments) => run(arguments.check_once(), consume),
        Mode::Produce(arguments) => run(arguments.check(), |settings| {
            let log = settings.log.clone();
            (log, produce::run(settings))
        }),
        Mode::Redrive(arguments) => run(arguments.check(), |settings| {
            let log = settings.log.clone();
            (log, redrive::run(settings))
        }),
        Mode::Analyze(arguments) => run(arguments.check(), |settings| {
            let log = settings.log.clone();
            (log, analyze::run(settings))
        }),
        Mode::Send(arguments) => run(arguments.check(), |settings| {
            let log = settings.log.clone();
            (log, send::run(settings))
        }),
    }
}

fn consume(settings: Settings) -> (LogSettings, impl Future<Output = anyhow::Result<()>>) {
    (settings.log.clone(), service::run(settings))
}

/// Does what was asked for, when its settings can be used.
fn run<S, Work>(
    checked: Result<S, Faults>,
    begin: impl FnOnce(S) -> (LogSettings, Work),
) -> ExitCode
where
    Work: Future<Output = anyhow::Result<()>>,
{
    match checked {
        Ok(settings) => {
            let (log, work) = begin(settings);
            complete(&log, work).unwrap_or_else(|error| fail(1, &format!("{error:#}")))
        }
        Err(faults) => fail(WRONG_SETTINGS, &faults.to_string()),
    }
}

fn complete(
    log: &LogSettings,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<ExitCode> {
    telemetry::start(log)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(work);
    // A write to a standard output that nobody reads must not hold the exit.
    runtime.shutdown_background();
    outcome.map(|()| ExitCode::SUCCESS)
}

fn fail(code: u8, text: &str) -> ExitCode {
    // There is nobody left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}
