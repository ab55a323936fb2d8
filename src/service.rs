//! Composition: builds the parts of `sluice serve`, binds its ports, runs them and drains them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access,
    cache::{CacheSettings, ObservationCache},
    clock::EpochClock,
    grpc::{Doors, Eyes, Limits, ScalerService, ScalerSettings, router, start_health, stop_health},
    http::{self, Pages, Readiness, StatusPage},
    metrics::Metrics,
    queue::{
        MinuteFeed, MinuteSettings, MinuteSource, QueueSource, cloudwatch::CloudWatchSource,
        minute_feed,
    },
    status::{Board, BoardMetrics},
    tls::TlsFeed,
    workloads::WorkloadFeed,
};

/// Everything `sluice serve` can be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceSettings {
    /// Where KEDA calls.
    pub grpc_listen: SocketAddr,
    /// Where probes and Prometheus call.
    pub http_listen: SocketAddr,
    /// How long answers serve.
    pub cache: CacheSettings,
    /// How often queues are asked for their minutes, and for how much money.
    pub minutes: MinuteSettings,
    /// How the RPCs behave.
    pub scaler: ScalerSettings,
    /// What of the status board is shown on the HTTP port.
    pub status_page: StatusPage,
    /// A client is asked to connect anew after this time, give or take a tenth; None never does.
    pub connection_age: Option<Duration>,
    /// After a signal to stop, calls under way are cut off after this time.
    pub drain_deadline: Duration,
}

/// What the service senses with.
#[derive(Debug)]
pub struct Sensors<S, M = CloudWatchSource> {
    /// Tells the counts of queues.
    pub queues: S,
    /// Tells their minutes; `None` does without.
    pub minutes: Option<M>,
    /// Tells of the objects that ask.
    pub workloads: WorkloadFeed,
    /// Tells the time.
    pub clock: EpochClock,
    /// Tells who may ask for what.
    pub access: Access,
}

impl<S> Sensors<S> {
    /// Counts alone, without minutes, also of stand-ins for AWS on this machine.
    pub fn of_counts(queues: S) -> Self {
        Self {
            queues,
            minutes: None,
            workloads: WorkloadFeed::off(),
            clock: EpochClock::start(),
            access: Access::for_stand_ins(),
        }
    }
}

