//! The board as metrics: written when somebody scrapes, nothing of it is kept. Names end in their unit.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, LabelSetEncoder},
    metrics::MetricType,
};

use super::{
    board::Board,
    numbers::{COUNTERS, GAUGES, Number, Numbers, flag},
    trigger_status::TriggerStatus,
    trouble::{Trouble, WarningKind},
    warnings, words,
};
use crate::scaling::BindingTerm;

/// Triggers with series of their own: some twenty each, and a scrape is a few megabytes. The others are
/// counted in `sluice_triggers_left_out`.
const TRIGGERS_MAX: usize = 2_000;

/// Writes the board of a scaler as metrics.
#[derive(Debug)]
pub struct BoardMetrics(pub Arc<Board>);

/// Counters have no exemplars.
type NoLabels = [(&'static str, &'static str); 0];

/// One trigger at the moment of a scrape.
struct Shown {
    status: Arc<TriggerStatus>,
    trouble: Trouble,
    bound_by: Option<BindingTerm>,
    warnings: Vec<WarningKind>,
    numbers: Numbers,
}

impl Collector for BoardMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (shown, left_out) = self.shown();
        write_numbers(&mut encoder, &shown, (MetricType::Gauge, &GAUGES))?;
        write_numbers(&mut encoder, &shown, (MetricType::Counter, &COUNTERS))?;
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
            counter.encode_counter::<NoLabels, u64, f64>(&decisions, None)?;
        }
        Ok(())
    }
}

fn write_numbers(
    encoder: &mut DescriptorEncoder<'_>,
    shown: &[Shown],
    (kind, numbers): (MetricType, &[Number]),
) -> fmt::Result {
    for (name, help, number) in numbers {
        let mut family = encoder.encode_descriptor(name, help, None, kind)?;
        for shown in shown {
            let Some(number) = number(&shown.numbers) else {
                continue;
            };
            let mut series = family.encode_family(shown)?;
            if matches!(kind, MetricType::Counter) {
                series.encode_counter::<NoLabels, f64, f64>(&number, None)?;
            } else {
                series.encode_gauge(&number)?;
            }
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

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
