//! What is typed after `sluice explain`.

use std::time::Duration;

use clap::{Args, Parser};

use super::seconds;
use crate::ramp::{Ramp, RampError};

/// What to explain.
#[derive(Debug, Clone, Parser)]
pub struct ExplainArgs {
    /// Print the `behavior` that an autoscaler needs for a ramp, as YAML for a ScaledObject.
    #[arg(long, required = true)]
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

    #[test]
    fn a_ramp_is_asked_for_with_behavior() {
        let given = |line: &[&str]| {
            let line = ["explain"].iter().chain(line);
            ExplainArgs::try_parse_from(line).map(|args| args.ramp)
        };
        let ramp = given(&["--behavior", "--to=20", "--in-seconds=60"]).unwrap();
        let expected = Ramp::new(0, 20, Duration::from_mins(1));
        assert_eq!(Ramp::try_from(&ramp), expected);
        assert!(given(&[]).is_err());
        assert!(given(&["--behavior", "--to=0"]).is_err());
    }
}
