//! A row of the table: a queue and what is done with it, step by step.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    #[serde(rename = "row")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    /// Makes the queue called `dead` its dead-letter queue.
    pub(super) max_receives: Option<u32>,
    /// Only for the servers whose time cannot be moved.
    #[serde(default, rename = "needs_clock")]
    pub(super) _needs_clock: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Deserialize)]
pub(super) struct Step {
    #[serde(flatten)]
    pub(super) action: Action,
    /// The error this step must end with; it must succeed when `None`.
    pub(super) error: Option<String>,
    /// How long it takes at least and at most, in seconds.
    pub(super) lasts: Option<(f64, f64)>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Action {
    Send(Message),
    SendBatch {
        entries: Vec<Entry>,
        #[serde(default)]
        failed: Vec<String>,
    },
    Receive(Receive),
    Delete {
        message: Option<usize>,
        handle: Option<String>,
    },
    DeleteBatch {
        messages: Vec<usize>,
        handles: Vec<String>,
        failed: Vec<String>,
    },
    VisibilityBatch {
        messages: Vec<usize>,
        handles: Vec<String>,
        failed: Vec<String>,
    },
    List {
        count: usize,
    },
    Visibility {
        message: usize,
        timeout: i32,
    },
    Counts {
        are: [u64; 3],
        of: Option<String>,
    },
    Attributes {
        names: Vec<String>,
        #[serde(default)]
        are: BTreeMap<String, String>,
        #[serde(default)]
        only: bool,
    },
    Set {
        attributes: BTreeMap<String, String>,
    },
    Create {
        name: Option<String>,
        #[serde(default)]
        attributes: BTreeMap<String, String>,
    },
    Url {
        name: String,
    },
    DeleteQueue,
    Purge,
    Tag {
        tags: BTreeMap<String, String>,
    },
    Untag {
        keys: Vec<String>,
    },
    Tags {
        are: BTreeMap<String, String>,
    },
    Sources {
        count: usize,
    },
    Move,
    PutMetric {
        namespace: Option<String>,
        name: String,
        value: f64,
    },
    Metric(MetricQuery),
    Wait {
        seconds: f64,
    },
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) body: Option<String>,
    /// A body of this many letters instead.
    pub(super) body_bytes: Option<usize>,
    pub(super) delay: Option<i32>,
    pub(super) group: Option<String>,
    pub(super) dedup: Option<String>,
    #[serde(default, rename = "message_attributes")]
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) to: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) message: Message,
}

#[derive(Deserialize)]
pub(super) struct Receive {
    pub(super) max: Option<i32>,
    pub(super) visibility: Option<i32>,
    pub(super) wait: Option<i32>,
    pub(super) of: Option<String>,
    pub(super) bodies: Option<Vec<String>>,
    pub(super) count: Option<usize>,
    pub(super) receives: Option<Vec<String>>,
    #[serde(default)]
    pub(super) message_attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct MetricQuery {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) values: Option<Vec<f64>>,
    pub(super) over: Option<f64>,
    pub(super) hours: Option<u64>,
}

impl Message {
    pub(super) fn text(&self) -> String {
        self.body_bytes.map_or_else(
            || self.body.clone().unwrap_or_default(),
            |bytes| "x".repeat(bytes),
        )
    }
}
