//! The scaler within this process, with the real client of AWS, where what surrounds it can be replaced: the names that are
//! resolved, and the clock that the client goes by. Its own time passes as instants do, whatever the clock says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_smithy_async::time::TimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use sluice::access::{Access, OwnAccount};
use sluice::cache::CacheSettings;
use sluice::clock::EpochClock;
use sluice::grpc::ScalerSettings;
use sluice::http::StatusPage;
use sluice::queue::cloudwatch::{CloudWatchEndpoint, CloudWatchSource};
use sluice::queue::{AwsConfig, LoopbackEndpoints, MinuteSettings, SqsSource};
use sluice::service::{Sensors, Service, ServiceSettings};
use sluice::workloads::WorkloadFeed;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::planted::secrets::SECRET;
use crate::scaler::{FAILURE_MEMORY, STALENESS_BOUND, TIME_TO_LIVE};
use crate::world::World;

/// Its own, as the process beside it has.
const FETCH_DEADLINE: Duration = Duration::from_secs(2);
const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Credentials are fetched anew ten seconds before they expire: with this, about every two seconds.
const CREDENTIALS_LAST: Duration = Duration::from_secs(12);

/// The one name server there is: every name is this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    fail: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

impl Names {
    pub(crate) fn fail(&self, fail: bool) {
        self.fail.store(fail, Ordering::Relaxed);
    }

    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, _name: &'a str) -> DnsFuture<'a> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        DnsFuture::ready(if self.fail.load(Ordering::Relaxed) {
            Err(ResolveDnsError::new("no name server answers"))
        } else {
            Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
        })
    }
}

/// The clock of the machine, which somebody sets.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    right: EpochClock,
    ahead_seconds: Arc<AtomicI64>,
}

impl Clock {
    fn start() -> Self {
        Self {
            right: EpochClock::start(),
            ahead_seconds: Arc::default(),
        }
    }

    pub(crate) fn set_ahead(&self, seconds: i64) {
        self.ahead_seconds.store(seconds, Ordering::Relaxed);
    }

    fn since_epoch(&self) -> Duration {
        let (now, ahead) = (
            self.right.at(Instant::now()),
            self.ahead_seconds.load(Ordering::Relaxed),
        );
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 {
            now.saturating_sub(by)
        } else {
            now + by
        }
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.since_epoch()
    }
}

/// A scaler in this process.
pub(crate) struct Inside {
    pub(crate) grpc: SocketAddr,
    pub(crate) names: Names,
    pub(crate) clock: Clock,
    stop: CancellationToken,
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Inside {
    /// Asks the world by a name, with credentials that expire by the right clock.
    pub(crate) async fn start(world: &World) -> Self {
        let (names, clock) = (Names::default(), Clock::start());
        let aws = aws(world, &names, &clock).await;
        let own_account = OwnAccount::of(aws.clone());
        let access = Access::load(
            None,
            LoopbackEndpoints::Refused,
            (own_account, aws.is_aws()),
        );
        let sensors = Sensors {
            queues: SqsSource::new(aws.clone(), FETCH_DEADLINE),
            minutes: Some(CloudWatchSource::new(aws, CloudWatchEndpoint::Region)),
            workloads: WorkloadFeed::off(),
            clock: EpochClock::start(),
            access: access.unwrap(),
        };
        let service = Service::bind(settings(), sensors).await.unwrap();
        let (grpc, stop) = (service.grpc_address().unwrap(), CancellationToken::new());
        tokio::spawn(service.run(stop.clone()));
        Self {
            grpc,
            names,
            clock,
            stop,
        }
    }
}

async fn aws(world: &World, names: &Names, clock: &Clock) -> AwsConfig {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_with_resolver(names.clone());
    let right = clock.right;
    let credentials = provide_credentials_fn(move || async move {
        let expires = UNIX_EPOCH + right.at(Instant::now()) + CREDENTIALS_LAST;
        let token = Some(format!("{SECRET}-token"));
        Ok(Credentials::new(
            "AKIALOCAL",
            SECRET,
            token,
            Some(expires),
            "chaos",
        ))
    });
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(format!("http://aws.invalid:{}", world.wire.address.port()))
        .http_client(http)
        .time_source(clock.clone())
        .credentials_provider(credentials);
    AwsConfig::of_config(config.load().await)
}

fn settings() -> ServiceSettings {
    ServiceSettings {
        grpc_listen: ANYWHERE,
        http_listen: ANYWHERE,
        cache: CacheSettings {
            ttl: TIME_TO_LIVE,
            staleness_bound: STALENESS_BOUND,
            failure_memory: FAILURE_MEMORY,
            fetch_deadline: FETCH_DEADLINE,
        },
        minutes: MinuteSettings::default(),
        scaler: ScalerSettings::default(),
        status_page: StatusPage::On,
        connection_age: None,
        drain_deadline: Duration::from_secs(5),
    }
}
