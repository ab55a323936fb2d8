//! What is typed for a worker that consumes, and how it is checked.

use std::time::Duration;

use clap::Parser;

use super::Faults;
use super::cluster::ClusterArguments;
use super::former::Former;
use super::handler::HandlerArguments;
use super::listen::health_settings;
use super::log::log_settings;
use crate::settings::{
    ConsumeSettings, DeletionCostSettings, EndSettings, HealthSettings, LogFormat, LogSettings,
    QueueSettings, Settings,
};

/// More handlers than this at once is a mistake in one process: 120,000 messages in flight are all a queue allows.
const CONCURRENCY_MAX: usize = 1_000;
/// SQS hides a message for 12 hours at most, so neither work nor a drain can sensibly last longer.
const HIDDEN_SECONDS_MAX: u64 = 43_200;
/// A worker that is to end does so within days; this many messages are years of them.
const MESSAGES_MAX: u64 = 1_000_000_000;
/// How long a worker for one message waits for it.
const ONCE_IDLE: Duration = Duration::from_secs(30);

/// Consumes an SQS queue: receives, handles, deletes, and drains when it is told to stop.
///
/// On SIGTERM, SIGINT or SIGQUIT no further receive starts, running messages may finish within the drain time, the rest
/// go back to the queue at once, and the exit code is 0. A second signal ends the worker at once.
#[derive(Debug, Parser)]
#[command(name = "sluice-worker", version, args_override_self = true)]
pub struct Arguments {
    /// URL of the queue to consume (required, or `SQS_QUEUE_NAME`)
    #[arg(long, env = "SQS_QUEUE_URL", value_name = "URL")]
    sqs_queue_url: Option<String>,

    /// Messages asked for in one receive, 1 to 10; never more than there are free slots [default: 10]
    #[arg(long, env = "SQS_MAX_MESSAGES", value_name = "COUNT")]
    sqs_max_messages: Option<String>,

    /// Seconds that a receive waits for a message, 0 to 20. An idle worker may need as long to stop, because a receive
    /// that is given up may take messages with it
    #[arg(
        long,
        env = "SQS_WAIT_TIME_SECONDS",
        value_name = "SECONDS",
        default_value = "20"
    )]
    sqs_wait_time_seconds: String,

    /// Seconds that a received message is hidden from others, 0 to 43200; extended while it is worked on
    #[arg(
        long,
        env = "SQS_VISIBILITY_TIMEOUT",
        value_name = "SECONDS",
        default_value = "30"
    )]
    sqs_visibility_timeout: String,

    /// Address of the health server; the default is every address, because the kubelet probes the pod's own
    #[arg(
        long,
        env = "HEALTH_HOST",
        value_name = "HOST",
        default_value = "0.0.0.0"
    )]
    health_host: String,

    /// Port of the health server; 0 takes any free port (for many workers on one machine) and logs it
    #[arg(long, env = "HEALTH_PORT", value_name = "PORT", default_value = "8080")]
    health_port: String,

    /// AWS region of the queue; without it the AWS configuration decides
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    aws_region: Option<String>,

    /// What is logged: a level, or directives such as `info,sluice_worker=debug` [default: info]
    #[arg(long, env = "RUST_LOG", value_name = "FILTER")]
    rust_log: Option<String>,

    /// How it is logged, to standard error: text or json
    #[arg(
        long,
        env = "SLUICE_WORKER_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    log_format: String,

    /// Messages handled at the same time, 1 to 1000; the default is one full receive
    #[arg(
        long,
        env = "SLUICE_WORKER_CONCURRENCY",
        value_name = "COUNT",
        default_value = "10"
    )]
    concurrency: String,

    /// Pretended work before the handler, for demonstrations, 0 to 43200000 [default: 0]
    #[arg(
        long,
        env = "SLUICE_WORKER_WORK_MILLISECONDS",
        value_name = "MILLISECONDS"
    )]
    work_milliseconds: Option<String>,

    /// Seconds that running messages may take to finish after a signal, 0 to 43200. Handing back the rest takes up to 4
    /// more: keep terminationGracePeriodSeconds (30 unless set) at least 5 above this
    #[arg(
        long,
        env = "SLUICE_WORKER_DRAIN_SECONDS",
        value_name = "SECONDS",
        default_value = "25"
    )]
    drain_seconds: String,

    /// Seconds that one message may be worked on, 1 to 43200; then its handler is ended and it has failed
    #[arg(
        long,
        env = "SLUICE_WORKER_DEADLINE_SECONDS",
        value_name = "SECONDS",
        default_value = "43200"
    )]
    deadline_seconds: String,

    /// The longest wait in seconds before a message that failed comes again, 0 to 43200. The first waits are 1 to 2
    /// seconds; they double with each receive
    #[arg(
        long,
        env = "SLUICE_WORKER_RETRY_SECONDS_MAX",
        value_name = "SECONDS",
        default_value = "300"
    )]
    retry_seconds_max: String,

    /// Messages after which the worker ends with exit code 0; 0 for no end
    #[arg(
        long,
        env = "TOT_MSGS_TO_PROCESS",
        value_name = "COUNT",
        default_value = "0"
    )]
    tot_msgs_to_process: String,

    /// Seconds without a message after which the worker ends with exit code 0, 0 to 43200; 0 for no end
    #[arg(
        long,
        env = "SLUICE_WORKER_IDLE_SECONDS",
        value_name = "SECONDS",
        default_value = "0"
    )]
    idle_seconds: String,

    /// Whether Kubernetes is told how busy the pod is (on) or not (off), so that idle pods are deleted first
    #[arg(
        long,
        env = "SLUICE_WORKER_DELETION_COST",
        value_name = "WHETHER",
        default_value = "off"
    )]
    deletion_cost: String,

    #[command(flatten)]
    cluster: ClusterArguments,

    #[command(flatten)]
    handler: HandlerArguments,

    #[command(flatten)]
    former: Former,
}

