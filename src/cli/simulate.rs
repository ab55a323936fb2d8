//! What is typed after `sluice simulate`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{HistoryArgs, seconds};
use crate::simulation::{
    approximate::Fidelity,
    command::SimulateSettings,
    overrides::{Overrides, Spread, fidelity},
    policy::{Policy, UnknownPolicy},
};

/// What to simulate.
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// A canonical workload, such as steady, diurnal or flash-crowd (`sluice simulate list` names them
    /// all), or a CSV file of minute,messages [default: burst].
    #[arg(value_name = "WORKLOAD")]
    pub workload: Option<String>,
    /// A scenario as TOML: workload, work, cluster, object, policies. Flags override it.
    #[arg(long, value_name = "FILE.toml")]
    pub scenario: Option<PathBuf>,
    /// Your own ScaledObject: its triggers about SQS are compared with Sluice in their place, and all
    /// others get its bounds and times.
    #[arg(long = "scaledobject", value_name = "FILE.yaml")]
    pub scaled_object: Option<PathBuf>,
    #[command(flatten)]
    pub history: HistoryArgs,
    /// A policy to compare, such as queue-length=5, target-wait or oracle (`--policy list` names them
    /// all); may be repeated [default: most of them].
    #[arg(long = "policy", value_name = "POLICY", value_parser = policy)]
    pub policies: Vec<Policy>,
    /// The first seed: the same seed gives the same run [default: 1].
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Runs of each policy, with seeds that follow one another [default: 1].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub seeds: Option<u64>,
    /// How long a message may wait to be received [default: 300].
    #[arg(long, value_name = "SECONDS", value_parser = seconds(1.0..=86_400.0))]
    pub target_wait_seconds: Option<Duration>,
    /// The mean time that a message takes [default: the workload's; 1 for a file].
    #[arg(long, value_name = "SECONDS", value_parser = seconds(0.001..=86_400.0))]
    pub message_seconds: Option<Duration>,
    /// How those times are spread: constant, exponential or lognormal:SIGMA.
    #[arg(long, value_name = "SPREAD")]
    pub service_time: Option<Spread>,
    /// Messages that a pod works on at once [default: the workload's; 10 for a file].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: Option<u32>,
    /// What each number of a file is multiplied with [default: 1].
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub scale: Option<f64>,
    /// `maxReplicaCount` of the ScaledObject [default: 100].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_replicas: Option<u32>,
    /// `cooldownPeriod` of the ScaledObject [default: 300].
    #[arg(long, value_name = "SECONDS", value_parser = seconds(0.0..=86_400.0))]
    pub cooldown_seconds: Option<Duration>,
    /// `pollingInterval` of the ScaledObject [default: 30].
    #[arg(long, value_name = "SECONDS", value_parser = seconds(1.0..=3_600.0))]
    pub polling_interval_seconds: Option<Duration>,
    /// The autoscaler's `stabilizationWindowSeconds` for scaling down [default: 300].
    #[arg(long, value_name = "SECONDS", value_parser = seconds(0.0..=3_600.0))]
    pub stabilization_seconds: Option<Duration>,
    /// From a pod's place on a node to its first message [default: the workload's].
    #[arg(long, value_name = "SECONDS", value_parser = seconds(0.0..=3_600.0))]
    pub startup_seconds: Option<Duration>,
    /// How far SQS's counts are from the truth: exact, ordinary or poor [default: the workload's].
    #[arg(long, value_name = "FIDELITY", value_parser = fidelity)]
    pub fidelity: Option<Fidelity>,
    /// Nodes that are always there [default: 2].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub nodes: Option<u32>,
    /// Pods that a node has room for [default: 10].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub pods_per_node: Option<u32>,
    /// How the comparison is printed.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    pub output: Form,
    /// The same as --output json.
    #[arg(long, conflicts_with_all = ["csv", "output"])]
    pub json: bool,
    /// The same as --output csv.
    #[arg(long, conflicts_with = "output")]
    pub csv: bool,
    /// Write a page with charts to this file: HTML that needs nothing else.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Write the chart of cost against waiting alone to this file.
    #[arg(long, value_name = "FILE.svg")]
    pub chart: Option<PathBuf>,
}

/// How a comparison is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The leaderboard.
    Table,
    /// All there is: each policy, each run, and the first run over time.
    Json,
    /// A line for each run.
    Csv,
}

impl SimulateArgs {
    /// How the comparison is to be printed.
    pub fn form(&self) -> Form {
        match self {
            Self { json: true, .. } => Form::Json,
            Self { csv: true, .. } => Form::Csv,
            _ => self.output,
        }
    }
}

impl From<&SimulateArgs> for SimulateSettings {
    fn from(args: &SimulateArgs) -> Self {
        Self {
            workload: args.workload.clone(),
            scenario: args.scenario.clone(),
            scaled_object: args.scaled_object.clone(),
            policies: args.policies.clone(),
            seed: args.seed,
            seeds: args.seeds,
            scale: args.scale,
            overrides: Overrides {
                target_wait: args.target_wait_seconds,
                message: args.message_seconds,
                spread: args.service_time,
                concurrency: args.concurrency,
                max_replicas: args.max_replicas,
                cooldown: args.cooldown_seconds,
                polling_interval: args.polling_interval_seconds,
                stabilization: args.stabilization_seconds,
                startup: args.startup_seconds,
                fidelity: args.fidelity.clone(),
                nodes: args.nodes,
                pods_per_node: args.pods_per_node,
            },
        }
    }
}

fn policy(text: &str) -> Result<Policy, UnknownPolicy> {
    text.parse()
}

fn factor(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let factor = number.filter(|factor| *factor > 0.0 && *factor <= 1e6);
    factor.ok_or_else(|| "expected a number above 0, at most 1000000".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn given_simulate(arguments: &[&str]) -> Result<SimulateSettings, String> {
        let line = ["sluice", "simulate"].iter().chain(arguments);
        match Cli::try_parse_from(line)
            .map_err(|error| error.to_string())?
            .command
        {
            Command::Simulate(args) => Ok(SimulateSettings::from(&*args)),
            other => panic!("not simulate: {other:?}"),
        }
    }

    #[test]
    fn what_is_not_typed_is_left_to_the_scenario() {
        let settings = given_simulate(&[]).unwrap();
        assert_eq!(settings, SimulateSettings::default());
    }

    #[test]
    fn policies_are_compared_in_the_order_given() {
        let settings = given_simulate(&["steady", "--policy=step", "--policy=visible=7"]).unwrap();
        let names: Vec<String> = settings.policies.iter().map(Policy::to_string).collect();
        assert_eq!(names, ["step", "visible=7"]);
    }

    #[test]
    fn what_is_no_policy_and_no_factor_is_refused_with_what_would_be() {
        let error = given_simulate(&["--policy=magic"]).unwrap_err();
        assert!(error.contains("expected queue-length=N, "), "{error}");
        for wrong in ["0", "-1", "NaN", "much"] {
            let error = given_simulate(&[&format!("--scale={wrong}")]).unwrap_err();
            assert!(error.contains("expected a number above 0"), "{error}");
        }
    }
}
