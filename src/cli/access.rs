//! Who may ask for what, and how much of it, as it is typed.

use std::path::PathBuf;

use clap::Args;

use crate::{grpc::Limits, queue::LoopbackEndpoints, scaling::is_account};

/// What triggers may name.
#[derive(Debug, Clone, Args)]
pub struct AccessArgs {
    /// TOML file with the queues, roles and endpoints that each namespace may name; read again when it
    /// changes. Without it: queues of the scaler's own account, no role, endpoints of AWS.
    #[arg(long, env = "SLUICE_ACCESS_FILE", value_name = "FILE")]
    pub access_file: Option<PathBuf>,
    /// The scaler's own account [default: its credentials tell, or STS].
    #[arg(long, env = "SLUICE_AWS_ACCOUNT", value_name = "ACCOUNT", value_parser = account)]
    pub aws_account: Option<String>,
    /// Let triggers name an awsEndpoint on this machine, such as `sluice local`.
    #[arg(long, env = "SLUICE_LOOPBACK_ENDPOINTS")]
    pub loopback_endpoints: bool,
    /// Triggers that are kept at once; more are refused.
    #[arg(long, env = "SLUICE_TRIGGERS_MAX", value_name = "COUNT", default_value_t = Limits::default().triggers_max)]
    pub triggers_max: usize,
    /// Triggers of one namespace that are kept at once; more are refused.
    #[arg(long, env = "SLUICE_NAMESPACE_TRIGGERS_MAX", value_name = "COUNT", default_value_t = Limits::default().namespace_triggers_max)]
    pub namespace_triggers_max: usize,
}

impl AccessArgs {
    /// Whether triggers may name an endpoint on this machine.
    pub fn loopback(&self) -> LoopbackEndpoints {
        if self.loopback_endpoints {
            LoopbackEndpoints::Allowed
        } else {
            LoopbackEndpoints::Refused
        }
    }
}

impl From<&AccessArgs> for Limits {
    fn from(args: &AccessArgs) -> Self {
        Self {
            triggers_max: args.triggers_max,
            namespace_triggers_max: args.namespace_triggers_max,
            ..Self::default()
        }
    }
}

fn account(text: &str) -> Result<String, String> {
    let wanted = || "expected the 12 digits of an account".to_owned();
    is_account(text).then(|| text.to_owned()).ok_or_else(wanted)
}
