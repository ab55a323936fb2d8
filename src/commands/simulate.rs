//! `sluice simulate`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use tokio::time::Instant;

use crate::{
    cli::{Form, SimulateArgs},
    clock::EpochClock,
    history::{self, HistorySettings, SavedHistory},
    queue::{
        AwsConfig,
        cloudwatch::{CloudWatchEndpoint, CloudWatchSource},
    },
    simulation::{
        self,
        command::{Destination, SimulateSettings},
        compare::Comparison,
        progress::Progress,
    },
};

pub(super) async fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let create = |path: &Option<PathBuf>| path.as_deref().map(Destination::create).transpose();
    let (report, chart) = (create(&args.report)?, create(&args.chart)?);
    let mut settings = SimulateSettings::from(args);
    if let Some(wanted) = args.history.settings() {
        let saved = save(&wanted).await?;
        settings.workload = Some(saved.path.to_string_lossy().into_owned());
    }
    let progress = Progress::on_a_terminal();
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

async fn save(wanted: &HistorySettings) -> anyhow::Result<SavedHistory> {
    let aws = AwsConfig::from_environment().await;
    let source = CloudWatchSource::new(aws, CloudWatchEndpoint::Region);
    let queue = history::queue(wanted)?;
    let now = EpochClock::start().at(Instant::now());
    let saved = history::save(wanted, &queue, &source, now).await?;
    let file = saved.path.display();
    tracing::info!(%file, rows = saved.rows, untold_rows = saved.untold_rows, "saved");
    Ok(saved)
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
