//! The `sluice` binary: parse, start logging, run, exit code.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use sluice::{
    cli::{Cli, Command, ServeArgs},
    queue::SqsSource,
    service::{Service, ServiceSettings},
    shutdown, telemetry,
};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    telemetry::start(cli.log.log_format, &cli.log.log)
        .with_context(|| format!("--log: cannot understand {:?}", cli.log.log))?;
    match &cli.command {
        Command::Serve(args) => serve(args).await,
    }
}

async fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let source = SqsSource::from_environment(args.fetch_deadline_seconds).await;
    let service = Service::bind(ServiceSettings::from(args), source).await?;
    tracing::info!(grpc = %service.grpc_address()?, http = %service.http_address()?, "serving");
    service.run(shutdown::on_signal()?).await?;
    tracing::info!("stopped");
    Ok(())
}
