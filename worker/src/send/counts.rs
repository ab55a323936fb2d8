//! What the page shows of the world: messages that wait, pods, what the autoscaler saw. However many people look, each is
//! asked for once a second at most.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::causes::with_causes;
use crate::cluster::{Cluster, ClusterError};
use crate::queue::Queue;

/// How long an answer is told again.
const FRESH: Duration = Duration::from_secs(1);

/// What is known, or why it is not.
pub type Known<T> = Result<T, String>;

/// Shared by all its clones.
#[derive(Debug, Clone)]
pub struct Counts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Queue,
    cluster: Option<Cluster>,
    pods_with: String,
    autoscaler: Option<String>,
    messages: Kept<i64>,
    pods: Kept<Vec<String>>,
    average: Kept<Option<f64>>,
}

impl Counts {
    /// Of pods with these labels, and of the autoscaler of that name.
    pub fn new(
        queue: Queue,
        cluster: Option<Cluster>,
        (pods_with, autoscaler): (String, Option<String>),
    ) -> Self {
        Self(Arc::new(Inner {
            queue,
            cluster,
            pods_with,
            autoscaler,
            messages: Kept::default(),
            pods: Kept::default(),
            average: Kept::default(),
        }))
    }

    /// Messages that wait in the queue.
    pub async fn messages(&self) -> Known<i64> {
        let asking = async {
            let waiting = self.0.queue.waiting_messages().await;
            waiting.map_err(|error| with_causes(&error))
        };
        self.0.messages.or(asking).await
    }

    /// Names of the pods.
    pub async fn pods(&self) -> Known<Vec<String>> {
        let asking = async {
            let pods = self.cluster()?.pod_names(&self.0.pods_with).await;
            pods.map_err(|error| with_causes(&error))
        };
        self.0.pods.or(asking).await
    }

    /// Messages a pod as the autoscaler saw them last; `None` while it has seen none.
    pub async fn average(&self) -> Known<Option<f64>> {
        let asking = async {
            let name = self.0.autoscaler.as_deref();
            let average = self.cluster()?.autoscaled_average(name).await;
            average.map_err(|error| with_causes(&error))
        };
        self.0.average.or(asking).await
    }

    fn cluster(&self) -> Known<&Cluster> {
        let cluster = self.0.cluster.as_ref();
        cluster.ok_or_else(|| ClusterError::Absent.to_string())
    }
}

/// An answer that is told again while it is fresh.
#[derive(Debug)]
struct Kept<T>(Mutex<Option<(Instant, Known<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Kept<T> {
    /// Whoever comes while it is asked for waits for that answer.
    async fn or(&self, asking: impl Future<Output = Known<T>>) -> Known<T> {
        let mut kept = self.0.lock().await;
        if let Some((at, known)) = &*kept
            && at.elapsed() < FRESH
        {
            return known.clone();
        }
        let known = asking.await;
        *kept = Some((Instant::now(), known.clone()));
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_asked_for_once_a_second() {
        let kept = Kept::default();
        let ask = |answer: u8| async move { Ok(answer) };
        assert_eq!(kept.or(ask(1)).await, Ok(1));
        assert_eq!(kept.or(ask(2)).await, Ok(1));
        tokio::time::advance(FRESH).await;
        assert_eq!(kept.or(ask(3)).await, Ok(3));
    }
}
