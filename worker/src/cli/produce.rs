//! What is typed to produce messages, and how it is checked.

use std::time::Duration;

use clap::Args;

use super::Faults;
use super::former::typed;
use super::log::LogArguments;
use crate::produce::ProduceSettings;
use crate::produce::events::Shape;
use crate::settings::QueueSettings;

/// A day and a half at a thousand a second.
const MESSAGES_MAX: u64 = 100_000_000;
/// More than one process sends.
const RATE_MAX: u32 = 100_000;

#[derive(Debug, Args)]
pub struct ProduceArguments {
    /// URL of the queue (required, or `RELIABLE_QUEUE_NAME`, or `SQS_QUEUE_NAME`)
    #[arg(long, env = "SQS_QUEUE_URL", value_name = "URL")]
    sqs_queue_url: Option<String>,
    #[arg(long, env = "SQS_QUEUE_NAME", hide = true)]
    sqs_queue_name: Option<String>,
    #[arg(long, env = "RELIABLE_QUEUE_NAME", hide = true)]
    reliable_queue_name: Option<String>,

    /// AWS region of the queue; without it the AWS configuration decides
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    aws_region: Option<String>,

    /// What the messages look like: sales and inventory events with their attributes (events), {"messageNumber":"1"}
    /// (numbered), Hello from message 1 (hello) or Message 1 uuid: ... (uuid)
    #[arg(
        long,
        env = "SLUICE_WORKER_SHAPE",
        value_name = "SHAPE",
        default_value = "events"
    )]
    shape: String,

    /// Messages to send, 0 to 100000000
    #[arg(
        long,
        env = "TOT_MSGS_TO_PRODUCE",
        value_name = "COUNT",
        default_value = "10"
    )]
    tot_msgs_to_produce: String,
    #[arg(long, env = "MESSAGE_COUNT", hide = true)]
    message_count: Option<String>,
    #[arg(long, env = "NUM_MESSAGES", hide = true)]
    num_messages: Option<String>,

    /// Seconds between two messages, 0 to 86400; 0 for as fast as the queue takes them
    #[arg(
        long,
        env = "WAIT_SECS_BETWEEN_MSGS",
        value_name = "SECONDS",
        default_value = "0"
    )]
    wait_secs_between_msgs: String,

    /// Messages a second, 0 to 100000, instead of seconds between them; 0 for no limit
    #[arg(
        long,
        env = "SLUICE_WORKER_RATE",
        value_name = "COUNT",
        default_value = "0"
    )]
    rate: String,

    /// How many of a hundred events are bad, 0 to 100: they have no store
    #[arg(
        long,
        env = "SLUICE_WORKER_BAD_PERCENT",
        value_name = "PERCENT",
        default_value = "10"
    )]
    bad_percent: String,

    /// How many of a hundred messages are sent twice, 0 to 100
    #[arg(
        long,
        env = "SLUICE_WORKER_DUPLICATE_PERCENT",
        value_name = "PERCENT",
        default_value = "0"
    )]
    duplicate_percent: String,

    #[arg(
        long,
        env = "TRIGGER_RANDOM_FAILURES",
        hide = true,
        default_value = "true"
    )]
    trigger_random_failures: String,

    /// The same seed makes the same messages; without one they differ each time
    #[arg(long, env = "SLUICE_WORKER_SEED", value_name = "NUMBER")]
    seed: Option<String>,

    #[command(flatten)]
    log: LogArguments,
}

impl ProduceArguments {
    /// Checks everything, so that one run tells all faults.
    pub fn check(self) -> Result<ProduceSettings, Faults> {
        let mut faults = Faults::default();
        let settings = ProduceSettings {
            queue: QueueSettings {
                region: self.aws_region.clone().filter(|region| !region.is_empty()),
                ..QueueSettings::new(&self.url(&mut faults))
            },
            shape: self.shape(&mut faults),
            messages: self.messages(&mut faults),
            interval: self.interval(&mut faults),
            bad_percent: self.bad_percent(&mut faults),
            duplicate_percent: faults.number(
                "SLUICE_WORKER_DUPLICATE_PERCENT",
                &self.duplicate_percent,
                0..=100,
            ),
            seed: self
                .seed
                .as_deref()
                .map(|seed| faults.number("SLUICE_WORKER_SEED", seed, 0..=u64::MAX)),
            log: self.log.check(&mut faults),
        };
        faults.or(settings)
    }

    fn url(&self, faults: &mut Faults) -> String {
        let name = typed("SQS_QUEUE_NAME", self.sqs_queue_name.as_ref()).or(typed(
            "RELIABLE_QUEUE_NAME",
            self.reliable_queue_name.as_ref(),
        ));
        faults.queue(self.sqs_queue_url.as_deref(), name)
    }

    fn shape(&self, faults: &mut Faults) -> Shape {
        let shapes = ["events", "numbered", "hello", "uuid"];
        match faults.one_of("SLUICE_WORKER_SHAPE", &self.shape, shapes) {
            "numbered" => Shape::Numbered,
            "hello" => Shape::Hello,
            "uuid" => Shape::Uuid,
            _ => Shape::Events,
        }
    }

    fn messages(&self, faults: &mut Faults) -> u64 {
        let (variable, typed) = typed("MESSAGE_COUNT", self.message_count.as_ref())
            .or(typed("NUM_MESSAGES", self.num_messages.as_ref()))
            .unwrap_or(("TOT_MSGS_TO_PRODUCE", &self.tot_msgs_to_produce));
        faults.number(variable, typed, 0..=MESSAGES_MAX)
    }

    /// Where another producer was told to make none fail, none is bad.
    fn bad_percent(&self, faults: &mut Faults) -> u8 {
        let percent = faults.number("SLUICE_WORKER_BAD_PERCENT", &self.bad_percent, 0..=100);
        let (variable, whether) = ("TRIGGER_RANDOM_FAILURES", ["true", "false"]);
        let typed = self.trigger_random_failures.to_ascii_lowercase();
        match faults.one_of(variable, &typed, whether) {
            "false" => 0,
            _ => percent,
        }
    }

    fn interval(&self, faults: &mut Faults) -> Duration {
        let typed = &self.wait_secs_between_msgs;
        let wait = faults.seconds("WAIT_SECS_BETWEEN_MSGS", typed, 86_400);
        let rate = faults.number("SLUICE_WORKER_RATE", &self.rate, 0..=RATE_MAX);
        if rate > 0 && wait.is_zero() {
            Duration::from_secs(1) / rate
        } else {
            wait
        }
    }
}
