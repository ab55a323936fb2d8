//! What a run came to, in the measures by which policies are compared.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    fair_queue::Tenant,
    numbers::{count, real, share},
    pods::PodTotals,
    spec::{Elasticity, ElasticityTally},
    waits::Waits,
};
use crate::local::queue::{Counts, Totals};

/// What SQS charges for a million requests to a standard queue, in us-east-1.
const DOLLARS_PER_MILLION_REQUESTS: f64 = 0.40;

/// What CloudWatch charges for a thousand metrics that `GetMetricData` is asked for, in us-east-1.
const DOLLARS_PER_THOUSAND_METRICS: f64 = 0.01;

/// How long messages waited, and how many of them too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Waited {
    /// The share of messages that waited longer than their target.
    pub late_share: f64,
    pub wait_seconds_p50: f64,
    pub wait_seconds_p99: f64,
    pub wait_seconds_max: f64,
}

impl Waited {
    fn of(waits: &Waits) -> Self {
        Self {
            late_share: waits.late_share(),
            wait_seconds_p50: waits.quantile_seconds(0.5),
            wait_seconds_p99: waits.quantile_seconds(0.99),
            wait_seconds_max: waits.max_seconds(),
        }
    }

    /// The mean of each measure, and the longest wait.
    fn mean(runs: &[Self]) -> Self {
        let number = |measure: fn(&Self) -> f64| {
            let there_are = real(u64::try_from(runs.len()).unwrap_or_default());
            share(runs.iter().map(measure).sum(), there_are)
        };
        Self {
            late_share: number(|run| run.late_share),
            wait_seconds_p50: number(|run| run.wait_seconds_p50),
            wait_seconds_p99: number(|run| run.wait_seconds_p99),
            wait_seconds_max: runs
                .iter()
                .map(|run| run.wait_seconds_max)
                .fold(0.0, f64::max),
        }
    }
}

/// The waits of tenants apart, each with its own target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tenants {
    /// The many small ones.
    pub ordinary: Waited,
    /// The one that floods the queue.
    pub flood: Waited,
}

impl Tenants {
    /// The mean over all runs; none when one of them has no flood.
    fn mean(runs: &[Outcome]) -> Option<Self> {
        let all: Option<Vec<Self>> = runs.iter().map(|run| run.tenants).collect();
        let all = all.filter(|all| !all.is_empty())?;
        let mean = |of: fn(&Self) -> Waited| Waited::mean(&all.iter().map(of).collect::<Vec<_>>());
        Some(Self {
            ordinary: mean(|tenants| tenants.ordinary),
            flood: mean(|tenants| tenants.flood),
        })
    }
}

/// The measures of one run. A wait is from when a message could be received until it first was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub sent_messages: u64,
    pub done_messages: u64,
    /// Messages that failed too often.
    pub dead_messages: u64,
    /// Messages that were left when the run was ended.
    pub left_messages: u64,
    /// The share of messages that waited longer than the target, the flood's by a target of their own.
    pub late_share: f64,
    /// By how many seconds they did so, summed up.
    pub late_message_seconds: f64,
    pub wait_seconds_p50: f64,
    pub wait_seconds_p99: f64,
    pub wait_seconds_max: f64,
    /// Pods on a node, those that drain included.
    pub pod_hours: f64,
    /// The pod-hours of the work alone, every slot always busy.
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
    /// Metrics the scaler asked CloudWatch for.
    pub cloudwatch_metrics: u64,
    pub cloudwatch_dollars: f64,
    /// How near the pods were to those that were needed.
    pub elasticity: Elasticity,
    /// How long the run lasted, in virtual time.
    pub simulated_seconds: f64,
    /// The waits by tenant, where one floods the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Tenants>,
}

/// What is noted while a run goes on.
#[derive(Debug)]
pub(super) struct Tally {
    waits: Waits,
    /// Those of the flood, where there is one.
    flood_waits: Option<Waits>,
    pub(super) work: Duration,
    pub(super) first_receives: u64,
    pub(super) killed_messages: u64,
    pub(super) failed_messages: u64,
    pub(super) replica_changes: u64,
    pub(super) replicas_max: u32,
    pub(super) false_activations: u64,
    pub(super) first_sent_at: Option<Duration>,
    pub(super) first_received_at: Option<Duration>,
    pub(super) last_sent_at: Duration,
    pub(super) emptied_at: Option<Duration>,
    pub(super) elasticity: ElasticityTally,
}

impl Tally {
    /// Messages are late after `target_wait`, and those of a flood after `flood_wait`.
    pub(super) fn new(target_wait: Duration, flood_wait: Option<Duration>) -> Self {
        Self {
            waits: Waits::new(target_wait),
            flood_waits: flood_wait.map(Waits::new),
            work: Duration::ZERO,
            first_receives: 0,
            killed_messages: 0,
            failed_messages: 0,
            replica_changes: 0,
            replicas_max: 0,
            false_activations: 0,
            first_sent_at: None,
            first_received_at: None,
            last_sent_at: Duration::ZERO,
            emptied_at: None,
            elasticity: ElasticityTally::default(),
        }
    }

    pub(super) fn note_wait(&mut self, tenant: Tenant, wait: Duration, messages: u64) {
        let flood = self.flood_waits.as_mut();
        let waits = match tenant {
            Tenant::Flood => flood.unwrap_or(&mut self.waits),
            Tenant::Ordinary => &mut self.waits,
        };
        waits.note(wait, messages);
    }

