//! One observation per queue, whoever asks: fresh for a moment, shared while it is fetched, usable a
//! little longer while SQS cannot be asked, and then an error. Knows nothing of triggers or RPCs.
//!
//! moka bounds what is remembered. Its own single flight would run inside the first caller and its
//! clock cannot be paused, so the flight is a task of its own and freshness is decided here.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::quality::RandomState;
use moka::sync::Cache;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tracing::{Instrument, Span};

use crate::{
    metrics::{CacheAnswer, Metrics, SqsOutcome},
    queue::{ObserveError, QueueSource},
    scaling::{Observation, QueueRef},
    traces,
};

/// Queues remembered at once; the least recently asked for is forgotten first.
const QUEUES_MAX: u64 = 20_000;

/// A queue that nobody asks for is forgotten after this time, several times KEDA's usual poll.
const QUEUE_IDLE: Duration = Duration::from_hours(1);

/// How long an answer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Younger than this, an observation is given without asking SQS.
    pub ttl: Duration,
    /// Older than this, an observation is no knowledge any more.
    pub staleness_bound: Duration,
    /// So long a failure is given again without asking SQS.
    pub failure_memory: Duration,
    /// A fetch that takes longer is given up, whoever waits for it.
    pub fetch_deadline: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(5),
            staleness_bound: Duration::from_mins(1),
            failure_memory: Duration::from_secs(1),
            fetch_deadline: Duration::from_secs(5),
        }
    }
}

/// An observation and when it was asked for.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What was seen.
    pub observation: Arc<Observation>,
    /// When the request left: the observation is at most as old as this says.
    pub asked_at: Instant,
    /// Since when no message was seen, of those that are waiting, in flight or delayed.
    pub empty_since: Option<Instant>,
}

impl Sample {
    /// How old the observation is, at most.
    pub fn age(&self) -> Duration {
        self.asked_at.elapsed()
    }

    /// An observation asked for at `asked_at`, after `before`.
    fn after(before: Option<&Self>, observation: Observation, asked_at: Instant) -> Self {
        let empty_before = before.and_then(|sample| sample.empty_since);
        let is_empty = observation.is_empty();
        Self {
            observation: Arc::new(observation),
            asked_at,
            empty_since: is_empty.then(|| empty_before.unwrap_or(asked_at)),
        }
    }
}

/// The observations of all queues.
#[derive(Debug)]
pub struct ObservationCache<S> {
    source: Arc<S>,
    settings: CacheSettings,
    metrics: Arc<Metrics>,
    entries: Cache<Arc<QueueRef>, Arc<Entry>, RandomState>,
}

/// What is known of one queue. The lock is held for a few assignments, never while waiting.
#[derive(Debug, Default)]
struct Entry {
    knowledge: Mutex<Knowledge>,
    /// The last good sample, for whoever wants to hear of each.
    samples: watch::Sender<Option<Sample>>,
}

/// Hears of each sample of one queue, whoever asked for it. It ends when the queue is forgotten.
pub type Samples = watch::Receiver<Option<Sample>>;

#[derive(Debug, Default)]
struct Knowledge {
    failure: Option<Failure>,
    flight: Option<Flight>,
}

#[derive(Debug, Clone)]
struct Failure {
    error: ObserveError,
    at: Instant,
}

/// A fetch under way.
#[derive(Debug, Clone)]
struct Flight {
    /// It is sent once.
    outcome: watch::Receiver<Option<Outcome>>,
    /// What the fetch is in the trace of who started it.
    span: Span,
}

/// What came of a look at a queue.
pub type Outcome = Result<Sample, ObserveError>;

/// What a caller finds.
enum Found {
    Fresh(Sample),
    Failing(ObserveError),
    UnderWay(Flight),
}

