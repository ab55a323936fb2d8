//! Variables that the workers which this one replaces were told with. A variable of our own, where both are set, wins.

use clap::Args;

use super::Faults;

#[derive(Debug, Default, Args)]
pub struct Former {
    /// Name of the queue
    #[arg(long, env = "SQS_QUEUE_NAME", hide = true)]
    sqs_queue_name: Option<String>,
    /// Name of the queue
    #[arg(long, env = "RELIABLE_QUEUE_NAME", hide = true)]
    reliable_queue_name: Option<String>,
    /// Messages asked for in one receive
    #[arg(long, env = "MAX_MSGS_PER_BATCH", hide = true)]
    max_msgs_per_batch: Option<String>,
    /// Seconds of pretended work
    #[arg(long, env = "MSG_PROCESS_DELAY", hide = true)]
    msg_process_delay: Option<String>,
    /// Seconds of pretended work
    #[arg(long, env = "PROCESS_SLEEP_TIME", hide = true)]
    process_sleep_time: Option<String>,
    /// Seconds of pretended work
    #[arg(long, env = "SLEEP_TIME", hide = true)]
    sleep_time: Option<String>,
    /// Where each message that is done is posted to
    #[arg(long, env = "COUNTER_COUNT_URL", hide = true)]
    counter_count_url: Option<String>,
    /// Where work that is cut short is reported
    #[arg(long, env = "COUNTER_KILL_URL", hide = true)]
    counter_kill_url: Option<String>,
    /// What is logged
    #[arg(long, env = "LOG_LEVEL", hide = true)]
    log_level: Option<String>,
}

/// What was typed, and the variable it belongs to.
pub(super) type Typed<'a> = (&'static str, &'a str);

impl Former {
    pub(super) fn queue_name(&self) -> Option<Typed<'_>> {
        typed("SQS_QUEUE_NAME", self.sqs_queue_name.as_ref()).or(typed(
            "RELIABLE_QUEUE_NAME",
            self.reliable_queue_name.as_ref(),
        ))
    }

    pub(super) fn max_messages(&self) -> Option<Typed<'_>> {
        typed("MAX_MSGS_PER_BATCH", self.max_msgs_per_batch.as_ref())
    }

    pub(super) fn work_seconds(&self) -> Option<Typed<'_>> {
        let delay = typed("MSG_PROCESS_DELAY", self.msg_process_delay.as_ref());
        let sleep = typed("PROCESS_SLEEP_TIME", self.process_sleep_time.as_ref());
        delay
            .or(sleep)
            .or(typed("SLEEP_TIME", self.sleep_time.as_ref()))
    }

    pub(super) fn count_url(&self) -> Option<Typed<'_>> {
        typed("COUNTER_COUNT_URL", self.counter_count_url.as_ref())
    }

    pub(super) fn kill_url(&self, faults: &mut Faults) -> Option<String> {
        let (variable, url) = typed("COUNTER_KILL_URL", self.counter_kill_url.as_ref())?;
        faults.http_url(variable, url);
        Some(url.to_owned())
    }

    /// As `RUST_LOG` says it.
    pub(super) fn log_level(&self) -> Option<&'static str> {
        level(self.log_level.as_deref()?)
    }
}

/// `None` for what is no level of Python.
pub(super) fn level(python: &str) -> Option<&'static str> {
    match python.to_ascii_uppercase().as_str() {
        "DEBUG" => Some("debug"),
        "INFO" => Some("info"),
        "WARN" | "WARNING" => Some("warn"),
        "ERROR" | "CRITICAL" | "FATAL" => Some("error"),
        _ => None,
    }
}

pub(super) fn typed<'a>(variable: &'static str, value: Option<&'a String>) -> Option<Typed<'a>> {
    value.map(|value| (variable, value.as_str()))
}