/// Why the service could not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A port is taken or not ours.
    #[error("cannot listen on {address} for {purpose}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What was to be served there.
        purpose: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The reflection service could not be built from the contract.
    #[error("cannot describe the contract for reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The gRPC server failed.
    #[error("the gRPC server failed")]
    Grpc(#[from] tonic::transport::Error),
    /// The HTTP server failed.
    #[error("the HTTP server failed")]
    Http(#[source] io::Error),
    /// Calls were still under way when the drain deadline passed.
    #[error("calls were cut off: they were not finished {} s after the signal to stop", .0.as_secs_f64())]
    DrainDeadline(Duration),
}

/// A scaler with its ports bound, ready to run.
#[derive(Debug)]
pub struct Service<S> {
    grpc: TcpListener,
    http: TcpListener,
    scaler: ScalerService<S>,
    minutes: MinuteFeed,
    workloads: WorkloadFeed,
    metrics: Arc<Metrics>,
    board: Arc<Board>,
    status_page: StatusPage,
    /// Cancelled by the first step of the drain.
    draining: CancellationToken,
    clock: EpochClock,
    tls: Option<TlsFeed>,
    access: Access,
    limits: Limits,
    connection_age: Option<Duration>,
    drain_deadline: Duration,
}

impl<S: QueueSource> Service<S> {
    /// Binds the ports and builds everything behind them; nothing is served yet.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn bind<M: MinuteSource>(
        settings: ServiceSettings,
        sensors: Sensors<S, M>,
    ) -> Result<Self, ServiceError> {
        let grpc = bind(settings.grpc_listen, "gRPC").await?;
        let http = bind(settings.http_listen, "HTTP").await?;
        let board = Arc::new(Board::new(sensors.clock));
        let mut metrics = Metrics::default();
        metrics.include(BoardMetrics(Arc::clone(&board)));
        let metrics = Arc::new(metrics);
        let draining = CancellationToken::new();
        let minutes = start_polling(
            &settings,
            sensors.minutes,
            &metrics,
            (sensors.clock, &draining),
        );
        let eyes = Eyes {
            counts: ObservationCache::new(sensors.queues, settings.cache, Arc::clone(&metrics)),
            minutes: minutes.clone(),
            workloads: sensors.workloads.clone(),
            clock: sensors.clock,
            board: Arc::clone(&board),
            access: sensors.access.clone(),
        };
        let scaler = ScalerService::new(
            eyes,
            settings.scaler,
            Arc::clone(&metrics),
            draining.clone(),
        );
        Ok(Self {
            grpc,
            http,
            scaler,
            minutes,
            workloads: sensors.workloads,
            metrics,
            board,
            status_page: settings.status_page,
            draining,
            clock: sensors.clock,
            tls: None,
            access: sensors.access,
            limits: settings.scaler.limits,
            connection_age: settings.connection_age.map(jittered),
            drain_deadline: settings.drain_deadline,
        })
    }

    /// Speaks TLS on the gRPC port, or does not.
    #[must_use]
    pub fn secured(self, tls: Option<TlsFeed>) -> Self {
        Self { tls, ..self }
    }

    /// Where KEDA can call: the port asked for, or the one the system chose for port 0.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn grpc_address(&self) -> io::Result<SocketAddr> {
        self.grpc.local_addr()
    }

    /// Where probes can call.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn http_address(&self) -> io::Result<SocketAddr> {
        self.http.local_addr()
    }

    /// The minutes of queues.
    pub fn minutes(&self) -> MinuteFeed {
        self.minutes.clone()
    }

    /// What is known of the objects that ask.
    pub fn workloads(&self) -> WorkloadFeed {
        self.workloads.clone()
    }

    /// Serves until `shutdown` is cancelled, then drains: not ready at once, streams ended with OK,
    /// calls under way finished, all of it within the drain deadline.
    ///
    /// # Errors
    /// When a server fails, or calls had to be cut off.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        let Self {
            grpc,
            http,
            scaler,
            // Held until the end: who fills them stops when nobody holds them.
            minutes: _minutes,
            workloads: _workloads,
            metrics,
            board,
            status_page,
            draining,
            clock,
            tls,
            access,
            limits,
            connection_age,
            drain_deadline,
        } = self;
        let (mut health, health_service) = start_health().await;
        if let Some(tls) = tls.clone() {
            tokio::spawn(tls.watch((Arc::clone(&metrics), clock), draining.clone()));
        }
        tokio::spawn(access.watch(draining.clone()));
        let doors = Doors {
            tls,
            age_max: connection_age,
            connections_max: limits.connections_max,
            metrics: Arc::clone(&metrics),
        };
        let grpc = router(scaler, health_service, (connection_age, limits))?
            .serve_with_incoming_shutdown(doors.open(grpc), draining.clone().cancelled_owned());

        let (readiness, http_stop) = (Readiness::default(), CancellationToken::new());
        let pages = Pages {
            metrics,
            readiness: readiness.clone(),
            board,
            status_page,
        };
        let pages = http::serve(http, pages, http_stop.clone());
        readiness.set(true);
        let drain = async {
            shutdown.cancelled().await;
            tracing::info!("stopping: not ready any more, ending streams, finishing calls");
            readiness.set(false);
            stop_health(&mut health).await;
            draining.cancel();
        };
        let answers = async {
            let outcome = serve_until_drained(grpc, drain, drain_deadline).await;
            // The pages go last, so that probes see the drain.
            http_stop.cancel();
            outcome
        };
        let (answered, paged) = tokio::join!(answers, pages);
        answered.and(paged.map_err(ServiceError::Http))
    }
}

/// Starts the one task that asks for minutes, or says why there are none. It ends with the drain.
fn start_polling<M: MinuteSource>(
    settings: &ServiceSettings,
    source: Option<M>,
    metrics: &Arc<Metrics>,
    (clock, draining): (EpochClock, &CancellationToken),
) -> MinuteFeed {
    match source {
        None => MinuteFeed::off("CloudWatch is switched off"),
        Some(_) if settings.minutes.dollars_per_month <= 0.0 => {
            MinuteFeed::off("the budget for CloudWatch is $0")
        }
        Some(source) => {
            let (feed, poller) = minute_feed(source, settings.minutes, Arc::clone(metrics), clock);
            tokio::spawn(poller.run(draining.clone()));
            feed
        }
    }
}

/// Copies that are started together do not send their clients away together.
fn jittered(age: Duration) -> Duration {
    age.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// Runs `grpc` to its end, which must come within `deadline` after `drain` has.
async fn serve_until_drained(
    grpc: impl Future<Output = Result<(), tonic::transport::Error>>,
    drain: impl Future<Output = ()>,
    deadline: Duration,
) -> Result<(), ServiceError> {
    tokio::pin!(grpc);
    tokio::select! {
        outcome = &mut grpc => return Ok(outcome?),
        () = drain => {}
    }
    let drained = timeout(deadline, grpc).await;
    Ok(drained.map_err(|_| ServiceError::DrainDeadline(deadline))??)
}

async fn bind(address: SocketAddr, purpose: &'static str) -> Result<TcpListener, ServiceError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServiceError::Bind {
            address,
            purpose,
            source,
        })
}