    /// Messages that waited longer than their target, so far.
    pub(super) fn late_messages(&self) -> u64 {
        let flood = self.flood_waits.as_ref();
        self.waits.late_messages() + flood.map_or(0, Waits::late_messages)
    }

    fn all_waits(&self) -> Waits {
        let waits = self.waits.clone();
        match &self.flood_waits {
            Some(flood) => waits.with(flood),
            None => waits,
        }
    }

    fn tenants(&self) -> Option<Tenants> {
        self.flood_waits.as_ref().map(|flood| Tenants {
            ordinary: Waited::of(&self.waits),
            flood: Waited::of(flood),
        })
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
    pub(super) cloudwatch_metrics: u64,
}

impl Outcome {
    /// What the scaler's questions cost.
    pub fn api_dollars(&self) -> f64 {
        self.sqs_dollars + self.cloudwatch_dollars
    }

    /// The mean of each measure; the worst of those that are a maximum. What one run lacks, all lack.
    pub(super) fn mean(runs: &[Self]) -> Self {
        let number = |measure: fn(&Self) -> f64| {
            let runs_there_are = real(u64::try_from(runs.len()).unwrap_or_default());
            share(runs.iter().map(measure).sum(), runs_there_are)
        };
        let whole = |measure: fn(&Self) -> u64| {
            let sum: u64 = runs.iter().map(measure).sum();
            count(share(
                real(sum),
                real(u64::try_from(runs.len()).unwrap_or_default()),
            ))
        };
        let optional = |measure: fn(&Self) -> Option<f64>| {
            let all: Option<Vec<f64>> = runs.iter().map(measure).collect();
            let all = all.filter(|all| !all.is_empty())?;
            let there_are = real(u64::try_from(all.len()).unwrap_or_default());
            Some(share(all.iter().sum(), there_are))
        };
        let most = |measure: fn(&Self) -> f64| runs.iter().map(measure).fold(0.0, f64::max);
        Self {
            sent_messages: whole(|run| run.sent_messages),
            done_messages: whole(|run| run.done_messages),
            dead_messages: whole(|run| run.dead_messages),
            left_messages: runs.iter().map(|run| run.left_messages).max().unwrap_or(0),
            late_share: number(|run| run.late_share),
            late_message_seconds: number(|run| run.late_message_seconds),
            wait_seconds_p50: number(|run| run.wait_seconds_p50),
            wait_seconds_p99: number(|run| run.wait_seconds_p99),
            wait_seconds_max: most(|run| run.wait_seconds_max),
            pod_hours: number(|run| run.pod_hours),
            bound_pod_hours: number(|run| run.bound_pod_hours),
            pod_hours_over_bound: number(|run| run.pod_hours_over_bound),
            starts: whole(|run| run.starts),
            wasted_starts: whole(|run| run.wasted_starts),
            killed_messages: whole(|run| run.killed_messages),
            redelivered_messages: whole(|run| run.redelivered_messages),
            replica_changes: whole(|run| run.replica_changes),
            replicas_max: runs.iter().map(|run| run.replicas_max).max().unwrap_or(0),
            false_activations: whole(|run| run.false_activations),
            first_message_seconds: optional(|run| run.first_message_seconds),
            drain_seconds: optional(|run| run.drain_seconds),
            sqs_requests: whole(|run| run.sqs_requests),
            sqs_dollars: number(|run| run.sqs_dollars),
            cloudwatch_metrics: whole(|run| run.cloudwatch_metrics),
            cloudwatch_dollars: number(|run| run.cloudwatch_dollars),
            elasticity: Elasticity::mean(
                &runs.iter().map(|run| run.elasticity).collect::<Vec<_>>(),
            ),
            simulated_seconds: number(|run| run.simulated_seconds),
            tenants: Tenants::mean(runs),
        }
    }

    pub(super) fn of(tally: &Tally, ledger: &Ledger) -> Self {
        let Ledger { totals, pods, .. } = ledger;
        let pod_hours = pods.pod_seconds / 3600.0;
        let slots = f64::from(ledger.concurrency.max(1));
        let bound_pod_hours = tally.work.as_secs_f64() / slots / 3600.0;
        let waits = tally.all_waits();
        let since = |from: Option<Duration>, to: Option<Duration>| {
            Some(to?.saturating_sub(from?).as_secs_f64())
        };
        Self {
            sent_messages: totals.sent,
            done_messages: totals.deleted,
            dead_messages: totals.moved_out,
            left_messages: ledger.counts.total(),
            late_share: waits.late_share(),
            late_message_seconds: waits.late_seconds(),
            wait_seconds_p50: waits.quantile_seconds(0.5),
            wait_seconds_p99: waits.quantile_seconds(0.99),
            wait_seconds_max: waits.max_seconds(),
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
            cloudwatch_metrics: ledger.cloudwatch_metrics,
            cloudwatch_dollars: real(ledger.cloudwatch_metrics) * DOLLARS_PER_THOUSAND_METRICS
                / 1e3,
            elasticity: tally.elasticity.figures(),
            simulated_seconds: ledger.now.as_secs_f64(),
            tenants: tally.tenants(),
        }
    }
}
