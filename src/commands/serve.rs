//! `sluice serve`.

use anyhow::Context;

use crate::{
    cli::{ServeArgs, Switch},
    clock::EpochClock,
    queue::{AwsConfig, SqsSource, cloudwatch::CloudWatchSource},
    service::{Sensors, Service, ServiceSettings},
    shutdown,
    tls::TlsFeed,
    workloads::WorkloadFeed,
};

pub(super) async fn run(args: &ServeArgs) -> anyhow::Result<()> {
    // Before anything says that we serve: a signal that nobody listens to ends the process at once.
    let stop = shutdown::on_signal()?;
    let tls = args.tls.settings(args.grpc_listen)?;
    let tls = tls.map(TlsFeed::load).transpose().context("TLS")?;
    let encryption = if tls.is_some() { "TLS" } else { "none" };
    let service = Service::bind(ServiceSettings::from(args), sensors(args).await).await?;
    let service = service.secured(tls);
    tracing::info!(grpc = %service.grpc_address()?, http = %service.http_address()?, encryption, "serving");
    service.run(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn sensors(args: &ServeArgs) -> Sensors<SqsSource> {
    let aws = AwsConfig::from_environment().await;
    let is_on = args.cloudwatch.cloudwatch == Switch::On;
    let endpoint = args.cloudwatch.cloudwatch_endpoint.clone();
    Sensors {
        queues: SqsSource::new(aws.clone(), args.fetch_deadline_seconds),
        minutes: is_on.then(|| CloudWatchSource::new(aws, endpoint)),
        #[cfg(feature = "kubernetes")]
        workloads: workloads(args).await,
        #[cfg(not(feature = "kubernetes"))]
        workloads: WorkloadFeed::off(),
        clock: EpochClock::start(),
    }
}

/// What tells of the objects that ask: nothing, unless it is asked for and there is a cluster.
#[cfg(feature = "kubernetes")]
async fn workloads(args: &ServeArgs) -> WorkloadFeed {
    if !args.kubernetes {
        return WorkloadFeed::off();
    }
    match crate::kubernetes::Kubernetes::from_environment().await {
        Ok(kubernetes) => WorkloadFeed::reading(kubernetes),
        Err(error) => {
            let error = anyhow::Error::from(error);
            tracing::warn!("--kubernetes: {error:#}: decisions do without it");
            WorkloadFeed::off()
        }
    }
}
