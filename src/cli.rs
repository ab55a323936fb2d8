//! What is typed -> checked, typed settings. Touches nothing.

mod access;
mod doctor;
mod explain;
mod history;
mod migrate;
mod simulate;
mod tls;

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    cache::CacheSettings,
    demo::DemoSettings,
    grpc::{Limits, ScalerSettings},
    http::StatusPage,
    local::LocalSettings,
    queue::{MinuteSettings, cloudwatch::CloudWatchEndpoint},
    service::ServiceSettings,
    telemetry::LogFormat,
    watchers::WatchSettings,
};

pub use {
    access::AccessArgs,
    doctor::DoctorArgs,
    explain::{ExplainArgs, RampArgs},
    history::HistoryArgs,
    migrate::MigrateArgs,
    simulate::{Form, SimulateArgs},
    tls::{TlsArgs, UnsecuredAddress},
};

/// Scales Kubernetes workers to their Amazon SQS queues: a KEDA external scaler.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub log: LogArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer KEDA.
    Serve(Box<ServeArgs>),
    /// Show scaling at work on this machine: no cluster, no account, about a minute.
    Demo(DemoArgs),
    /// Compare scaling policies on a workload or a trace in virtual time, before production does.
    Simulate(Box<SimulateArgs>),
    /// Say what is decided and why, or what a cluster needs for a wanted ramp.
    Explain(ExplainArgs),
    /// Look at what scaling depends on: what is wrong, and what to do.
    Doctor(DoctorArgs),
    /// Rewrite manifests from KEDA's aws-sqs-queue to Sluice, and back.
    Migrate(MigrateArgs),
    /// Run a local SQS for development.
    Local(LocalArgs),
}

/// How to log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// How a line of the log looks.
    #[arg(
        long,
        env = "SLUICE_LOG_FORMAT",
        value_enum,
        default_value = "text",
        global = true
    )]
    pub log_format: LogFormat,
    /// What is logged: a level, or `target=level` pairs with commas between [default: info, and
    /// warn for the demo].
    #[arg(long, env = "SLUICE_LOG", global = true, display_order = 101)]
    pub log: Option<String>,
}

impl Cli {
    /// What to log: as asked, or little where people watch something else.
    pub fn log_filter(&self) -> &str {
        let default = if matches!(self.command, Command::Demo(_)) {
            "warn"
        } else {
            "info"
        };
        self.log.log.as_deref().unwrap_or(default)
    }
}

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

/// Whether and how to ask CloudWatch: for queues with a target wait that are not empty, as one more sense.
#[derive(Debug, Clone, Args)]
pub struct CloudWatchArgs {
    /// Whether to ask CloudWatch at all; without the permission it is done without.
    #[arg(
        long,
        env = "SLUICE_CLOUDWATCH",
        value_enum,
        value_name = "SWITCH",
        default_value = "on"
    )]
    pub cloudwatch: Switch,
    /// What a month of CloudWatch may cost; 0 asks for nothing. A queue that is never empty takes $1.34.
    #[arg(long, env = "SLUICE_CLOUDWATCH_DOLLARS_PER_MONTH", value_name = "DOLLARS", default_value = "5", value_parser = dollars)]
    pub cloudwatch_dollars_per_month: f64,
    /// Which CloudWatch: of the `region`; of the `trigger`, which is its awsEndpoint where that is not
    /// AWS's; or one URL for all queues.
    #[arg(long, env = "SLUICE_CLOUDWATCH_ENDPOINT", value_name = "ENDPOINT", default_value = "region", value_parser = cloudwatch_endpoint)]
    pub cloudwatch_endpoint: CloudWatchEndpoint,
}

/// Whether and which CloudWatch is asked by a command that looks once.
#[derive(Debug, Clone, Args)]
pub struct CloudWatchSwitch {
    /// Whether to ask CloudWatch.
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

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// The burst of the demonstration lasts so long.
const BURST: Duration = Duration::from_secs(4);

/// What the demonstration plays.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Messages in all; what is not sent first comes as a burst.
    #[arg(long, value_name = "COUNT", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub messages: u64,
    /// Messages that are there at the beginning.
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub first_messages: u64,
    /// How long a worker is busy with a message.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pub work_milliseconds: u64,
    /// Messages that a worker is busy with at once.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub concurrency: u32,
    /// Messages per replica: `queueLength` of the trigger.
    #[arg(long, value_name = "MESSAGES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub queue_length: u32,
    /// Workers at once, at most: `maxReplicaCount` of the ScaledObject.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub max_replicas: u32,
    /// The worker's binary; by default the one beside this program.
    #[arg(long, value_name = "PATH")]
    pub worker: Option<PathBuf>,
    /// Show the workers' logs.
    #[arg(long)]
    pub worker_logs: bool,
    /// Play it twice: as aws-sqs-queue with its default queueLength, then with a target wait of 20 s.
    #[arg(long, conflicts_with = "queue_length")]
    pub law: bool,
    /// Show the summary only.
    #[arg(long)]
    pub once: bool,
    /// Print the summary as JSON, and nothing else.
    #[arg(long)]
    pub json: bool,
}

