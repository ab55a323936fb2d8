//! The metrics of a queue, sampled once a minute as SQS reports them to `CloudWatch`.

use std::{collections::VecDeque, time::Duration};

use super::statistics::Statistics;
use crate::local::{
    account::Account,
    local_queue::{LocalQueue, QueueSnapshot},
    queue::Fairness,
};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
/// Three hours of minutes: some 20 KB a queue, and the stretch that AWS serves fastest.
pub(crate) const SAMPLES_MAX: usize = 180;
/// SQS reports nothing of a queue that was not used for this long.
const IDLE_AFTER: Duration = Duration::from_hours(6);

/// The metrics that every minute of every queue has, in the order of `Sample::counts`.
const COUNTS: [&str; 8] = [
    "NumberOfMessagesSent",
    "NumberOfMessagesReceived",
    "NumberOfMessagesDeleted",
    "NumberOfEmptyReceives",
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateAgeOfOldestMessage",
];
const SIZE: &str = "SentMessageSize";
const GROUPS: &str = "ApproximateNumberOfGroupsWithInflightMessages";
/// The metrics of a fair queue, in the order of `Sample::fairness`.
const FAIRNESS: [&str; 5] = [
    "ApproximateNumberOfNoisyGroups",
    "ApproximateNumberOfMessagesVisibleInQuietGroups",
    "ApproximateNumberOfMessagesNotVisibleInQuietGroups",
    "ApproximateNumberOfMessagesDelayedInQuietGroups",
    "ApproximateAgeOfOldestMessageInQuietGroups",
];

/// One minute of a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// The start of the minute.
    pub(super) at: Duration,
    counts: [u32; COUNTS.len()],
    /// In bytes; only in a minute in which something was sent.
    sizes: Option<Statistics>,
    /// Only of a FIFO queue.
    groups: Option<u32>,
    /// Only of a standard queue to which a message with a group came.
    fairness: Option<[u32; FAIRNESS.len()]>,
}

/// The minutes of a queue, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    minutes: VecDeque<Sample>,
    /// When the queue was last seen in use.
    used_at: Duration,
    /// The totals when the last minute ended.
    last: Option<QueueSnapshot>,
}

/// All metrics that a queue can have.
pub(super) fn metric_names() -> impl Iterator<Item = &'static str> {
    COUNTS.into_iter().chain([SIZE, GROUPS]).chain(FAIRNESS)
}

impl Sample {
    pub(super) fn get(&self, metric: &str) -> Option<Statistics> {
        let count = match metric {
            SIZE => return self.sizes,
            GROUPS => self.groups?,
            _ => of(&COUNTS, &self.counts, metric)
                .or_else(|| of(&FAIRNESS, self.fairness.as_ref()?, metric))?,
        };
        Some(Statistics::of(f64::from(count)))
    }
}

impl Samples {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.minutes.iter()
    }

    fn push(&mut self, sample: Sample) {
        self.minutes.push_back(sample);
        if self.minutes.len() > SAMPLES_MAX {
            self.minutes.pop_front();
        }
    }
}

/// Samples every queue for the minute that ends at `end`.
pub(crate) fn sample_all(account: &mut Account, end: Duration) {
    for queue in account.queues.values_mut() {
        sample(queue, end);
    }
}

fn sample(queue: &mut LocalQueue, end: Duration) {
    let now = queue.snapshot(end);
    let sizes = queue.traffic.sent_sizes.take();
    let is_empty = now.visible + now.in_flight + now.delayed == 0;
    let is_used = std::mem::take(&mut queue.is_used);
    if is_used || !is_empty {
        queue.samples.used_at = end;
    }
    let before = queue.samples.last.replace(now).unwrap_or_default();
    if end.saturating_sub(queue.samples.used_at) >= IDLE_AFTER {
        return;
    }
    let groups = queue
        .attributes
        .is_fifo
        .then(|| queue.messages.groups_in_flight());
    let fairness = queue.messages.fairness(end);
    queue.samples.push(Sample {
        at: end.saturating_sub(MINUTE),
        counts: [
            now.sent.saturating_sub(before.sent),
            now.received.saturating_sub(before.received),
            now.deleted.saturating_sub(before.deleted),
            now.empty_receives.saturating_sub(before.empty_receives),
            now.visible,
            now.in_flight,
            now.delayed,
            now.oldest_age.unwrap_or_default().as_secs(),
        ]
        .map(count),
        sizes,
        groups: groups.map(count),
        fairness: fairness.map(|fairness| counts_of(&fairness).map(count)),
    });
}

fn counts_of(fairness: &Fairness) -> [u64; FAIRNESS.len()] {
    [
        fairness.noisy_groups,
        fairness.quiet.visible,
        fairness.quiet.in_flight,
        fairness.quiet.delayed,
        fairness.quiet_oldest_age.unwrap_or_default().as_secs(),
    ]
}

/// The value that stands where `metric` stands among the names.
fn of(names: &[&str], values: &[u32], metric: &str) -> Option<u32> {
    let place = names.iter().position(|name| *name == metric)?;
    values.get(place).copied()
}

/// No count of a local queue comes near the limit.
fn count(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
