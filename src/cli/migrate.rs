//! What is typed after `sluice migrate`.

use std::path::PathBuf;

use clap::Args;

use crate::migrate::{Direction, MigrateSettings};

/// What to rewrite, and where to.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Without --in-place the rewritten manifests go to standard output; the diff and what cannot be carried
over go to standard error. Nothing else in a file is changed, not a byte, and --reverse gives it back.

Examples:
  sluice migrate k8s/*.yaml --in-place
  sluice migrate k8s/*.yaml --check              # for CI: 1 when something is left to migrate
  helm template . | sluice migrate - | kubectl apply -f -")]
pub struct MigrateArgs {
    /// A manifest with a ScaledObject or a ScaledJob, and best the TriggerAuthentication that it names;
    /// - for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where KEDA reaches Sluice.
    #[arg(long, env = "SLUICE_SCALER_ADDRESS", value_name = "HOST:PORT", default_value = "sluice.keda.svc:9090", value_parser = address)]
    pub scaler_address: String,
    /// Write the files instead of printing them.
    #[arg(long)]
    pub in_place: bool,
    /// Print the diff alone, and end with 1 when there is one.
    #[arg(long, conflicts_with = "in_place")]
    pub check: bool,
    /// From Sluice back to aws-sqs-queue: the triggers whose scalerAddress is this one.
    #[arg(long)]
    pub reverse: bool,
}

impl From<&MigrateArgs> for MigrateSettings {
    fn from(args: &MigrateArgs) -> Self {
        Self {
            direction: if args.reverse {
                Direction::ToBuiltIn
            } else {
                Direction::ToSluice
            },
            scaler_address: args.scaler_address.clone(),
        }
    }
}

/// A host and a port, with nothing that YAML would read as something else.
fn address(text: &str) -> Result<String, String> {
    let wanted = || format!("expected host:port, such as sluice.keda.svc:9090, found {text:?}");
    let (host, port) = text.rsplit_once(':').ok_or_else(wanted)?;
    let is_host = host
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    // A number alone before the colon would be one of base 60.
    let is_number = host.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    if is_host && is_port && !is_number {
        Ok(text.to_owned())
    } else {
        Err(wanted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for good in ["sluice.keda.svc:9090", "10.0.0.1:1", "sluice-a_b:65535"] {
            assert_eq!(address(good), Ok(good.to_owned()));
        }
        for bad in [
            "sluice", "sluice:", ":9090", "a:0", "a:65536", "a: 1", "a b:1", "#a:1", "1:30",
            "x:1\ny",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