impl Arguments {
    /// Checks the settings of a worker that handles one message.
    pub fn check_once(self) -> Result<Settings, Faults> {
        let mut settings = self.check()?;
        let end = &mut settings.consume.end;
        end.messages_max.get_or_insert(1);
        end.idle.get_or_insert(ONCE_IDLE);
        Ok(settings)
    }

    /// Checks everything, so that one run tells all faults.
    pub fn check(self) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let settings = Settings {
            queue: self.queue(&mut faults),
            consume: self.consume(&mut faults),
            health: self.health(&mut faults),
            handler: self.handler.check(self.former.count_url(), &mut faults),
            work: self.work(&mut faults),
            deletion_cost: self.deletion_cost(&mut faults),
            kill_url: self.former.kill_url(&mut faults),
            log: self.log(&mut faults),
        };
        faults.or(settings)
    }

    fn queue(&self, faults: &mut Faults) -> QueueSettings {
        QueueSettings {
            url: self.url(faults),
            region: self.aws_region.clone().filter(|region| !region.is_empty()),
            visibility_timeout: faults.seconds(
                "SQS_VISIBILITY_TIMEOUT",
                &self.sqs_visibility_timeout,
                HIDDEN_SECONDS_MAX,
            ),
        }
    }

    fn consume(&self, faults: &mut Faults) -> ConsumeSettings {
        ConsumeSettings {
            concurrency: faults.number(
                "SLUICE_WORKER_CONCURRENCY",
                &self.concurrency,
                1..=CONCURRENCY_MAX,
            ),
            messages_per_receive_max: self.messages_per_receive_max(faults),
            wait: faults.seconds("SQS_WAIT_TIME_SECONDS", &self.sqs_wait_time_seconds, 20),
            drain: faults.seconds(
                "SLUICE_WORKER_DRAIN_SECONDS",
                &self.drain_seconds,
                HIDDEN_SECONDS_MAX,
            ),
            deadline: Duration::from_secs(faults.number(
                "SLUICE_WORKER_DEADLINE_SECONDS",
                &self.deadline_seconds,
                1..=HIDDEN_SECONDS_MAX,
            )),
            retry_wait_max: faults.seconds(
                "SLUICE_WORKER_RETRY_SECONDS_MAX",
                &self.retry_seconds_max,
                HIDDEN_SECONDS_MAX,
            ),
            end: self.end(faults),
        }
    }

    fn url(&self, faults: &mut Faults) -> String {
        faults.queue(self.sqs_queue_url.as_deref(), self.former.queue_name())
    }

    fn messages_per_receive_max(&self, faults: &mut Faults) -> usize {
        let own = self.sqs_max_messages.as_deref();
        let (variable, typed) = own
            .map(|typed| ("SQS_MAX_MESSAGES", typed))
            .or_else(|| self.former.max_messages())
            .unwrap_or(("SQS_MAX_MESSAGES", "10"));
        faults.number(variable, typed, 1..=10)
    }

    fn work(&self, faults: &mut Faults) -> Duration {
        match (
            self.work_milliseconds.as_deref(),
            self.former.work_seconds(),
        ) {
            (None, Some((variable, typed))) => faults.seconds(variable, typed, HIDDEN_SECONDS_MAX),
            (typed, _) => Duration::from_millis(faults.number(
                "SLUICE_WORKER_WORK_MILLISECONDS",
                typed.unwrap_or("0"),
                0..=HIDDEN_SECONDS_MAX * 1_000,
            )),
        }
    }

    fn end(&self, faults: &mut Faults) -> EndSettings {
        let typed = &self.tot_msgs_to_process;
        let messages_max = faults.number("TOT_MSGS_TO_PROCESS", typed, 0..=MESSAGES_MAX);
        let idle = faults.seconds(
            "SLUICE_WORKER_IDLE_SECONDS",
            &self.idle_seconds,
            HIDDEN_SECONDS_MAX,
        );
        EndSettings {
            messages_max: (messages_max > 0).then_some(messages_max),
            idle: (!idle.is_zero()).then_some(idle),
        }
    }

    fn health(&self, faults: &mut Faults) -> HealthSettings {
        health_settings(self.health_host.clone(), &self.health_port, faults)
    }

    fn log(&self, faults: &mut Faults) -> LogSettings {
        let (variable, formats) = ("SLUICE_WORKER_LOG_FORMAT", ["text", "json"]);
        let format = match faults.one_of(variable, &self.log_format, formats) {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        };
        let own = self.rust_log.as_deref();
        let filter = own.or(self.former.log_level()).unwrap_or("info");
        log_settings(filter.to_owned(), format, faults)
    }

    fn deletion_cost(&self, faults: &mut Faults) -> DeletionCostSettings {
        let (variable, whether) = ("SLUICE_WORKER_DELETION_COST", ["off", "on"]);
        let (pod, cluster) = (self.cluster.pod(), self.cluster.check(faults));
        if faults.one_of(variable, &self.deletion_cost, whether) != "on" {
            return DeletionCostSettings::Off;
        }
        faults.kubernetes_name("POD_NAME", &pod);
        DeletionCostSettings::On { cluster, pod }
    }
}
