//! What is typed after `sluice explain`.

use std::time::Duration;

use clap::{Args, Parser};

use super::{CloudWatchSwitch, seconds};
use crate::ramp::{Ramp, RampError};

/// What to explain.
#[derive(Debug, Clone, Parser)]
#[command(after_help = "\
Examples:
  sluice explain orders.yaml                # asks SQS, and CloudWatch for a target wait
  sluice explain shop/orders --json         # asks a running Sluice
  sluice explain --behavior --to 100        # what the autoscaler must be told

A running Sluice is reached from a laptop by `kubectl -n keda port-forward deploy/sluice 8080`.")]
pub struct ExplainArgs {
    /// A manifest with a ScaledObject or a ScaledJob (- for standard input), or namespace/name of one that
    /// asks a running Sluice.
    #[arg(
        value_name = "FILE|NAMESPACE/NAME",
        required_unless_present = "behavior",
        conflicts_with = "behavior"
    )]
    pub target: Option<String>,
    /// Where a running Sluice has its port for people.
    #[arg(
        long,
        env = "SLUICE_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub server: String,
    /// Print it as JSON, in the shape that the API of a running Sluice has.
    #[arg(long, conflicts_with = "behavior")]
    pub json: bool,
    #[command(flatten)]
    pub cloudwatch: CloudWatchSwitch,
    /// Print the `behavior` that an autoscaler needs for a ramp, as YAML for a ScaledObject.
    #[arg(long)]
    pub behavior: bool,
    #[command(flatten)]
    pub ramp: RampArgs,
}

/// Which ramp.
#[derive(Debug, Clone, Args)]
pub struct RampArgs {
    /// Replicas when the first message comes.
    #[arg(long, value_name = "COUNT", default_value_t = 0, requires = "behavior", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub from: u32,
    /// Replicas wanted.
    #[arg(long, value_name = "COUNT", default_value_t = 100, requires = "behavior", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub to: u32,
    /// How soon, from when the workload is woken; the autoscaler looks every 15 s.
    #[arg(long, value_name = "SECONDS", default_value = "30", requires = "behavior", value_parser = seconds(1.0..=3_600.0))]
    pub in_seconds: Duration,
}

impl TryFrom<&RampArgs> for Ramp {
    type Error = RampError;

    fn try_from(args: &RampArgs) -> Result<Self, RampError> {
        Self::new(args.from, args.to, args.in_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &[&str]) -> Result<ExplainArgs, clap::Error> {
        let line = ["explain"].iter().chain(line);
        ExplainArgs::try_parse_from(line)
    }

    #[test]
    fn a_ramp_is_asked_for_with_behavior() {
        let args = given(&["--behavior", "--to=20", "--in-seconds=60"]).unwrap();
        let expected = Ramp::new(0, 20, Duration::from_mins(1));
        assert_eq!(Ramp::try_from(&args.ramp), expected);
        assert!(given(&["--behavior", "--to=0"]).is_err());
    }

    #[test]
    fn one_thing_is_explained() {
        assert_eq!(
            given(&["shop/orders"]).unwrap().target.as_deref(),
            Some("shop/orders")
        );
        assert!(given(&[]).is_err());
        assert!(given(&["orders.yaml", "--behavior"]).is_err());
    }
}
