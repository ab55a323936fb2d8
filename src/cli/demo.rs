//! What the demonstration plays, as it is typed.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::demo::DemoSettings;

/// The burst of the demonstration lasts so long.
const BURST: Duration = Duration::from_secs(4);

/// What the demonstration plays.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Messages in all; what is not sent first comes as a burst.
    #[arg(long, value_name = "COUNT", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub messages: u64,
    /// Messages that are there at the beginning.
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub first_messages: u64,
    /// How long a worker is busy with a message.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pub work_milliseconds: u64,
    /// Messages that a worker is busy with at once.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub concurrency: u32,
    /// Messages per replica: `queueLength` of the trigger.
    #[arg(long, value_name = "MESSAGES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub queue_length: u32,
    /// Workers at once, at most: `maxReplicaCount` of the ScaledObject.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub max_replicas: u32,
    /// The worker's binary; by default the one beside this program.
    #[arg(long, value_name = "PATH")]
    pub worker: Option<PathBuf>,
    /// Show the workers' logs.
    #[arg(long)]
    pub worker_logs: bool,
    /// Play it twice: as aws-sqs-queue with its default queueLength, then with a target wait of 20 s.
    #[arg(long, conflicts_with = "queue_length")]
    pub law: bool,
    /// Show the summary only.
    #[arg(long)]
    pub once: bool,
    /// Print the summary as JSON, and nothing else.
    #[arg(long)]
    pub json: bool,
}

impl From<&DemoArgs> for DemoSettings {
    fn from(args: &DemoArgs) -> Self {
        Self {
            first_messages: args.first_messages,
            messages: args.messages,
            work: Duration::from_millis(args.work_milliseconds),
            concurrency: args.concurrency,
            queue_length: args.queue_length,
            target_wait: None,
            burst: BURST,
            max_replicas: args.max_replicas,
            worker: args.worker.clone(),
            worker_logs: args.worker_logs,
            live: !args.once && !args.json,
        }
    }
}