impl<S: QueueSource> ObservationCache<S> {
    /// An empty cache before `source`.
    pub fn new(source: S, settings: CacheSettings, metrics: Arc<Metrics>) -> Self {
        let entries = Cache::builder()
            .max_capacity(QUEUES_MAX)
            .time_to_idle(QUEUE_IDLE)
            .build_with_hasher(RandomState::default());
        Self {
            source: Arc::new(source),
            settings,
            metrics,
            entries,
        }
    }

    /// What is known of `queue`, waiting at most `patience` for SQS.
    ///
    /// # Errors
    /// When there is nothing younger than the staleness bound: why SQS could not be asked, or that
    /// it has not answered yet. The fetch goes on for the next caller.
    pub async fn sample(
        &self,
        queue: &Arc<QueueRef>,
        patience: Duration,
    ) -> Result<Sample, ObserveError> {
        let look = traces::look(queue);
        let (answer, sample) = self.answer(queue, patience, &look).await;
        self.metrics.cache_answered(answer);
        traces::looked(&look, answer.name());
        sample
    }

    async fn answer(
        &self,
        queue: &Arc<QueueRef>,
        patience: Duration,
        look: &Span,
    ) -> (CacheAnswer, Outcome) {
        let entry = self.entry(queue);
        let flight = match self.find(&entry, queue, (self.settings.ttl, look)) {
            Found::Fresh(sample) => return (CacheAnswer::Fresh, Ok(sample)),
            Found::Failing(error) => return self.last_good(&entry, error),
            Found::UnderWay(flight) => flight,
        };
        match timeout(patience, outcome(flight)).await {
            Ok(Ok(sample)) => (CacheAnswer::Fetched, Ok(sample)),
            Ok(Err(error)) => self.last_good(&entry, error),
            Err(_) => self.last_good(&entry, ObserveError::NoAnswer { waited: patience }),
        }
    }

    /// Looks at `queue` unless somebody has within `max_age`, and waits for what comes of it, at most
    /// the fetch deadline. Unlike [`Self::sample`] it hides no failure behind an older sample.
    ///
    /// # Errors
    /// Why SQS could not be asked.
    pub async fn look(&self, queue: &Arc<QueueRef>, max_age: Duration) -> Outcome {
        let entry = self.entry(queue);
        match self.find(&entry, queue, (max_age, &Span::none())) {
            Found::Fresh(sample) => Ok(sample),
            Found::Failing(error) => Err(error),
            Found::UnderWay(flight) => outcome(flight).await,
        }
    }

    /// Why `sample`, of `queue`, is older than it should be, if that is because SQS could not be asked.
    pub fn failure_since(&self, queue: &Arc<QueueRef>, sample: &Sample) -> Option<ObserveError> {
        if sample.age() <= self.settings.ttl {
            return None;
        }
        let entry = self.entry(queue);
        let knowledge = entry.lock();
        let failure = knowledge.failure.as_ref();
        let is_later = |failure: &&Failure| failure.at > sample.asked_at;
        failure
            .filter(is_later)
            .map(|failure| failure.error.clone())
    }

    /// The last sample of `queue`, and from there on each new one.
    pub fn samples(&self, queue: &Arc<QueueRef>) -> Samples {
        self.entry(queue).samples.subscribe()
    }

    fn entry(&self, queue: &Arc<QueueRef>) -> Arc<Entry> {
        self.entries.get_with_by_ref(queue, Arc::default)
    }

    /// What `entry` knows that is younger than `max_age`, starting a fetch where it knows nothing and
    /// none is under way.
    fn find(
        &self,
        entry: &Arc<Entry>,
        queue: &Arc<QueueRef>,
        (max_age, look): (Duration, &Span),
    ) -> Found {
        let fresh = || entry.sample().filter(|sample| sample.age() < max_age);
        if let Some(sample) = fresh() {
            return Found::Fresh(sample);
        }
        let mut knowledge = entry.lock();
        // A flight may have landed meanwhile.
        if let Some(sample) = fresh() {
            return Found::Fresh(sample);
        }
        if let Some(failure) = &knowledge.failure
            && failure.at.elapsed() < self.settings.failure_memory
        {
            return Found::Failing(failure.error.clone());
        }
        // A flight whose sender is gone has died without an outcome, and is started again.
        let under_way = knowledge
            .flight
            .clone()
            .filter(|flight| flight.outcome.has_changed().is_ok());
        if let Some(flight) = under_way {
            traces::joined(look, &flight.span);
            return Found::UnderWay(flight);
        }
        let flight = self.start_flight(entry, queue, look);
        knowledge.flight = Some(flight.clone());
        Found::UnderWay(flight)
    }

