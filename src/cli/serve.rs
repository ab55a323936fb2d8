//! How KEDA is answered, as it is typed.

use std::{net::SocketAddr, time::Duration};

use clap::Args;

use super::{AccessArgs, CloudWatchArgs, TlsArgs, seconds};
use crate::{
    cache::CacheSettings,
    grpc::{Limits, ScalerSettings},
    http::StatusPage,
    queue::MinuteSettings,
    service::ServiceSettings,
    watchers::WatchSettings,
};

/// How to answer KEDA.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where KEDA calls. In a pod: 0.0.0.0:9090.
    #[arg(
        long,
        env = "SLUICE_GRPC_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9090"
    )]
    pub grpc_listen: SocketAddr,
    /// Where probes and Prometheus call. In a pod: 0.0.0.0:8080.
    #[arg(
        long,
        env = "SLUICE_HTTP_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub http_listen: SocketAddr,
    #[command(flatten)]
    pub tls: TlsArgs,
    #[command(flatten)]
    pub access: AccessArgs,
    /// An observation younger than this is given without asking SQS; 0 asks every time.
    #[arg(long, env = "SLUICE_CACHE_TTL_SECONDS", value_name = "SECONDS", default_value = "5", value_parser = seconds(0.0..=300.0))]
    pub cache_ttl_seconds: Duration,
    /// An observation older than this is no knowledge: the answer is UNAVAILABLE.
    #[arg(long, env = "SLUICE_STALENESS_BOUND_SECONDS", value_name = "SECONDS", default_value = "60", value_parser = seconds(0.0..=3600.0))]
    pub staleness_bound_seconds: Duration,
    /// A failure to read a queue is given again for this time without asking SQS.
    #[arg(long, env = "SLUICE_FAILURE_MEMORY_SECONDS", value_name = "SECONDS", default_value = "1", value_parser = seconds(0.0..=60.0))]
    pub failure_memory_seconds: Duration,
    /// A request to SQS, with its retry, is given up after this time.
    #[arg(long, env = "SLUICE_FETCH_DEADLINE_SECONDS", value_name = "SECONDS", default_value = "5", value_parser = seconds(0.1..=60.0))]
    pub fetch_deadline_seconds: Duration,
    /// A call of KEDA is answered within this time, whatever SQS does.
    #[arg(long, env = "SLUICE_RPC_DEADLINE_SECONDS", value_name = "SECONDS", default_value = "1", value_parser = seconds(0.1..=10.0))]
    pub rpc_deadline_seconds: Duration,
    /// How often a queue is looked at while a push stream waits for work; after an hour without a
    /// message every 2 s, after six hours every 5 s, after a day every 10 s.
    #[arg(long, env = "SLUICE_PUSH_INTERVAL_SECONDS", value_name = "SECONDS", default_value = "1", value_parser = seconds(0.1..=60.0))]
    pub push_interval_seconds: Duration,
    /// All looks for push streams in a second, at most; beyond it every queue is looked at less often.
    #[arg(long, env = "SLUICE_SQS_LOOKS_PER_SECOND_MAX", value_name = "COUNT", default_value_t = WatchSettings::default().looks_per_second_max, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub sqs_looks_per_second_max: u32,
    /// KEDA is asked to connect anew after this time, give or take a tenth, so that new copies get
    /// calls; 0 never does.
    #[arg(long, env = "SLUICE_CONNECTION_AGE_SECONDS", value_name = "SECONDS", default_value = "1800", value_parser = seconds(0.0..=86_400.0))]
    pub connection_age_seconds: Duration,
    /// What is shown on the HTTP port beside health and metrics: the status page and its API, the `api`
    /// alone, or nothing of it.
    #[arg(
        long,
        env = "SLUICE_STATUS_PAGE",
        value_enum,
        value_name = "SWITCH",
        default_value = "on"
    )]
    pub status_page: StatusPage,
    #[command(flatten)]
    pub cloudwatch: CloudWatchArgs,
    /// Read replicas and limits of the objects that ask from the API server of Kubernetes.
    #[cfg(feature = "kubernetes")]
    #[arg(long, env = "SLUICE_KUBERNETES")]
    pub kubernetes: bool,
    /// After SIGTERM, calls still under way are cut off after this time.
    #[arg(long, env = "SLUICE_DRAIN_DEADLINE_SECONDS", value_name = "SECONDS", default_value = "10", value_parser = seconds(0.0..=300.0))]
    pub drain_deadline_seconds: Duration,
}

