//! What is typed after `sluice doctor`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{CloudWatchSwitch, seconds};

/// What to look at.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  sluice doctor orders.yaml                              # from a laptop
  sluice doctor --queue https://sqs.eu-west-1.amazonaws.com/123456789012/orders
  kubectl -n keda exec deploy/sluice -- sluice doctor --server http://127.0.0.1:8080

Ends with 0 when there is no problem (there may be warnings), with 1 when there is one, and with 2
when it was asked wrongly. It changes nothing and receives no message.")]
pub struct DoctorArgs {
    /// Manifests whose queues are looked at; - for standard input.
    #[arg(value_name = "FILE", required_unless_present_any = ["queues", "server"])]
    pub files: Vec<PathBuf>,
    /// A queue to look at, by its URL or its name; may be repeated.
    #[arg(long = "queue", value_name = "QUEUE")]
    pub queues: Vec<String>,
    /// The region of the queues whose URL does not say it.
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    pub region: Option<String>,
    /// A running Sluice to ask by its HTTP port: its queues are looked at, and whether KEDA calls it.
    #[arg(long, env = "SLUICE_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// The HTTP port of KEDA's operator that has its metrics, which tell its version.
    #[arg(long, value_name = "URL")]
    pub keda_metrics: Option<String>,
    /// A file with a certificate, or several, whose dates are looked at; may be repeated.
    #[arg(long = "certificate", value_name = "FILE")]
    pub certificates: Vec<PathBuf>,
    /// From the first look at dead letters to the second, which tells whether they grow.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds(0.1..=3_600.0))]
    pub watch_seconds: Duration,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub cloudwatch: CloudWatchSwitch,
}
