//! What is typed to keep results, and how it is checked.

use clap::Args;

use super::Faults;
use super::listen::ListenArguments;
use super::log::LogArguments;
use crate::analyze::AnalyzeSettings;

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

    #[command(flatten)]
    listen: ListenArguments,

    #[command(flatten)]
    log: LogArguments,
}

impl AnalyzeArguments {
    /// Checks everything, so that one run tells all faults.
    pub fn check(self) -> Result<AnalyzeSettings, Faults> {
        let mut faults = Faults::default();
        let settings = AnalyzeSettings {
            listen: self.listen.check(&mut faults),
            database: self.database,
            log: self.log.check(&mut faults),
        };
        faults.or(settings)
    }
}
