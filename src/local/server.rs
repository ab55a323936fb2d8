//! The listening server: what its requests share, how it starts, and how it ends.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit, routing};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    account::Account,
    admin,
    clock::Clock,
    cloudwatch::{self, Metrics},
    control::Control,
    faults::Faults,
    http,
    s3::Buckets,
};

/// Requests still running this long after shutdown began are cut off.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest batch is 1 MiB of text; JSON may escape each byte of it as six.
const BODY_BYTES_MAX: usize = 8 * 1_048_576;

/// A local SQS on a socket, not yet serving.
#[derive(Debug)]
pub struct LocalServer {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What every request can reach.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) shutdown: CancellationToken,
}

/// The state of the server, one lock for each kind.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    account: Mutex<Account>,
    faults: Mutex<Faults>,
    requests: Mutex<BTreeMap<&'static str, u64>>,
    metrics: Mutex<Metrics>,
    buckets: Mutex<Buckets>,
}

impl LocalServer {
    /// Listens on `address`; port 0 chooses a free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            shared: Arc::new(Shared::new()),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL to give to an AWS client as its endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A handle that looks into the server and changes it, while it serves too.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared), self.address)
    }

    /// Serves until `shutdown`: long polls then end at once and other requests within five seconds.
    pub async fn serve(self, shutdown: CancellationToken) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let app = App {
            shared: self.shared,
            shutdown: shutdown.clone(),
        };
        let stopped = shutdown.clone().cancelled_owned();
        let server = axum::serve(self.listener, router(app)).with_graceful_shutdown(stopped);
        let overdue = async {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        };
        tokio::select! {
            result = server => result,
            () = overdue => Ok(()),
            () = sample_each_minute(&shared) => Ok(()),
        }
    }
}

/// Takes the metrics of each minute when it ends; lives as long as the server that it is part of.
async fn sample_each_minute(shared: &Shared) {
    loop {
        shared.catch_up();
        let next = shared.metrics().next_sample_at;
        tokio::time::sleep(next.saturating_sub(shared.now())).await;
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/_sluice/queues", routing::get(admin::queues))
        .route("/_sluice/requests", routing::get(admin::requests))
        .route("/_sluice/clock", routing::post(admin::advance_clock))
        .route("/_sluice/metrics", routing::post(admin::set_metric_delay))
        .route(
            "/_sluice/faults",
            routing::post(admin::set_fault).delete(admin::clear_faults),
        )
        .fallback(http::answer)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

#[cfg(test)]
impl App {
    /// The inside of a server that listens nowhere.
    pub(crate) fn for_tests() -> Self {
        Self {
            shared: Arc::new(Shared::new()),
            shutdown: CancellationToken::new(),
        }
    }
}

impl Shared {
    fn new() -> Self {
        let clock = Clock::start();
        Self {
            metrics: Mutex::new(Metrics::starting_at(clock.now())),
            buckets: Mutex::default(),
            clock,
            account: Mutex::default(),
            faults: Mutex::default(),
            requests: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        locked(&self.account)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        locked(&self.faults)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        locked(&self.requests)
    }

    /// Counts a request for one of the operations that are known.
    pub(crate) fn count(&self, operation: &'static str) {
        *self.requests().entry(operation).or_default() += 1;
    }

    /// Locked after the account where both are needed.
    pub(crate) fn metrics(&self) -> MutexGuard<'_, Metrics> {
        locked(&self.metrics)
    }

    pub(crate) fn buckets(&self) -> MutexGuard<'_, Buckets> {
        locked(&self.buckets)
    }

    /// Takes the metrics of every minute that has ended.
    pub(crate) fn catch_up(&self) {
        cloudwatch::sample_until(self, self.now());
    }

    /// Moves time forward, minute by minute for the metrics, and lets every long poll look again.
    pub(crate) fn advance_clock(&self, by: Duration) {
        cloudwatch::sample_until(self, self.now() + by);
        self.clock.advance(by);
        for queue in self.account().queues.values() {
            queue.arrivals.notify_waiters();
        }
    }
}

/// A panic in another request leaves the state usable: each change to it is complete by itself.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
