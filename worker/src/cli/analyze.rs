//! What is typed to keep results, and how it is checked.

use clap::Args;

use super::{Faults, health_settings, log_settings};
use crate::analyze::AnalyzeSettings;
use crate::settings::LogFormat;

#[derive(Debug, Args)]
pub struct AnalyzeArguments {
    /// File of the database; it is made when it is not there
    #[arg(
        long,
        env = "SLUICE_WORKER_DATABASE",
        value_name = "FILE",
        default_value = "results.sqlite"
    )]
    database: std::path::PathBuf,

    /// Address to listen on
    #[arg(
        long,
        env = "HEALTH_HOST",
        value_name = "HOST",
        default_value = "0.0.0.0"
    )]
    health_host: String,

    /// Port to listen on; 0 takes any free port and logs it
    #[arg(long, env = "HEALTH_PORT", value_name = "PORT", default_value = "8080")]
    health_port: String,

    /// What is logged: a level, or directives
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    rust_log: String,
}

impl AnalyzeArguments {
    /// Checks everything, so that one run tells all faults.
    pub fn check(self) -> Result<AnalyzeSettings, Faults> {
        let mut faults = Faults::default();
        let settings = AnalyzeSettings {
            listen: health_settings(self.health_host, &self.health_port, &mut faults),
            database: self.database,
            log: log_settings(self.rust_log, LogFormat::Text, &mut faults),
        };
        faults.or(settings)
    }
}