    /// Fetches in a task of its own, so that a caller who leaves cancels nothing. The task is bounded
    /// by the fetch deadline.
    fn start_flight(&self, entry: &Arc<Entry>, queue: &Arc<QueueRef>, look: &Span) -> Flight {
        let span = traces::fetch(look, queue);
        let (outcome_sender, flight) = watch::channel(None);
        let (source, metrics) = (Arc::clone(&self.source), Arc::clone(&self.metrics));
        let (entry, queue) = (Arc::clone(entry), Arc::clone(queue));
        let deadline = self.settings.fetch_deadline;
        let fetch = span.clone();
        tokio::spawn(async move {
            let asked_at = Instant::now();
            let observed = source.observe(&queue).instrument(fetch.clone());
            let answer = timeout(deadline, observed).await;
            let outcome = answer
                .unwrap_or(Err(ObserveError::NoAnswer { waited: deadline }))
                .map(|seen| Sample::after(entry.sample().as_ref(), seen, asked_at));
            metrics.queue_asked(counted_as(&outcome));
            if let Err(error) = &outcome {
                traces::failed(&fetch, error);
            }
            entry.land(&queue, outcome.clone());
            outcome_sender.send_replace(Some(outcome));
        });
        Flight {
            outcome: flight,
            span,
        }
    }

    /// The last good sample while it is young enough to be knowledge, else `error`.
    fn last_good(&self, entry: &Entry, error: ObserveError) -> (CacheAnswer, Outcome) {
        let is_known = |sample: &Sample| sample.age() <= self.settings.staleness_bound;
        match entry.sample().filter(is_known) {
            Some(sample) => (CacheAnswer::Stale, Ok(sample)),
            None => (CacheAnswer::Failed, Err(error)),
        }
    }
}

fn counted_as(outcome: &Outcome) -> SqsOutcome {
    match outcome {
        Ok(_) => SqsOutcome::Ok,
        Err(error) if error.is_throttling() => SqsOutcome::Throttled,
        Err(_) => SqsOutcome::Error,
    }
}

/// Waits for the one outcome of a flight.
async fn outcome(mut flight: Flight) -> Outcome {
    let landed = flight
        .outcome
        .wait_for(Option::is_some)
        .await
        .map(|outcome| outcome.clone());
    landed.ok().flatten().unwrap_or_else(|| {
        Err(ObserveError::Unreachable {
            cause: "the request was given up".to_owned(),
        })
    })
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, Knowledge> {
        self.knowledge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn sample(&self) -> Option<Sample> {
        self.samples.borrow().clone()
    }

    /// Takes note of an outcome, and tells the log when a queue goes dark or comes back.
    fn land(&self, queue: &QueueRef, outcome: Outcome) {
        let mut knowledge = self.lock();
        knowledge.flight = None;
        let was_failing = knowledge.failure.is_some();
        match outcome {
            Ok(sample) => {
                knowledge.failure = None;
                self.samples.send_replace(Some(sample));
                drop(knowledge);
                if was_failing {
                    tracing::info!(
                        queue = queue.url,
                        region = queue.region,
                        "queue can be read again"
                    );
                }
            }
            Err(error) => {
                knowledge.failure = Some(Failure {
                    error: error.clone(),
                    at: Instant::now(),
                });
                drop(knowledge);
                if !was_failing {
                    tracing::warn!(queue = queue.url, region = queue.region, %error, "queue cannot be read");
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
