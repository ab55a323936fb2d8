//! Checked settings, each with its type and its limits kept. They do not know how they were typed.

use std::time::Duration;

use crate::handlers::{Place, Takes};

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub queue: QueueSettings,
    pub consume: ConsumeSettings,
    pub health: HealthSettings,
    pub log: LogSettings,
    pub handler: HandlerSettings,
    /// Pretended work before the handler.
    pub work: Duration,
    pub deletion_cost: DeletionCostSettings,
    /// Where a worker posts that its work was cut short.
    pub kill_url: Option<String>,
}

/// Whether Kubernetes is told how busy the pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionCostSettings {
    Off,
    On {
        cluster: ClusterSettings,
        pod: String,
    },
}

/// How the API server of the cluster is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterSettings {
    /// What Kubernetes tells every pod; `None` outside of a cluster.
    pub host: Option<String>,
    pub port: u16,
    /// `None` for that of the pod.
    pub namespace: Option<String>,
    /// The URL of `kubectl proxy` instead.
    pub proxy: Option<String>,
}

/// What is done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerSettings {
    Print,
    /// Nothing but the pretended work.
    Sleep,
    Command {
        program: String,
        arguments: Vec<String>,
        takes: Takes,
    },
    Http {
        url: String,
        timeout: Duration,
    },
    S3(Place),
}

/// Which queue, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// Its URL, or its name in the account of the credentials.
    pub url: String,
    pub region: Option<String>,
    /// How long a message is hidden from others by a receive and by each extension.
    pub visibility_timeout: Duration,
}

impl QueueSettings {
    /// The queue of this URL, in the region of the AWS configuration.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            region: None,
            visibility_timeout: Duration::from_secs(30),
        }
    }
}

/// How much is done at once, and how long the end of it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumeSettings {
    pub concurrency: usize,
    pub messages_per_receive_max: usize,
    /// How long a receive waits for a first message.
    pub wait: Duration,
    /// How long running messages may take to finish once draining has begun.
    pub drain: Duration,
    /// How long a handler may take with one message, or with one batch.
    pub deadline: Duration,
    /// The longest wait before a message that failed comes again.
    pub retry_wait_max: Duration,
    pub end: EndSettings,
}

/// When a consumer ends by itself; by default it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndSettings {
    /// After receiving this many messages.
    pub messages_max: Option<u64>,
    /// After this long without a message.
    pub idle: Option<Duration>,
}

impl Default for ConsumeSettings {
    /// As the worker itself, when it is told nothing.
    fn default() -> Self {
        Self {
            concurrency: 10,
            messages_per_receive_max: 10,
            wait: Duration::from_secs(20),
            drain: Duration::from_secs(25),
            deadline: Duration::from_hours(12),
            retry_wait_max: Duration::from_mins(5),
            end: EndSettings::default(),
        }
    }
}

/// Where health is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSettings {
    pub host: String,
    pub port: u16,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    pub filter: String,
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}
