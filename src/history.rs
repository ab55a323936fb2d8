//! A queue's past as a trace to simulate: asks `CloudWatch` once how many messages were sent, and writes
//! `minute,messages`. Knows nothing of what is made of it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    fs, io,
    path::PathBuf,
    time::Duration,
};

use crate::{
    queue::{
        FetchError,
        cloudwatch::{CloudWatchSource, History},
    },
    scaling::{PolicyError, QueueRef, Trigger},
};

/// What to ask for, and where to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySettings {
    /// The queue's URL or its bare name.
    pub queue: String,
    /// The queue's region, where its URL does not say it.
    pub region: Option<String>,
    /// How far back.
    pub days: u32,
    /// The file to write.
    pub save: PathBuf,
}

/// A trace that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedHistory {
    /// The file.
    pub path: PathBuf,
    /// Its rows.
    pub rows: usize,
    /// Those of them that `CloudWatch` told nothing of; they are written as 0.
    pub untold_rows: usize,
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Nothing says where the queue is.
    #[error("no region is known of queue {0:?}: give its whole URL, or --region")]
    NoRegion(String),
    /// The queue is none.
    #[error("{queue:?} is no queue")]
    NoQueue {
        /// What was given.
        queue: String,
        /// What is wrong with it.
        source: PolicyError,
    },
    /// `CloudWatch` does not tell.
    #[error("cannot read what was sent to queue {queue:?} in {region}")]
    Fetch {
        /// The queue's name.
        queue: String,
        /// Its region.
        region: String,
        /// Why.
        source: FetchError,
    },
    /// `CloudWatch` knows nothing of the queue.
    #[error(
        "CloudWatch knows of no message sent to a queue {queue:?} in {region} in the last {days} days"
    )]
    Nothing {
        /// The queue's name.
        queue: String,
        /// Its region.
        region: String,
        /// How far back was asked.
        days: u32,
    },
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Asks for the past of `queue` before `now`, a time since the Unix epoch, and writes the file.
///
/// # Errors
/// When nothing can be had, or the file cannot be written.
pub async fn save(
    settings: &HistorySettings,
    queue: &QueueRef,
    source: &CloudWatchSource,
    now: Duration,
) -> Result<SavedHistory, HistoryError> {
    let (name, region) = (queue.name.clone(), queue.region.clone());
    let history = source
        .history(queue, settings.days, now)
        .await
        .map_err(|source| HistoryError::Fetch {
            queue: name.clone(),
            region: region.clone(),
            source,
        })?;
    let trace = Trace::of(&history).ok_or(HistoryError::Nothing {
        queue: name,
        region,
        days: settings.days,
    })?;
    let path = settings.save.clone();
    fs::write(&path, &trace.text).map_err(|source| HistoryError::Write {
        path: path.clone(),
        source,
    })?;
    Ok(SavedHistory {
        path,
        rows: trace.rows,
        untold_rows: trace.untold_rows,
    })
}

/// The queue that is meant, with KEDA's reading of its name; it is read as ourselves.
///
/// # Errors
/// When there is no such queue, or nobody says where it is.
pub fn queue(settings: &HistorySettings) -> Result<QueueRef, HistoryError> {
    let queue = &settings.queue;
    let region = region_in(queue)
        .or(settings.region.as_deref())
        .ok_or_else(|| HistoryError::NoRegion(queue.clone()))?;
    let metadata: HashMap<String, String> = [("queueURL", queue.as_str()), ("awsRegion", region)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let trigger = Trigger::parse(&metadata).map_err(|source| HistoryError::NoQueue {
        queue: queue.clone(),
        source,
    })?;
    Ok(QueueRef::clone(&trigger.queue))
}

/// The region in a URL such as `https://sqs.eu-west-1.amazonaws.com/123456789012/orders`.
pub fn region_in(queue_url: &str) -> Option<&str> {
    let (_, after_scheme) = queue_url.split_once("://")?;
    let (region, domain) = after_scheme.strip_prefix("sqs.")?.split_once('.')?;
    domain.starts_with("amazonaws.").then_some(region)
}

/// A history as text.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    text: String,
    rows: usize,
    untold_rows: usize,
}

