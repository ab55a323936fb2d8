//! The objects that ask, as far as a cluster tells of them: remembered for a moment, read again beside the
//! calls of KEDA and never within one. Not knowing changes nothing. Knows nothing of how they are read.

use std::{
    collections::HashSet,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::scaling::Workload;

/// Objects remembered at once; the least recently asked for is forgotten first.
const OBJECTS_MAX: u64 = 20_000;

/// An object that nobody asks for is forgotten after this time.
const OBJECT_IDLE: Duration = Duration::from_hours(1);

/// An object is read at most once in this time: replicas become ready in minutes.
const READ_EVERY: Duration = Duration::from_secs(30);

/// What was read is knowledge for this time: four reads may fail.
const KNOWN_FOR: Duration = Duration::from_mins(2);

/// An object that may not be read is tried again so much later: permissions are changed by people.
const PERMISSION_RETRY: Duration = Duration::from_mins(15);

/// A read that takes longer is given up.
const READ_DEADLINE: Duration = Duration::from_secs(5);

/// Reads under way at once; each is a few requests, and an API server has others to serve.
const READS_MAX: usize = 8;

/// Objects that wait to be read; one that finds no place is asked for again with the next poll.
const WAITING_MAX: usize = 1_000;

/// Namespaces whose missing permission was told to the log.
const TOLD_MAX: usize = 1_000;

/// Something that can read the objects of a cluster: Kubernetes, or a stand-in for it in tests.
pub trait WorkloadSource: Send + Sync + 'static {
    /// Reads `object` once; nothing when there is none, or when it cannot be told which one asks.
    fn read(
        &self,
        object: &ObjectName,
    ) -> impl Future<Output = Result<Option<Workload>, ReadError>> + Send;
}

/// The object that asks, as KEDA names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

/// Why an object could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// We may not read it.
    #[error("Kubernetes does not let us read it: {0}")]
    NoPermission(String),
    /// Everything else.
    #[error("Kubernetes cannot be read: {0}")]
    Failed(String),
    /// No answer in time.
    #[error("Kubernetes has not answered for {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
}

/// A handle to what is known of the objects that ask; cheap to clone.
#[derive(Debug, Clone)]
pub struct WorkloadFeed(Option<Watching>);

#[derive(Debug, Clone)]
struct Watching {
    entries: Cache<Arc<ObjectName>, Arc<Entry>>,
    asks: mpsc::Sender<Ask>,
}

type Ask = (Arc<ObjectName>, Arc<Entry>);

/// One object. The lock is held for a few assignments, never while waiting.
#[derive(Debug, Default)]
struct Entry(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    workload: Option<Workload>,
    read_at: Option<Instant>,
    /// When it may be asked for again.
    next_at: Option<Instant>,
}

/// Reads what is asked for; run it once.
#[derive(Debug)]
struct WorkloadReader<S> {
    source: Arc<S>,
    asks: mpsc::Receiver<Ask>,
    reads: JoinSet<(Ask, Result<Option<Workload>, ReadError>)>,
    told: HashSet<String>,
}

/// A feed and the reader that fills it.
fn workload_feed<S: WorkloadSource>(source: S) -> (WorkloadFeed, WorkloadReader<S>) {
    let entries = Cache::builder()
        .max_capacity(OBJECTS_MAX)
        .time_to_idle(OBJECT_IDLE)
        .build();
    let (sender, asks) = mpsc::channel(WAITING_MAX);
    let feed = WorkloadFeed(Some(Watching {
        entries,
        asks: sender,
    }));
    let reader = WorkloadReader {
        source: Arc::new(source),
        asks,
        reads: JoinSet::new(),
        told: HashSet::new(),
    };
    (feed, reader)
}

impl WorkloadFeed {
    /// A feed that knows nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Reads from `source` in a task that ends with the last handle.
    pub fn reading<S: WorkloadSource>(source: S) -> Self {
        let (feed, reader) = workload_feed(source);
        tokio::spawn(reader.run());
        feed
    }

    /// What is known of `object`, which is read again soon. Never waits.
    pub fn workload(&self, object: &Arc<ObjectName>) -> Option<Workload> {
        let Watching { entries, asks } = self.0.as_ref()?;
        let entry = entries.get_with_by_ref(object, Arc::default);
        let (now, mut known) = (Instant::now(), entry.lock());
        if known.next_at.is_none_or(|next_at| next_at <= now)
            && asks
                .try_send((Arc::clone(object), Arc::clone(&entry)))
                .is_ok()
        {
            known.next_at = Some(now + READ_EVERY);
        }
        let is_known = known.read_at.is_some_and(|at| now - at < KNOWN_FOR);
        known.workload.filter(|_| is_known)
    }
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: WorkloadSource> WorkloadReader<S> {
    /// Reads until nobody holds the feed any more.
    async fn run(mut self) {
        loop {
            tokio::select! {
                Some(read) = self.reads.join_next() => {
                    // A read that panicked is asked for again like any other.
                    if let Ok((ask, outcome)) = read {
                        self.land(ask, outcome);
                    }
                }
                ask = self.asks.recv(), if self.reads.len() < READS_MAX => {
                    let Some(ask) = ask else { return };
                    self.start(ask);
                }
            }
        }
    }

    fn start(&mut self, ask: Ask) {
        let source = Arc::clone(&self.source);
        self.reads.spawn(async move {
            let read = timeout(READ_DEADLINE, source.read(&ask.0)).await;
            let outcome = read.unwrap_or(Err(ReadError::NoAnswer(READ_DEADLINE)));
            (ask, outcome)
        });
    }

    fn land(&mut self, (object, entry): Ask, outcome: Result<Option<Workload>, ReadError>) {
        let now = Instant::now();
        match outcome {
            Ok(workload) => {
                let mut known = entry.lock();
                known.workload = workload;
                known.read_at = Some(now);
            }
            Err(error @ ReadError::NoPermission(_)) => {
                entry.lock().next_at = Some(now + PERMISSION_RETRY);
                self.tell(&object, &error);
            }
            Err(error) => {
                let ObjectName { namespace, name } = &*object;
                tracing::debug!(namespace, name, %error, "the object that asks is not known");
            }
        }
    }

    /// Says once a namespace that its objects may not be read.
    fn tell(&mut self, object: &ObjectName, error: &ReadError) {
        let ObjectName { namespace, name } = object;
        if self.told.len() < TOLD_MAX && self.told.insert(namespace.clone()) {
            tracing::warn!(
                namespace, name, %error,
                "replicas and limits are not read: decisions do without them"
            );
        }
    }
}

#[cfg(test)]
#[path = "workloads_tests.rs"]
mod tests;
