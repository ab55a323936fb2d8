//! The board as metrics: written when somebody scrapes, nothing of it is kept. Names end in their unit.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, MetricEncoder},
    metrics::MetricType,
};

use super::{
    balance::Balance,
    board::Board,
    report::{Trouble, WarningKind},
    trigger_status::{Look, TriggerStatus},
    warnings, words,
};
use crate::scaling::{BindingTerm, Count, ScalingDecision};

/// Triggers with series of their own: some twenty each, and a scrape is a few megabytes. The others are
/// counted in `sluice_triggers_left_out`.
const TRIGGERS_MAX: usize = 2_000;

/// Writes the board of a scaler as metrics.
#[derive(Debug)]
pub struct BoardMetrics(pub Arc<Board>);

/// One trigger at the moment of a scrape.
struct Shown {
    status: Arc<TriggerStatus>,
    trouble: Trouble,
    bound_by: Option<BindingTerm>,
    warnings: Vec<WarningKind>,
    numbers: Numbers,
}

/// What there is of numbers; a number that is not known has no series.
#[derive(Default)]
struct Numbers {
    observation_age: Option<f64>,
    visible: Option<f64>,
    in_flight: Option<f64>,
    delayed: Option<f64>,
    dead_letters: Option<f64>,
    cannot_observe: Option<f64>,
    active: Option<f64>,
    replicas: Option<f64>,
    plain_replicas: Option<f64>,
    law_replicas: Option<f64>,
    ready_replicas: Option<f64>,
    target_wait: Option<f64>,
    horizon: Option<f64>,
    oldest_age: Option<f64>,
    message: Option<f64>,
    deletions: Option<f64>,
    arrivals: Option<f64>,
    concurrency: Option<f64>,
    asked_age: Option<f64>,
    saved: Option<f64>,
    added: Option<f64>,
    late: Option<f64>,
}

type Number = (&'static str, &'static str, fn(&Numbers) -> Option<f64>);

/// What goes up and down: name, help, and where the number is.
const GAUGES: [Number; 19] = [
    (
        "observation_age_seconds",
        "Age of the last observation of the trigger's queue",
        |n| n.observation_age,
    ),
    ("visible_messages", "Messages waiting to be received", |n| {
        n.visible
    }),
    (
        "in_flight_messages",
        "Messages received and not yet deleted",
        |n| n.in_flight,
    ),
    (
        "delayed_messages",
        "Messages sent and not yet receivable",
        |n| n.delayed,
    ),
    (
        "dead_letters",
        "Messages waiting in the queue of dead letters",
        |n| n.dead_letters,
    ),
    (
        "cannot_observe",
        "1 while the queue cannot be observed",
        |n| n.cannot_observe,
    ),
    ("active", "1 while KEDA is told that there is work", |n| {
        n.active
    }),
    (
        "replicas_asked",
        "Replicas that the answer comes to, before the autoscaler's bounds",
        |n| n.replicas,
    ),
    (
        "plain_replicas",
        "Replicas that the answer of aws-sqs-queue would come to",
        |n| n.plain_replicas,
    ),
    (
        "law_replicas",
        "Replicas that the law wants, whether it is obeyed or not",
        |n| n.law_replicas,
    ),
    (
        "ready_replicas",
        "Replicas that are ready, where Kubernetes is read",
        |n| n.ready_replicas,
    ),
    (
        "target_wait_seconds",
        "How long a message may wait: targetWaitSeconds",
        |n| n.target_wait,
    ),
    (
        "horizon_seconds",
        "The time in which the backlog is to be gone",
        |n| n.horizon,
    ),
    (
        "oldest_message_age_seconds",
        "How long the oldest message has waited, as far as is known",
        |n| n.oldest_age,
    ),
    (
        "message_seconds",
        "How long a message is in flight, as estimated",
        |n| n.message,
    ),
    (
        "message_deletions",
        "Deletions that the estimate was learned from, faded",
        |n| n.deletions,
    ),
    (
        "arrivals_per_second",
        "Messages that arrive, as estimated",
        |n| n.arrivals,
    ),
    (
        "concurrency_messages",
        "Messages that a replica works on at once, as estimated",
        |n| n.concurrency,
    ),
    ("asked_age_seconds", "Time since KEDA asked last", |n| {
        n.asked_age
    }),
];

