//! The parts of the demonstration, started together and moved on tick by tick.

use std::{collections::HashMap, net::SocketAddr, path::PathBuf, time::Duration};

use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::Endpoint;

use super::{DemoError, DemoSettings, keda::Keda, pods::Pods, summary::Sight, workload::Workload};
use crate::{
    cache::CacheSettings,
    grpc::ScalerSettings,
    http::StatusPage,
    local::{Control, LocalServer},
    queue::{
        AwsConfig, MinuteSettings, SqsSource,
        cloudwatch::{CloudWatchEndpoint, CloudWatchSource},
    },
    service::{Sensors, Service, ServiceSettings},
};

const QUEUE: &str = "orders";
const REGION: &str = "us-east-1";

/// The local SQS takes any keys.
const KEY: &str = "local";

/// Any free port of this machine, which nobody else can reach.
const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The queue is empty at first, so that the wake-up can be seen.
const FIRST_AT: Duration = Duration::from_secs(2);

/// The burst comes after the first messages have woken the workers.
const BURST_AT: Duration = Duration::from_secs(10);

/// Pushes not yet taken note of: more say the same.
const PUSHES_MAX: usize = 1;

/// An observation serves a second instead of five, as the demonstration is over in a minute.
const CACHE_TTL: Duration = Duration::from_secs(1);

/// A worker process receives its first message within this time.
const STARTUP_SECONDS: u32 = 1;