impl From<&ServeArgs> for ServiceSettings {
    fn from(args: &ServeArgs) -> Self {
        Self {
            grpc_listen: args.grpc_listen,
            http_listen: args.http_listen,
            cache: CacheSettings {
                ttl: args.cache_ttl_seconds,
                staleness_bound: args.staleness_bound_seconds,
                failure_memory: args.failure_memory_seconds,
                fetch_deadline: args.fetch_deadline_seconds,
            },
            minutes: MinuteSettings {
                dollars_per_month: args.cloudwatch.cloudwatch_dollars_per_month,
                ..MinuteSettings::default()
            },
            scaler: ScalerSettings {
                rpc_deadline: args.rpc_deadline_seconds,
                watch: WatchSettings {
                    interval: args.push_interval_seconds,
                    looks_per_second_max: args.sqs_looks_per_second_max,
                },
                limits: Limits::from(&args.access),
            },
            status_page: args.status_page,
            connection_age: Some(args.connection_age_seconds).filter(|age| !age.is_zero()),
            drain_deadline: args.drain_deadline_seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::{Cli, given_serve};

    fn given_settings(arguments: &[&str]) -> Result<ServiceSettings, String> {
        given_serve(arguments).map(|args| ServiceSettings::from(&args))
    }

    #[test]
    fn the_defaults_are_those_of_the_modules_and_loopback() {
        let settings = given_settings(&[]).unwrap();
        assert_eq!(settings.cache, CacheSettings::default());
        assert_eq!(settings.scaler, ScalerSettings::default());
        assert_eq!(settings.minutes, MinuteSettings::default());
        assert!(settings.grpc_listen.ip().is_loopback() && settings.http_listen.ip().is_loopback());
    }

    #[test]
    fn a_budget_is_dollars_a_month() {
        let given = |text: &str| {
            let argument = format!("--cloudwatch-dollars-per-month={text}");
            given_settings(&[&argument]).map(|settings| settings.minutes.dollars_per_month)
        };
        assert_eq!(given("0.5"), Ok(0.5));
        for wrong in ["-1", "NaN", "100001", "much"] {
            let error = given(wrong).unwrap_err();
            assert!(
                error.contains("expected dollars from 0 to 100000"),
                "{error}"
            );
        }
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        let settings = given_settings(&["--rpc-deadline-seconds", "0.5"]).unwrap();
        assert_eq!(settings.scaler.rpc_deadline, Duration::from_millis(500));
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_the_range() {
        for value in ["-1", "301", "NaN", "soon"] {
            let argument = format!("--cache-ttl-seconds={value}");
            let error = given_settings(&[&argument]).unwrap_err();
            assert!(error.contains("expected seconds from 0 to 300"), "{error}");
        }
    }

    #[test]
    fn the_readme_lists_every_setting_of_the_server() {
        let readme = include_str!("../../README.md");
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        let settings = serve.get_arguments().chain(command.get_arguments());
        for setting in settings.filter(|setting| setting.get_env().is_some()) {
            let flag = setting.get_long().unwrap();
            let variable = setting.get_env().unwrap().to_str().unwrap();
            assert!(
                readme.contains(&format!("`--{flag}`")),
                "--{flag} is not in the README"
            );
            assert!(
                readme.contains(&format!("`{variable}`")),
                "{variable} is not in the README"
            );
        }
    }
}