/// What only grows, since the trigger was first seen.
const COUNTERS: [Number; 3] = [
    (
        "saved_replica_seconds",
        "Replica-seconds that aws-sqs-queue would have asked for and the law did not",
        |n| n.saved,
    ),
    (
        "added_replica_seconds",
        "Replica-seconds that the law asked for and aws-sqs-queue would not have",
        |n| n.added,
    ),
    (
        "late_seconds",
        "Time in which the oldest message had waited for longer than the target",
        |n| n.late,
    ),
];

impl Collector for BoardMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (shown, left_out) = self.shown();
        for (name, help, number) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            write_gauges(&mut family, &shown, number)?;
        }
        for (name, help, number) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            write_counters(&mut family, &shown, number)?;
        }
        write_labelled(&mut encoder, &shown)?;
        self.write_sums(&mut encoder, &shown, left_out)
    }
}

impl BoardMetrics {
    /// Each object and queue once: of two triggers about the same, the one that KEDA asks about.
    fn shown(&self) -> (Vec<Shown>, usize) {
        let now = self.0.now();
        let mut live = self.0.live();
        live.dedup_by(|later, earlier| later.place() == earlier.place());
        let left_out = live.len().saturating_sub(TRIGGERS_MAX);
        live.truncate(TRIGGERS_MAX);
        let shown = live.into_iter().map(|status| Shown::of(status, now));
        (shown.collect(), left_out)
    }

    fn write_sums(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        shown: &[Shown],
        left_out: usize,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(
            "triggers",
            "Triggers that KEDA asks about, by what matters most about them",
            None,
            MetricType::Gauge,
        )?;
        for trouble in Trouble::ALL {
            let triggers = shown
                .iter()
                .filter(|shown| shown.trouble == trouble)
                .count();
            let labels = [("trouble", trouble.name())];
            family
                .encode_family(&labels)?
                .encode_gauge(&whole(triggers))?;
        }
        encoder
            .encode_descriptor(
                "triggers_left_out",
                "Triggers without series of their own, because there are too many",
                None,
                MetricType::Gauge,
            )?
            .encode_gauge(&whole(left_out))?;
        let mut family = encoder.encode_descriptor(
            "decisions",
            "Decisions taken from a new observation, by the term that determined them",
            None,
            MetricType::Counter,
        )?;
        for (term, decisions) in self.0.decisions() {
            let labels = [("bound_by", term.name())];
            let mut counter = family.encode_family(&labels)?;
            counter.encode_counter::<[(&str, &str); 0], u64, f64>(&decisions, None)?;
        }
        Ok(())
    }
}

fn write_gauges(
    family: &mut MetricEncoder<'_>,
    shown: &[Shown],
    number: fn(&Numbers) -> Option<f64>,
) -> fmt::Result {
    for shown in shown {
        if let Some(number) = number(&shown.numbers) {
            family.encode_family(shown)?.encode_gauge(&number)?;
        }
    }
    Ok(())
}

fn write_counters(
    family: &mut MetricEncoder<'_>,
    shown: &[Shown],
    number: fn(&Numbers) -> Option<f64>,
) -> fmt::Result {
    for shown in shown {
        if let Some(number) = number(&shown.numbers) {
            let mut counter = family.encode_family(shown)?;
            counter.encode_counter::<[(&str, &str); 0], f64, f64>(&number, None)?;
        }
    }
    Ok(())
}

/// What is a word and no number: the term that binds, and the warnings that hold.
fn write_labelled(encoder: &mut DescriptorEncoder<'_>, shown: &[Shown]) -> fmt::Result {
    let help = "1 for the term that determines the trigger's answer";
    let mut family = encoder.encode_descriptor("bound_by", help, None, MetricType::Gauge)?;
    for shown in shown {
        if let Some(term) = shown.bound_by {
            let labels = shown.with("bound_by", term.name());
            family.encode_family(&labels)?.encode_gauge(&1_i64)?;
        }
    }
    let help = "1 for each kind of warning that holds for the trigger";
    let mut family = encoder.encode_descriptor("warning", help, None, MetricType::Gauge)?;
    for shown in shown {
        for kind in &shown.warnings {
            let labels = shown.with("kind", kind.name());
            family.encode_family(&labels)?.encode_gauge(&1_i64)?;
        }
    }
    Ok(())
}