impl Trace {
    /// A row for every step from the first that is told to the last. A step that is not told is one of a
    /// queue that nobody used, or one that was lost: 0 either way, for a row lasts until the next one and
    /// would otherwise stretch the messages before it over the gap.
    fn of(history: &History) -> Option<Self> {
        let told: BTreeMap<Duration, f64> = history.sent.iter().copied().collect();
        if told.values().sum::<f64>() < 1.0 {
            return None;
        }
        let (first, last) = (*told.keys().next()?, *told.keys().next_back()?);
        // A trace has two rows at least.
        let last = last.max(first.saturating_add(history.step));
        let mut trace = Self {
            text: "minute,messages\n".to_owned(),
            rows: 0,
            untold_rows: 0,
        };
        let mut at = first;
        while at <= last {
            trace.add(at.saturating_sub(first), told.get(&at).copied());
            at = at.saturating_add(history.step);
        }
        Some(trace)
    }

    fn add(&mut self, since_first: Duration, sent: Option<f64>) {
        let (minute, messages) = (since_first.as_secs() / 60, sent.unwrap_or(0.0));
        self.rows += 1;
        self.untold_rows += usize::from(sent.is_none());
        // Writing to a text cannot fail.
        let _infallible = writeln!(self.text, "{minute},{messages:.0}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn given_history(step: u32, sent: &[(u32, f64)]) -> History {
        let noon = Duration::from_hours(500_000);
        let sent = sent.iter().map(|(at, sent)| (noon + MINUTE * *at, *sent));
        History {
            step: MINUTE * step,
            sent: sent.collect(),
        }
    }

    #[test]
    fn a_history_is_a_trace_from_the_first_step_that_is_told() {
        let trace = Trace::of(&given_history(1, &[(3, 5.0), (4, 0.0), (7, 2.0)])).unwrap();
        assert_eq!(trace.text, "minute,messages\n0,5\n1,0\n2,0\n3,0\n4,2\n");
        assert_eq!((trace.rows, trace.untold_rows), (5, 2));
        let segments = crate::simulation::trace::parse("orders.csv", &trace.text, 1.0).unwrap();
        let messages: u64 = segments.iter().map(|segment| segment.messages).sum();
        assert_eq!(messages, 7);
    }

    #[test]
    fn five_minutes_are_rows_of_five_minutes_and_there_are_two_at_least() {
        let trace = Trace::of(&given_history(5, &[(10, 300.0)])).unwrap();
        assert_eq!(trace.text, "minute,messages\n0,300\n5,0\n");
    }

    #[test]
    fn a_history_without_messages_is_none() {
        assert_eq!(Trace::of(&given_history(1, &[])), None);
        assert_eq!(Trace::of(&given_history(1, &[(0, 0.0), (1, 0.0)])), None);
    }

    #[test]
    fn the_region_is_that_of_the_url_or_the_one_given() {
        let given = |queue: &str, region: Option<&str>| {
            let settings = HistorySettings {
                queue: queue.to_owned(),
                region: region.map(str::to_owned),
                days: 7,
                save: PathBuf::from("orders.csv"),
            };
            super::queue(&settings)
                .map(|queue| (queue.name, queue.region))
                .map_err(|error| error.to_string())
        };
        let orders = |region: &str| Ok(("orders".to_owned(), region.to_owned()));
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
        assert_eq!(given(url, Some("us-east-1")), orders("eu-west-1"));
        assert_eq!(given("orders", Some("us-east-1")), orders("us-east-1"));
        let local = "http://127.0.0.1:9324/000000000000/orders";
        assert_eq!(given(local, Some("us-east-1")), orders("us-east-1"));
        assert!(given("orders", None).unwrap_err().contains("--region"));
        assert!(
            given("https://h/1/", Some("a"))
                .unwrap_err()
                .contains("is no queue")
        );
    }
}
