//! `sluice serve`.

use anyhow::Context;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::{
    access::{Access, OwnAccount},
    cli::{AccessArgs, ServeArgs},
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
    forbid_core_dumps();
    let tls = args.tls.settings(args.grpc_listen)?;
    let tls = tls.map(TlsFeed::load).transpose().context("TLS")?;
    let encryption = if tls.is_some() { "TLS" } else { "none" };
    let service = Service::bind(ServiceSettings::from(args), sensors(args).await?).await?;
    let service = service.secured(tls);
    tracing::info!(grpc = %service.grpc_address()?, http = %service.http_address()?, encryption, "serving");
    service.run(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

/// A dump of the memory would show secrets.
fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!("core dumps are not switched off: {error}");
    }
}

async fn sensors(args: &ServeArgs) -> anyhow::Result<Sensors<SqsSource>> {
    let aws = AwsConfig::from_environment().await;
    let aws = aws.guarded(args.access.loopback());
    let access = access(args, &aws)?;
    let endpoint = args.cloudwatch.switch.endpoint();
    Ok(Sensors {
        queues: SqsSource::new(aws.clone(), args.fetch_deadline_seconds),
        minutes: endpoint.map(|endpoint| CloudWatchSource::new(aws, endpoint)),
        #[cfg(feature = "kubernetes")]
        workloads: workloads(args).await,
        #[cfg(not(feature = "kubernetes"))]
        workloads: WorkloadFeed::off(),
        clock: EpochClock::start(),
        access,
    })
}

fn access(args: &ServeArgs, aws: &AwsConfig) -> anyhow::Result<Access> {
    let AccessArgs {
        access_file,
        aws_account,
        ..
    } = &args.access;
    let own_account = match aws_account {
        Some(account) => OwnAccount::known(account),
        None => OwnAccount::of(aws.clone()),
    };
    let known = (own_account, aws.is_aws());
    let access = Access::load(access_file.clone(), args.access.loopback(), known);
    access.context("--access-file")
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
