//! The `sluice` binary: parse, start logging, run, exit code.

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use serde::Serialize;
use sluice::{
    cli::{Cli, Command, DemoArgs, ExplainArgs, Form, ServeArgs, SimulateArgs, Switch},
    clock::EpochClock,
    demo, history, local,
    queue::{
        AwsConfig, SqsSource,
        cloudwatch::{CloudWatchEndpoint, CloudWatchSource},
    },
    ramp::Ramp,
    service::{Sensors, Service, ServiceSettings},
    shutdown,
    simulation::{
        self,
        command::{Destination, SimulateSettings},
        compare::Comparison,
    },
    telemetry,
    workloads::WorkloadFeed,
};
use tokio::time::Instant;

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
    let filter = cli.log_filter();
    telemetry::start(cli.log.log_format, filter)
        .with_context(|| format!("--log: cannot understand {filter:?}"))?;
    match &cli.command {
        Command::Serve(args) => serve(args).await,
        Command::Demo(args) => demo(args).await,
        Command::Simulate(args) => simulate(args).await,
        Command::Explain(args) => explain(args),
        Command::Local(args) => Ok(local::run(args.into(), shutdown::on_signal()?).await?),
    }
}

async fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    // Before anything says that we serve: a signal that nobody listens to ends the process at once.
    let stop = shutdown::on_signal()?;
    let aws = AwsConfig::from_environment().await;
    let is_on = args.cloudwatch.cloudwatch == Switch::On;
    let endpoint = args.cloudwatch.cloudwatch_endpoint.clone();
    let sensors = Sensors {
        queues: SqsSource::new(aws.clone(), args.fetch_deadline_seconds),
        minutes: is_on.then(|| CloudWatchSource::new(aws, endpoint)),
        #[cfg(feature = "kubernetes")]
        workloads: workloads(args).await,
        #[cfg(not(feature = "kubernetes"))]
        workloads: WorkloadFeed::off(),
        clock: EpochClock::start(),
    };
    let service = Service::bind(ServiceSettings::from(args), sensors).await?;
    tracing::info!(grpc = %service.grpc_address()?, http = %service.http_address()?, "serving");
    service.run(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

/// What tells of the objects that ask: nothing, unless it is asked for and there is a cluster.
#[cfg(feature = "kubernetes")]
async fn workloads(args: &ServeArgs) -> WorkloadFeed {
    if !args.kubernetes {
        return WorkloadFeed::off();
    }
    match sluice::kubernetes::Kubernetes::from_environment().await {
        Ok(kubernetes) => WorkloadFeed::reading(kubernetes),
        Err(error) => {
            let error = anyhow::Error::from(error);
            tracing::warn!("--kubernetes: {error:#}: decisions do without it");
            WorkloadFeed::off()
        }
    }
}

async fn demo(args: &DemoArgs) -> anyhow::Result<()> {
    let stop = shutdown::on_signal()?;
    if args.law {
        show(&demo::run_law(&args.into(), stop).await?, args.json)
    } else {
        show(&demo::run(&args.into(), stop).await?, args.json)
    }
}

fn show<T: Serialize + Display>(summary: &T, as_json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        serde_json::to_writer_pretty(&mut out, summary)?;
        writeln!(out)?;
    } else {
        write!(out, "\n{summary}")?;
    }
    Ok(())
}

async fn simulate(args: &SimulateArgs) -> anyhow::Result<()> {
    let create = |path: &Option<PathBuf>| path.as_deref().map(Destination::create).transpose();
    let (report, chart) = (create(&args.report)?, create(&args.chart)?);
    let mut settings = SimulateSettings::from(args);
    if let Some(wanted) = args.history.settings() {
        let aws = AwsConfig::from_environment().await;
        let source = CloudWatchSource::new(aws, CloudWatchEndpoint::Region);
        let (queue, now) = (
            history::queue(&wanted)?,
            EpochClock::start().at(Instant::now()),
        );
        let saved = history::save(&wanted, &queue, &source, now).await?;
        let file = saved.path.display();
        tracing::info!(%file, rows = saved.rows, untold_rows = saved.untold_rows, "saved");
        settings.workload = Some(saved.path.to_string_lossy().into_owned());
    }
    let progress = simulation::progress::Progress::on_a_terminal();
    let comparison = simulation::command::run(&settings, |done, runs| progress.show(done, runs))?;
    for note in &comparison.notes {
        tracing::warn!("{note}");
    }
    if let Some(report) = report {
        report.fill(&simulation::report::page(&comparison))?;
    }
    if let Some(chart) = chart {
        chart.fill(&simulation::report::chart(&comparison))?;
    }
    print(&comparison, args.form())
}

fn explain(args: &ExplainArgs) -> anyhow::Result<()> {
    let ramp = Ramp::try_from(&args.ramp)?;
    Ok(write!(io::stdout().lock(), "{ramp}")?)
}

fn print(comparison: &Comparison, form: Form) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match form {
        Form::Table => write!(out, "{comparison}")?,
        Form::Csv => out.write_all(&simulation::csv::csv(comparison)?)?,
        Form::Json => {
            // On one line: a timeline has hundreds of numbers.
            serde_json::to_writer(&mut out, comparison)?;
            writeln!(out)?;
        }
    }
    Ok(())
}
