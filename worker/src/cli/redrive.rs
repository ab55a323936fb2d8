//! What is typed to move dead letters back, and how it is checked.

use clap::Args;

use super::Faults;
use super::log::LogArguments;
use crate::redrive::RedriveSettings;
use crate::settings::QueueSettings;

#[derive(Debug, Args)]
pub struct RedriveArguments {
    /// URL of the dead-letter queue (required, or `SQS_QUEUE_NAME`)
    #[arg(long, env = "SQS_QUEUE_URL", value_name = "URL")]
    sqs_queue_url: Option<String>,
    #[arg(long, env = "SQS_QUEUE_NAME", hide = true)]
    sqs_queue_name: Option<String>,

    /// AWS region of the queue; without it the AWS configuration decides
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    aws_region: Option<String>,

    #[command(flatten)]
    log: LogArguments,
}

impl RedriveArguments {
    /// Checks everything, so that one run tells all faults.
    pub fn check(self) -> Result<RedriveSettings, Faults> {
        let mut faults = Faults::default();
        let name = self.sqs_queue_name.as_deref();
        let name = name.map(|name| ("SQS_QUEUE_NAME", name));
        let url = faults.queue(self.sqs_queue_url.as_deref(), name);
        let settings = RedriveSettings {
            queue: QueueSettings {
                region: self.aws_region.filter(|region| !region.is_empty()),
                ..QueueSettings::new(&url)
            },
            log: self.log.check(&mut faults),
        };
        faults.or(settings)
    }
}