/// The local SQS answers in milliseconds.
const FETCH: Duration = Duration::from_secs(2);

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Stage {
    sqs: Control,
    workload: Workload,
    pushes: mpsc::Receiver<()>,
    pods: Pods,
    sent: u64,
    first_messages: u64,
    messages: u64,
    burst: Duration,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Stage {
    /// Starts the local SQS, the scaler and KEDA's stand-in; no worker yet.
    pub(super) async fn open(settings: &DemoSettings, worker: PathBuf) -> Result<Self, DemoError> {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let server = LocalServer::bind(LOOPBACK).await?;
        let (endpoint, sqs) = (server.endpoint(), server.control());
        let queue_url = sqs.create_queue(QUEUE, &[]).map_err(DemoError::Queue)?;
        tasks.spawn(server.serve(stop.clone()));

        let aws = AwsConfig::from_environment().await;
        let minutes = CloudWatchSource::new(aws.clone(), CloudWatchEndpoint::Trigger);
        let sensors = Sensors {
            minutes: settings.target_wait.map(|_| minutes),
            ..Sensors::of_counts(SqsSource::new(aws, FETCH))
        };
        let service = Service::bind(service_settings(), sensors).await?;
        let scaler = Endpoint::from_shared(format!("http://{}", service.grpc_address()?))?;
        tasks.spawn(service.run(stop.clone()));

        let metadata = trigger_metadata(&queue_url, &endpoint, settings);
        let keda = Keda::new(scaler.connect().await?, metadata);
        let (awake, pushes) = mpsc::channel(PUSHES_MAX);
        tasks.spawn(keda.clone().follow_pushes(awake));

        let environment = worker_environment(&queue_url, &endpoint, settings);
        Ok(Self {
            sqs,
            workload: Workload::new(keda, settings.max_replicas),
            pushes,
            pods: Pods::new(worker, environment, settings.worker_logs),
            sent: 0,
            first_messages: settings.first_messages.min(settings.messages),
            messages: settings.messages,
            burst: settings.burst,
            stop,
            tasks,
        })
    }

    /// Moves the world on to `now`: sends what is due, scales, and looks.
    pub(super) async fn tick(&mut self, now: Duration) -> Result<Sight, DemoError> {
        self.send_until(self.due(now))?;
        self.pods.reap()?;
        if self.pushes.try_recv().is_ok() {
            self.workload.pushed(now);
        }
        self.workload.advance(now).await;
        self.pods.scale_to(self.workload.replicas())?;
        Ok(self.sight(now))
    }

    /// How many messages are to be sent by `now`: the first ones together, the burst evenly.
    fn due(&self, now: Duration) -> u64 {
        if now < FIRST_AT {
            return 0;
        }
        let into_burst = now.saturating_sub(BURST_AT).min(self.burst).as_millis();
        let burst = u128::from(self.messages - self.first_messages);
        let sent_of_burst = burst * into_burst / self.burst.as_millis().max(1);
        self.first_messages + u64::try_from(sent_of_burst).unwrap_or(u64::MAX)
    }

    fn send_until(&mut self, due: u64) -> Result<(), DemoError> {
        while self.sent < due {
            let body = format!("{{\"messageNumber\":\"{}\"}}", self.sent + 1);
            self.sqs.send(QUEUE, &body).map_err(DemoError::Queue)?;
            self.sent += 1;
        }
        Ok(())
    }

    fn sight(&self, now: Duration) -> Sight {
        let queue = self.sqs.queue(QUEUE).unwrap_or_default();
        Sight {
            now,
            since_first_message: now.saturating_sub(FIRST_AT),
            sent: self.sent,
            done: queue.deleted,
            visible: queue.visible,
            in_flight: queue.in_flight,
            oldest_age: queue.oldest_age.unwrap_or_default(),
            pods_alive: self.pods.alive(),
            scaler_requests: self.sqs.requests("GetQueueAttributes"),
        }
    }

    pub(super) fn has_sent_all(&self) -> bool {
        self.sent == self.messages
    }

    /// The replicas wanted, and why.
    pub(super) fn wanted(&self) -> (u32, &str) {
        (self.workload.replicas(), self.workload.why())
    }

    /// Ends every part; the workers that are left are ended with the process that started them.
    pub(super) async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn service_settings() -> ServiceSettings {
    ServiceSettings {
        grpc_listen: LOOPBACK,
        http_listen: LOOPBACK,
        cache: CacheSettings {
            ttl: CACHE_TTL,
            fetch_deadline: FETCH,
            ..CacheSettings::default()
        },
        minutes: MinuteSettings::default(),
        scaler: ScalerSettings::default(),
        status_page: StatusPage::On,
        connection_age: None,
        drain_deadline: Duration::from_secs(2),
    }
}

/// The trigger of the ScaledObject, as KEDA forwards it.
fn trigger_metadata(
    queue_url: &str,
    endpoint: &str,
    settings: &DemoSettings,
) -> HashMap<String, String> {
    let mut metadata: HashMap<String, String> = [
        ("scalerAddress", "the demonstration"),
        ("queueURL", queue_url),
        ("awsRegion", REGION),
        ("awsEndpoint", endpoint),
        ("awsAccessKeyIDFromEnv", KEY),
        ("awsSecretAccessKeyFromEnv", KEY),
        ("queueLength", &settings.queue_length.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    if let Some(target_wait) = settings.target_wait {
        let law = [
            ("targetWaitSeconds", target_wait.as_secs().to_string()),
            ("concurrency", settings.concurrency.to_string()),
            ("startupSeconds", STARTUP_SECONDS.to_string()),
            ("maxReplicas", settings.max_replicas.to_string()),
        ];
        metadata.extend(law.map(|(key, value)| (key.to_owned(), value)));
    }
    metadata
}

/// What each pod sees.
fn worker_environment(
    queue_url: &str,
    endpoint: &str,
    settings: &DemoSettings,
) -> Vec<(&'static str, String)> {
    vec![
        ("SQS_QUEUE_URL", queue_url.to_owned()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", KEY.to_owned()),
        ("SQS_WAIT_TIME_SECONDS", "2".to_owned()),
        ("HEALTH_HOST", LOOPBACK.ip().to_string()),
        ("HEALTH_PORT", "0".to_owned()),
        (
            "SLUICE_WORKER_CONCURRENCY",
            settings.concurrency.to_string(),
        ),
        (
            "SLUICE_WORKER_WORK_MILLISECONDS",
            settings.work.as_millis().to_string(),
        ),
    ]
}
