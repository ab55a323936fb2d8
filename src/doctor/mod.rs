//! `sluice doctor`: looks at everything that scaling depends on, and says what is wrong and what to do.
//! It asks AWS, Sluice and KEDA, and changes nothing: not a message is received.

mod certificates;
mod finding;
mod identity;
mod keda;
mod metrics_text;
mod queue_checks;
mod server;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use self::queue_checks::{DeadLetters, Work};
pub use self::{
    finding::{Finding, Report, Severity},
    identity::Surroundings,
};
use crate::{
    clock::EpochClock,
    history::region_in,
    queue::{
        AwsConfig, ObserveError, QueueDetails, SqsSource, cloudwatch::CloudWatchSource,
        recent_minutes,
    },
    scaling::{Identity, QueueRef},
    status::QueueName,
};

/// A request with its retry: a person waits.
const FETCH_DEADLINE: Duration = Duration::from_secs(5);

/// More queues are not looked at: each is a handful of requests, one after the other.
pub const QUEUES_MAX: usize = 100;

/// Where STS is asked when no queue says it.
const REGION_DEFAULT: &str = "us-east-1";

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct DoctorSettings {
    /// The queues of manifests and flags.
    pub queues: Vec<Arc<QueueRef>>,
    /// The port for people of a running Sluice; its queues are looked at as well.
    pub server: Option<String>,
    /// The port for Prometheus of KEDA's operator.
    pub keda_metrics: Option<String>,
    /// Files with certificates.
    pub certificates: Vec<PathBuf>,
    /// From the first look at dead letters to the second.
    pub between_looks: Duration,
    /// Where this runs.
    pub surroundings: Surroundings,
}

/// Asks, and knows the time.
#[derive(Debug)]
pub struct Doctor {
    aws: AwsConfig,
    queues: SqsSource,
    /// None where CloudWatch is not wanted.
    minutes: Option<CloudWatchSource>,
    clock: EpochClock,
}

/// A queue, and what was seen of it.
struct Seen {
    queue: Arc<QueueRef>,
    details: Result<QueueDetails, ObserveError>,
    dead_letters: Option<(QueueRef, Result<i64, ObserveError>, Instant)>,
}

impl Doctor {
    /// Asks as the environment says.
    pub fn new(aws: AwsConfig, minutes: Option<CloudWatchSource>, clock: EpochClock) -> Self {
        Self {
            queues: SqsSource::new(aws.clone(), FETCH_DEADLINE),
            aws,
            minutes,
            clock,
        }
    }

    /// Looks at everything, dead letters twice.
    pub async fn examine(&self, settings: &DoctorSettings) -> Report {
        let queues = self.queues_of(settings).await;
        let region = queues.first().map_or(REGION_DEFAULT, |queue| &queue.region);
        let surroundings = (settings.surroundings, self.now());
        let mut findings = identity::examine(&self.aws, region, surroundings).await;
        let mut seen = Vec::with_capacity(queues.len());
        for queue in queues {
            seen.push(self.look(queue).await);
        }
        let told = match &settings.server {
            Some(server) => server::examine(server, self.now()).await,
            None => server::Told::default(),
        };
        for seen in &seen {
            let key = (seen.queue.region.clone(), seen.queue.name.clone());
            findings.extend(self.findings_of(seen, told.work.get(&key)).await);
        }
        findings.extend(told.findings);
        let keda = settings.keda_metrics.as_deref();
        if settings.server.is_some() || keda.is_some() {
            findings.push(keda::examine(keda, told.has_metric_spec_streams).await);
        }
        let now = self.now();
        findings.extend(
            settings
                .certificates
                .iter()
                .map(|path| certificates::examine(path, now)),
        );
        for seen in seen {
            findings.extend(self.look_again(seen, settings.between_looks).await);
        }
        Report::new(findings)
    }

    /// What one look at a queue tells.
    pub async fn examine_queue(&self, queue: Arc<QueueRef>) -> Vec<Finding> {
        let seen = self.look(queue).await;
        self.findings_of(&seen, None).await
    }

    fn now(&self) -> Duration {
        self.clock.at(Instant::now())
    }

    /// The queues that were named, and those that the server is asked about; each once.
    async fn queues_of(&self, settings: &DoctorSettings) -> Vec<Arc<QueueRef>> {
        let mut queues = settings.queues.clone();
        if let Some(server) = &settings.server {
            let asked = server::queues(server).await;
            queues.extend(asked.into_iter().map(|queue| Arc::new(of_our_own(queue))));
        }
        let mut known = BTreeSet::new();
        queues.retain(|queue| known.insert((queue.region.clone(), queue.url.clone())));
        queues.truncate(QUEUES_MAX);
        queues
    }

    async fn look(&self, queue: Arc<QueueRef>) -> Seen {
        let details = self.queues.details(&queue).await;
        let settings = details
            .as_ref()
            .ok()
            .map(|details| &details.observation.settings);
        let arn = settings.and_then(|settings| settings.dead_letters.as_deref());
        let dead_letters = match arn.and_then(|arn| queue.dead_letter_queue(arn)) {
            Some(queue) => {
                let messages = self.messages(&queue).await;
                Some((queue, messages, Instant::now()))
            }
            None => None,
        };
        Seen {
            queue,
            details,
            dead_letters,
        }
    }

    async fn findings_of(&self, seen: &Seen, by_server: Option<&Work>) -> Vec<Finding> {
        let queue = &seen.queue;
        let mut findings = vec![queue_checks::reading(queue, &seen.details)];
        findings.extend(queue_checks::region(queue, region_in(&queue.url)));
        let mut work = by_server.cloned();
        if let Some(source) = &self.minutes {
            let told = recent_minutes(source, queue, self.now()).await;
            findings.push(queue_checks::cloudwatch(&told));
            let measured = told.ok().and_then(|minutes| queue_checks::work(&minutes));
            work = measured.or(work);
        }
        if let Ok(details) = &seen.details {
            findings.extend(queue_checks::settings(queue, details, work.as_ref()));
            if seen.dead_letters.is_none() {
                findings.push(queue_checks::no_dead_letters(queue));
            }
        }
        findings
            .into_iter()
            .map(|finding| finding.of(&queue.name))
            .collect()
    }

    async fn look_again(&self, seen: Seen, between: Duration) -> Option<Finding> {
        let (queue, first, at) = seen.dead_letters?;
        sleep_until(at + between).await;
        let second = self.messages(&queue).await;
        let dead_letters = DeadLetters {
            queue,
            first,
            second,
            between: at.elapsed(),
        };
        Some(queue_checks::dead_letters(&dead_letters).of(&seen.queue.name))
    }

    async fn messages(&self, queue: &QueueRef) -> Result<i64, ObserveError> {
        let details = self.queues.details(queue).await?;
        Ok(details.observation.messages_seen())
    }
}

/// A queue that a server names, to be read as ourselves: whose keys its trigger has is not told.
fn of_our_own(queue: QueueName) -> QueueRef {
    QueueRef {
        url: queue.url,
        name: queue.name,
        region: queue.region,
        endpoint: queue.endpoint,
        identity: Identity::Own,
    }
}