impl From<&DemoArgs> for DemoSettings {
    fn from(args: &DemoArgs) -> Self {
        Self {
            first_messages: args.first_messages,
            messages: args.messages,
            work: Duration::from_millis(args.work_milliseconds),
            concurrency: args.concurrency,
            queue_length: args.queue_length,
            target_wait: None,
            burst: BURST,
            max_replicas: args.max_replicas,
            worker: args.worker.clone(),
            worker_logs: args.worker_logs,
            live: !args.once && !args.json,
        }
    }
}

/// A local SQS for development.
#[derive(Debug, Clone, Args)]
pub struct LocalArgs {
    /// Where clients call: their endpoint is `http://ADDRESS`, and any keys will do.
    #[arg(
        long,
        env = "SLUICE_LOCAL_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9324"
    )]
    pub listen: SocketAddr,
    /// Allow an address that other machines can reach; no credentials are checked.
    #[arg(long)]
    pub allow_remote: bool,
    /// A queue to create at the start; may be repeated. A name in `.fifo` is a FIFO queue.
    #[arg(long = "queue", value_name = "NAME")]
    pub queues: Vec<String>,
}

impl From<&LocalArgs> for LocalSettings {
    fn from(args: &LocalArgs) -> Self {
        let LocalArgs {
            listen,
            allow_remote,
            queues,
        } = args.clone();
        Self {
            listen,
            allow_remote,
            queues,
        }
    }
}

/// A parser of seconds within `range`, such as `5` or `0.5`.
fn seconds(
    range: RangeInclusive<f64>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync {
    move |text| {
        let wanted = || format!("expected seconds from {} to {}", range.start(), range.end());
        let seconds = text.parse::<f64>().map_err(|_| wanted())?;
        if !range.contains(&seconds) {
            return Err(wanted());
        }
        Duration::try_from_secs_f64(seconds).map_err(|_| wanted())
    }
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
    use clap::CommandFactory;

    use super::*;

    fn given_serve(arguments: &[&str]) -> Result<ServiceSettings, String> {
        let line = ["sluice", "serve"].iter().chain(arguments);
        match Cli::try_parse_from(line)
            .map_err(|error| error.to_string())?
            .command
        {
            Command::Serve(args) => Ok(ServiceSettings::from(&*args)),
            other => panic!("not serve: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_modules_and_loopback() {
        let settings = given_serve(&[]).unwrap();
        assert_eq!(settings.cache, CacheSettings::default());
        assert_eq!(settings.scaler, ScalerSettings::default());
        assert_eq!(settings.minutes, MinuteSettings::default());
        assert!(settings.grpc_listen.ip().is_loopback() && settings.http_listen.ip().is_loopback());
    }

    #[test]
    fn a_cloudwatch_is_of_the_region_of_the_trigger_or_a_url() {
        let given = |text: &str| {
            let argument = format!("--cloudwatch-endpoint={text}");
            match Cli::try_parse_from(["sluice", "serve", &argument]) {
                Ok(Cli {
                    command: Command::Serve(args),
                    ..
                }) => Ok(args.cloudwatch.cloudwatch_endpoint),
                Ok(other) => panic!("not serve: {other:?}"),
                Err(error) => Err(error.to_string()),
            }
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

    #[test]
    fn a_budget_is_dollars_a_month() {
        let given = |text: &str| {
            let argument = format!("--cloudwatch-dollars-per-month={text}");
            given_serve(&[&argument]).map(|settings| settings.minutes.dollars_per_month)
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
        let settings = given_serve(&["--rpc-deadline-seconds", "0.5"]).unwrap();
        assert_eq!(settings.scaler.rpc_deadline, Duration::from_millis(500));
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_the_range() {
        for value in ["-1", "301", "NaN", "soon"] {
            let argument = format!("--cache-ttl-seconds={value}");
            let error = given_serve(&[&argument]).unwrap_err();
            assert!(error.contains("expected seconds from 0 to 300"), "{error}");
        }
    }

    #[test]
    fn the_readme_lists_every_setting_of_the_server() {
        let readme = include_str!("../README.md");
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
