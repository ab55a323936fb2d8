//! `sluice doctor`.

use std::{collections::HashMap, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};

use super::{files, show};
use crate::{
    cli::DoctorArgs,
    clock::EpochClock,
    doctor::{Doctor, DoctorSettings, QUEUES_MAX, Surroundings},
    history::region_in,
    manifest,
    queue::{AwsConfig, cloudwatch::CloudWatchSource},
    scaling::{QueueRef, Trigger},
};

/// There is a problem.
const PROBLEM: u8 = 1;
/// What was asked for cannot be done.
const USAGE: u8 = 2;

pub(super) async fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = match settings(args) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("{error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let aws = AwsConfig::from_environment().await;
    let endpoint = args.cloudwatch.endpoint();
    let minutes = endpoint.map(|endpoint| CloudWatchSource::new(aws.clone(), endpoint));
    let report = Doctor::new(aws, minutes, EpochClock::start())
        .examine(&settings)
        .await;
    show(&report, args.json)?;
    Ok(if report.problems > 0 {
        ExitCode::from(PROBLEM)
    } else {
        ExitCode::SUCCESS
    })
}

fn settings(args: &DoctorArgs) -> anyhow::Result<DoctorSettings> {
    let mut queues = of_files(args)?;
    for queue in &args.queues {
        queues.push(named(queue, args.region.as_deref())?);
    }
    if queues.len() > QUEUES_MAX {
        bail!(
            "expected at most {QUEUES_MAX} queues, found {}",
            queues.len()
        );
    }
    Ok(DoctorSettings {
        queues,
        server: args.server.clone(),
        keda_metrics: args.keda_metrics.clone(),
        certificates: args.certificates.clone(),
        between_looks: args.watch_seconds,
        surroundings: Surroundings::from_environment(|name| std::env::var_os(name).is_some()),
    })
}

/// The queues of the triggers in the files.
fn of_files(args: &DoctorArgs) -> anyhow::Result<Vec<Arc<QueueRef>>> {
    let variable = |name: &str| std::env::var(name).ok();
    let mut queues = Vec::new();
    for path in &args.files {
        let triggers = manifest::sqs_triggers(&files::name(path), &files::read(path)?, variable)?;
        if triggers.is_empty() {
            bail!(
                "{}: expected a ScaledObject or ScaledJob about a queue, found none",
                files::name(path)
            );
        }
        for trigger in triggers {
            let parsed =
                Trigger::parse(&trigger.metadata).with_context(|| trigger.place.clone())?;
            queues.push(parsed.queue);
        }
    }
    Ok(queues)
}

/// A queue that is named by hand.
fn named(queue: &str, region: Option<&str>) -> anyhow::Result<Arc<QueueRef>> {
    let Some(region) = region_in(queue).or(region) else {
        bail!("no region is known of queue {queue:?}: give its whole URL, or --region");
    };
    let metadata: HashMap<String, String> = [("queueURL", queue), ("awsRegion", region)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let trigger = Trigger::parse(&metadata).with_context(|| format!("{queue:?} is no queue"))?;
    Ok(trigger.queue)
}
