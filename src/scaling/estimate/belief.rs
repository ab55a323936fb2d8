//! What is to be seen of a queue at one moment, and what is believed of it.

use std::time::Duration;

use crate::scaling::{Backlog, Minute};

/// What is to be seen of a queue at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The counts, as read.
    pub backlog: &'a Backlog,
    /// The minutes that CloudWatch has, oldest first; those that were seen before may be among them.
    pub minutes: &'a [Minute],
    /// The replicas that receive messages, where Kubernetes may be read.
    pub ready_replicas: Option<u32>,
    /// `DelaySeconds` of the queue, where it is known.
    pub delay: Option<Duration>,
}

/// What is believed of a queue at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    /// Messages waiting, after doubt.
    pub visible: f64,
    /// Messages in flight, after doubt.
    pub in_flight: f64,
    /// Messages that were in flight at the first look ever: replicas work on them that somebody else
    /// asked for, such as a copy of the scaler that is gone.
    pub found_in_flight: f64,
    /// The same within a window of the autoscaler after that look, and 0 later.
    pub taken_over: f64,
    /// How long a message is in flight. None while nothing tells.
    pub message: Option<MessageTime>,
    /// How long the oldest message has waited. None when nothing waits.
    pub oldest: Option<Oldest>,
    /// Messages per second.
    pub arrivals_per_second: f64,
    /// Messages that a replica works on at once.
    pub concurrency: f64,
    /// What a replica holds of it at most while messages wait, if all are there that were asked for: less than
    /// the hint, and not certain. None when nothing is doubted.
    pub concurrency_at_most: Option<f64>,
    /// No more replicas than this can exist. None when nothing tells.
    pub replicas_max: Option<f64>,
    /// How long replicas took of late from being asked for to being ready. None where nothing tells.
    pub startup: Option<Duration>,
    /// The fewest messages in flight of the last minute, when messages waited all that time.
    pub steadily_busy: Option<f64>,
    /// The fewest messages in flight of the last minute before now: slots that work already.
    pub working: f64,
    /// Those of the waiting messages that need the most slots, so that they are in time.
    pub pressing: Option<Cohort>,
    /// Groups of a fair queue that hold up the others, where their messages may wait longer.
    pub noisy: Option<NoisyGroups>,
    /// What is in flight is work, and how much of it a replica does is known: hardly anything was
    /// received in the last minutes that was not done.
    pub is_work_clean: bool,
    /// The share of what was received in the last minutes that is neither done nor in flight any more,
    /// where it is no noise: those messages failed, and are received again.
    pub failing_share: Option<f64>,
    /// Work goes on and nothing comes of it: the replicas that were asked for before.
    pub stalled_at: Option<f64>,
    /// More replicas than this were asked for before, and no more got done.
    pub ineffective_above: Option<f64>,
    /// Groups of a FIFO queue that are worked on at once, where they are the limit.
    pub groups: Option<f64>,
    /// Delayed messages that can be received before a replica asked for now is there.
    pub due: f64,
    /// Since when there has been traffic.
    pub traffic_for: Option<Duration>,
    /// Since when some of it has been seen in flight: before that nothing could be learned.
    pub worked_for: Option<Duration>,
}

/// How long the oldest message has waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oldest {
    pub age: Duration,
    /// Whether CloudWatch said so, minutes ago; else it follows from the counts.
    pub is_measured: bool,
}

/// Groups of a fair queue that have more than their share in flight: SQS hands out what waits in the others
/// first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisyGroups {
    /// How many there are.
    pub groups: f64,
    /// Their messages that wait, of all that do.
    pub visible: f64,
    /// Their messages per second, of all that arrive.
    pub arrivals_per_second: f64,
    /// What waits of the other groups, and how long the oldest of it had waited when CloudWatch said so.
    pub quiet_pressing: Option<Cohort>,
}

impl Estimate {
    /// What there is but for the messages of noisy groups that wait or arrive.
    #[must_use]
    pub fn without_noisy(&self) -> Self {
        let Some(noisy) = self.noisy else {
            return *self;
        };
        Self {
            visible: (self.visible - noisy.visible).max(0.0),
            arrivals_per_second: (self.arrivals_per_second - noisy.arrivals_per_second).max(0.0),
            pressing: noisy.quiet_pressing,
            ..*self
        }
    }
}

/// Messages that wait, and how long the youngest of them has waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cohort {
    pub messages: f64,
    pub age: Duration,
}

/// How long a message is in flight, and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MessageTime {
    pub seconds: f64,
    /// The deletions it was learned from, faded; a hint is worth five.
    pub deletions: f64,
    /// It may be far less: messages were done at least as fast as their number fell, and nobody knows how many
    /// came meanwhile.
    pub is_at_most: bool,
}
