//! What a run came to, in the measures by which policies are compared.

use std::time::Duration;

use serde::Serialize;

use super::{
    numbers::{real, share},
    pods::PodTotals,
    waits::Waits,
};
use crate::local::queue::{Counts, Totals};

/// What SQS charges for a million requests to a standard queue, in us-east-1.
const DOLLARS_PER_MILLION_REQUESTS: f64 = 0.40;

/// The measures of one run. A wait is from when a message could be received until it first was.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    pub sent_messages: u64,
    pub done_messages: u64,
    /// Messages that failed too often.
    pub dead_messages: u64,
    /// Messages that were left when the run was ended.
    pub left_messages: u64,
    /// The share of messages that waited longer than the target.
    pub late_share: f64,
    /// By how many seconds they did so, summed up.
    pub late_message_seconds: f64,
    pub wait_seconds_p50: f64,
    pub wait_seconds_p99: f64,
    pub wait_seconds_max: f64,
    /// Pods on a node, those that drain included.
    pub pod_hours: f64,
    /// The pod-hours of the work alone, every slot always busy: no policy needs less.
    pub bound_pod_hours: f64,
    /// How many times the bound was used.
    pub pod_hours_over_bound: f64,
    pub starts: u64,
    /// Pods that ended without having received a message.
    pub wasted_starts: u64,
    /// Messages in work when their pod was killed.
    pub killed_messages: u64,
    /// Messages received again.
    pub redelivered_messages: u64,
    pub replica_changes: u64,
    pub replicas_max: u32,
    /// Wake-ups from zero while there was no message.
    pub false_activations: u64,
    /// From the first message to its receive; none when it was never received.
    pub first_message_seconds: Option<f64>,
    /// From the last message sent until nothing was left; none when something was left.
    pub drain_seconds: Option<f64>,
    /// What the scaler asked SQS.
    pub sqs_requests: u64,
    pub sqs_dollars: f64,
    /// How long the run lasted, in virtual time.
    pub simulated_seconds: f64,
}

/// What is noted while a run goes on.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) waits: Waits,
    pub(super) work: Duration,
    pub(super) first_receives: u64,
    pub(super) killed_messages: u64,
    pub(super) replica_changes: u64,
    pub(super) replicas_max: u32,
    pub(super) false_activations: u64,
    pub(super) first_sent_at: Option<Duration>,
    pub(super) first_received_at: Option<Duration>,
    pub(super) last_sent_at: Duration,
    pub(super) emptied_at: Option<Duration>,
}

impl Tally {
    pub(super) fn new(target_wait: Duration) -> Self {
        Self {
            waits: Waits::new(target_wait),
            work: Duration::ZERO,
            first_receives: 0,
            killed_messages: 0,
            replica_changes: 0,
            replicas_max: 0,
            false_activations: 0,
            first_sent_at: None,
            first_received_at: None,
            last_sent_at: Duration::ZERO,
            emptied_at: None,
        }
    }

    pub(super) fn scaled(&mut self, before: u32, after: u32, messages: u64) {
        self.replica_changes += 1;
        self.replicas_max = self.replicas_max.max(after);
        self.false_activations += u64::from(before == 0 && messages == 0);
    }
}

/// What the parts of the world counted.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) now: Duration,
    pub(super) counts: Counts,
    pub(super) totals: Totals,
    pub(super) pods: PodTotals,
    pub(super) concurrency: u32,
    pub(super) requests: u64,
}

impl Outcome {
    pub(super) fn of(tally: &Tally, ledger: &Ledger) -> Self {
        let Ledger { totals, pods, .. } = ledger;
        let pod_hours = pods.pod_seconds / 3600.0;
        let slots = f64::from(ledger.concurrency.max(1));
        let bound_pod_hours = tally.work.as_secs_f64() / slots / 3600.0;
        let since = |from: Option<Duration>, to: Option<Duration>| {
            Some(to?.saturating_sub(from?).as_secs_f64())
        };
        Self {
            sent_messages: totals.sent,
            done_messages: totals.deleted,
            dead_messages: totals.moved_out,
            left_messages: ledger.counts.total(),
            late_share: tally.waits.late_share(),
            late_message_seconds: tally.waits.late_seconds(),
            wait_seconds_p50: tally.waits.quantile_seconds(0.5),
            wait_seconds_p99: tally.waits.quantile_seconds(0.99),
            wait_seconds_max: tally.waits.max_seconds(),
            pod_hours,
            bound_pod_hours,
            pod_hours_over_bound: share(pod_hours, bound_pod_hours),
            starts: pods.starts,
            wasted_starts: pods.wasted_starts,
            killed_messages: tally.killed_messages,
            redelivered_messages: totals.received.saturating_sub(tally.first_receives),
            replica_changes: tally.replica_changes,
            replicas_max: tally.replicas_max,
            false_activations: tally.false_activations,
            first_message_seconds: since(tally.first_sent_at, tally.first_received_at),
            drain_seconds: since(Some(tally.last_sent_at), tally.emptied_at),
            sqs_requests: ledger.requests,
            sqs_dollars: real(ledger.requests) * DOLLARS_PER_MILLION_REQUESTS / 1e6,
            simulated_seconds: ledger.now.as_secs_f64(),
        }
    }
}