impl Shown {
    /// Numbers alone: words for each trigger would cost more than writing its series.
    fn of(status: Arc<TriggerStatus>, now: Duration) -> Self {
        let state = status.lock();
        let found = warnings::of(&status.trigger, &state);
        let trouble = words::trouble(&status, &state, (&found, now));
        let mut kinds: Vec<_> = found.iter().map(|warning| warning.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let decision = state.last.as_ref().map(|look| &look.decision);
        let bound_by = decision.map(|decision| decision.bound_by);
        let policy = decision.map_or(&status.trigger.policy, |decision| &decision.policy);
        let numbers = Numbers {
            cannot_observe: Some(flag(state.failure.is_some())),
            asked_age: Some(now.saturating_sub(status.asked_at()).as_secs_f64()),
            target_wait: policy.law.map(|law| law.target_wait.as_secs_f64()),
            ..state
                .last
                .as_ref()
                .map(|look| Numbers::of_look(look, now))
                .unwrap_or_default()
        };
        let numbers = numbers.with_balance(policy.law.map(|_| &state.balance));
        drop(state);
        Self {
            status,
            trouble,
            bound_by,
            warnings: kinds,
            numbers,
        }
    }

    fn with<'a>(&'a self, key: &'static str, value: &'a str) -> [(&'static str, &'a str); 5] {
        let [namespace, scaledobject, queue, region] = self.labels();
        [namespace, scaledobject, queue, region, (key, value)]
    }

    fn labels(&self) -> [(&'static str, &str); 4] {
        let (namespace, name, region, queue) = self.status.place();
        [
            ("namespace", namespace),
            ("scaledobject", name),
            ("queue", queue),
            ("region", region),
        ]
    }
}

impl EncodeLabelSet for Shown {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.labels().encode(encoder)
    }
}

impl Numbers {
    fn of_look(look: &Look, now: Duration) -> Self {
        let seen = &look.observation;
        let known = |messages: &Count| messages.as_ref().ok().copied().map(count);
        let dead_letters = look.dead_letters.as_ref().and_then(|dead| dead.messages);
        Self {
            observation_age: Some(now.saturating_sub(look.at).as_secs_f64()),
            visible: known(&seen.visible),
            in_flight: known(&seen.in_flight),
            delayed: known(&seen.delayed),
            dead_letters: dead_letters.map(count),
            active: Some(flag(look.activity.polled)),
            ready_replicas: look.ready_replicas.map(f64::from),
            ..Self::of_decision(&look.decision)
        }
    }

    fn of_decision(decision: &ScalingDecision) -> Self {
        let estimate = decision.law.map(|law| law.estimate);
        let message = estimate.and_then(|estimate| estimate.message);
        Self {
            replicas: decision.replicas(),
            plain_replicas: decision.plain_replicas(),
            law_replicas: decision.law.map(|law| law.replicas.ceil()),
            horizon: decision.law.map(|law| law.horizon.as_secs_f64()),
            oldest_age: estimate
                .and_then(|estimate| estimate.oldest)
                .map(|oldest| oldest.age.as_secs_f64()),
            message: message.map(|message| message.seconds),
            deletions: message.map(|message| message.deletions),
            arrivals: estimate.map(|estimate| estimate.arrivals_per_second),
            concurrency: estimate.map(|estimate| estimate.concurrency),
            ..Self::default()
        }
    }

    fn with_balance(self, balance: Option<&Balance>) -> Self {
        Self {
            saved: balance.map(|balance| balance.saved_replica_seconds),
            added: balance.map(|balance| balance.added_replica_seconds),
            late: balance.map(|balance| balance.late_seconds),
            ..self
        }
    }
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

#[allow(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no lossless conversion, and counts stay below 2^53"
)]
fn count(messages: i64) -> f64 {
    messages as f64
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
