//! What is typed of what is logged, and how it is checked.

use clap::Args;

use super::Faults;
use crate::settings::{LogFormat, LogSettings};

#[derive(Debug, Args)]
pub(super) struct LogArguments {
    /// What is logged: a level, or directives
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    rust_log: String,
}

impl LogArguments {
    pub(super) fn check(self, faults: &mut Faults) -> LogSettings {
        log_settings(self.rust_log, LogFormat::Text, faults)
    }
}

pub(super) fn log_settings(filter: String, format: LogFormat, faults: &mut Faults) -> LogSettings {
    let filter = faults.log_filter(filter);
    LogSettings { filter, format }
}
