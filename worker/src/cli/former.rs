//! Variables that the workers which this one replaces were told with. A variable of our own, where both are set, wins.

use clap::Args;

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
        typed("MSG_PROCESS_DELAY", self.msg_process_delay.as_ref()).or(typed(
            "PROCESS_SLEEP_TIME",
            self.process_sleep_time.as_ref(),
        ))
    }
}

pub(super) fn typed<'a>(variable: &'static str, value: Option<&'a String>) -> Option<Typed<'a>> {
    value.map(|value| (variable, value.as_str()))
}
