//! Whether, how and for how much money CloudWatch is asked, as it is typed.

use clap::{Args, ValueEnum};

use crate::queue::cloudwatch::CloudWatchEndpoint;

/// Whether and how to ask CloudWatch: for queues with a target wait that are not empty, as one more sense.
#[derive(Debug, Clone, Args)]
pub struct CloudWatchArgs {
    #[command(flatten)]
    pub switch: CloudWatchSwitch,
    /// What a month of CloudWatch may cost; 0 asks for nothing. A queue that is never empty takes $1.34.
    #[arg(long, env = "SLUICE_CLOUDWATCH_DOLLARS_PER_MONTH", value_name = "DOLLARS", default_value = "5", value_parser = dollars)]
    pub cloudwatch_dollars_per_month: f64,
}

/// Whether and which CloudWatch is asked.
#[derive(Debug, Clone, Args)]
pub struct CloudWatchSwitch {
    /// Whether to ask CloudWatch; without the permission it is done without.
    #[arg(
        long,
        env = "SLUICE_CLOUDWATCH",
        value_enum,
        value_name = "SWITCH",
        default_value = "on"
    )]
    pub cloudwatch: Switch,
    /// Which CloudWatch: of the `region`; of the `trigger`, which is its awsEndpoint where that is not
    /// AWS's; or one URL for all queues.
    #[arg(long, env = "SLUICE_CLOUDWATCH_ENDPOINT", value_name = "ENDPOINT", default_value = "region", value_parser = cloudwatch_endpoint)]
    pub cloudwatch_endpoint: CloudWatchEndpoint,
}

impl CloudWatchSwitch {
    /// Which CloudWatch is asked, if one is.
    pub fn endpoint(&self) -> Option<CloudWatchEndpoint> {
        let is_on = self.cloudwatch == Switch::On;
        is_on.then(|| self.cloudwatch_endpoint.clone())
    }
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

fn dollars(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let dollars = number.filter(|dollars| (0.0..=100_000.0).contains(dollars));
    dollars.ok_or_else(|| "expected dollars from 0 to 100000".to_owned())
}

fn cloudwatch_endpoint(text: &str) -> Result<CloudWatchEndpoint, String> {
    match text {
        "region" => Ok(CloudWatchEndpoint::Region),
        "trigger" => Ok(CloudWatchEndpoint::Trigger),
        url if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(CloudWatchEndpoint::Url(url.to_owned()))
        }
        _ => Err("expected region, trigger or a URL of http or https".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::given_serve;

    #[test]
    fn a_cloudwatch_is_of_the_region_of_the_trigger_or_a_url() {
        let given = |text: &str| {
            let args = given_serve(&[&format!("--cloudwatch-endpoint={text}")])?;
            Ok::<_, String>(args.cloudwatch.switch.cloudwatch_endpoint)
        };
        assert_eq!(given("region"), Ok(CloudWatchEndpoint::Region));
        assert_eq!(given("trigger"), Ok(CloudWatchEndpoint::Trigger));
        let url = "http://127.0.0.1:9324";
        assert_eq!(given(url), Ok(CloudWatchEndpoint::Url(url.to_owned())));
        let error = given("moon").unwrap_err();
        assert!(
            error.contains("expected region, trigger or a URL"),
            "{error}"
        );
    }
}
