//! What is typed of where a page is served, and how it is checked.

use clap::Args;

use super::Faults;
use crate::settings::HealthSettings;

#[derive(Debug, Args)]
pub(super) struct ListenArguments {
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
}

impl ListenArguments {
    pub(super) fn check(self, faults: &mut Faults) -> HealthSettings {
        health_settings(self.health_host, &self.health_port, faults)
    }
}

pub(super) fn health_settings(host: String, port: &str, faults: &mut Faults) -> HealthSettings {
    if host.is_empty() {
        faults.add("HEALTH_HOST", "an address or host name", "nothing");
    }
    HealthSettings {
        host,
        port: faults.number("HEALTH_PORT", port, 0..=u16::MAX),
    }
}
