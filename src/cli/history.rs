//! What is typed after `sluice simulate` to replay a queue's own past.

use std::path::PathBuf;

use clap::Args;

use crate::{history::HistorySettings, queue::cloudwatch::HISTORY_DAYS_MAX};

/// Whose past to replay.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// Simulate what was sent to this queue, a URL or a name, as CloudWatch tells it: minute by minute of
    /// the last 14 days, else by five minutes. Costs about $0.00001.
    #[arg(
        long,
        value_name = "QUEUE",
        requires = "save",
        conflicts_with = "workload"
    )]
    pub from_cloudwatch: Option<String>,
    /// How many days back.
    #[arg(long, value_name = "COUNT", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=i64::from(HISTORY_DAYS_MAX)))]
    pub days: u32,
    /// The queue's region, where its URL does not say it.
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    pub region: Option<String>,
    /// The file of minute,messages to write; it can be simulated again by its name.
    #[arg(long, value_name = "FILE", requires = "from_cloudwatch")]
    pub save: Option<PathBuf>,
}

impl HistoryArgs {
    /// What to ask `CloudWatch` for, if anything.
    pub fn settings(&self) -> Option<HistorySettings> {
        Some(HistorySettings {
            queue: self.from_cloudwatch.clone()?,
            region: self.region.clone(),
            days: self.days,
            save: self.save.clone()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn given_history(arguments: &[&str]) -> Result<Option<HistorySettings>, String> {
        let line = ["sluice", "simulate"].iter().chain(arguments);
        match Cli::try_parse_from(line)
            .map_err(|error| error.to_string())?
            .command
        {
            Command::Simulate(args) => Ok(args.history.settings()),
            other => panic!("not simulate: {other:?}"),
        }
    }

    #[test]
    fn a_past_is_asked_for_with_the_file_it_is_saved_to() {
        let asked = [
            "--from-cloudwatch=orders",
            "--region=eu-west-1",
            "--save=a.csv",
        ];
        let settings = given_history(&asked).unwrap().unwrap();
        let expected = HistorySettings {
            queue: "orders".to_owned(),
            region: Some("eu-west-1".to_owned()),
            days: 7,
            save: PathBuf::from("a.csv"),
        };
        assert_eq!(settings, expected);
        assert_eq!(given_history(&["steady"]), Ok(None));
    }

    #[test]
    fn what_goes_together_is_said() {
        let refused = [
            (&["--from-cloudwatch=orders"][..], "--save <FILE>"),
            (&["--save=a.csv"], "--from-cloudwatch <QUEUE>"),
            (
                &["steady", "--from-cloudwatch=a", "--save=b"],
                "cannot be used with",
            ),
            (&["--from-cloudwatch=a", "--save=b", "--days=63"], "1..=62"),
        ];
        for (arguments, expected) in refused {
            let error = given_history(arguments).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
