//! Who knows the future: the arrivals to come and the mean service time, though neither failures nor
//! kills. It plans the fewest pods that work off in time what has arrived, and orders them as early as
//! they take to start. What no policy can undercut is not this, but the bound of an outcome.

use std::time::Duration;

use crate::simulation::{
    arrivals::Segment,
    hpa::whole_replicas,
    numbers::{real, share},
    world::Scenario,
};

/// A plan has at most so many steps, as each looks ahead.
const STEPS_MAX: u32 = 4_000;

/// No step is shorter.
const STEP_MIN: Duration = Duration::from_secs(5);

/// The share of the target wait that is planned with: service times vary, and steps are coarse.
const SHARE_OF_WAIT: f64 = 0.8;

/// From this share of one pod's work on, the work cannot be put off.
const DUE: f64 = 0.95;

/// What to run when.
#[derive(Debug)]
pub(in crate::simulation) struct Oracle {
    step: Duration,
    /// The replicas to order at the beginning of each step.
    plan: Vec<u32>,
    next: usize,
}

impl Oracle {
    pub(in crate::simulation) fn new(scenario: &Scenario) -> Self {
        let last = scenario
            .arrivals
            .last()
            .map_or(Duration::ZERO, |segment| segment.until);
        let span = scenario.horizon.max(last + scenario.delay) + scenario.target_wait;
        let step = (span / STEPS_MAX).max(STEP_MIN);
        let pods = needed(scenario, step, span);
        Self {
            step,
            plan: ordered_ahead(scenario, step, &pods),
            next: 0,
        }
    }

    pub(in crate::simulation) fn next_at(&self) -> Duration {
        self.step
            .saturating_mul(u32::try_from(self.next).unwrap_or(u32::MAX))
    }

    /// What is planned; while anything is left that was not foreseen, at least one.
    pub(in crate::simulation) fn act(&mut self, messages: u64) -> u32 {
        let planned = self.plan.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        planned.max(u32::from(messages > 0 && planned == 0))
    }
}

/// The pods that have to work in each step.
fn needed(scenario: &Scenario, step: Duration, span: Duration) -> Vec<u32> {
    let slack = scenario.target_wait.mul_f64(SHARE_OF_WAIT);
    let steps = span.div_duration_f64(step);
    let ends = || (1..=whole_replicas(steps)).map(|index| step * index);
    let sent: Vec<f64> = ends().map(|end| sent_by(scenario, end)).collect();
    let due: Vec<f64> = ends()
        .map(|end| sent_by(scenario, end.saturating_sub(slack)))
        .collect();
    let service_seconds = scenario.work.service_time.mean().as_secs_f64();
    let slots = f64::from(scenario.work.concurrency.max(1));
    let step_messages = slots * share(step.as_secs_f64(), service_seconds);
    let lookahead = usize::try_from(whole_replicas(slack.div_duration_f64(step)) + 1).unwrap_or(1);
    let (mut done, mut plan) = (0.0, Vec::new());
    for (index, sent) in sent.iter().enumerate() {
        let most = due
            .iter()
            .skip(index)
            .take(lookahead)
            .zip(1_u32..)
            .map(|(due, steps)| (due.min(*sent) - done) / f64::from(steps));
        let pods = most.fold(0.0, f64::max) / step_messages;
        let left = sent - done;
        let goes_on = plan.last().is_some_and(|pods| *pods > 0) && left > 0.5;
        // Less than one pod's work waits until it is due, and is then done in one go.
        let is_due = pods >= DUE || (goes_on && pods > 0.0);
        let wanted = if is_due { whole_replicas(pods) } else { 0 };
        // More slots than messages would be idle.
        let useful = whole_replicas(left / slots);
        let wanted = wanted.min(useful).min(scenario.object.max_replicas);
        done = (done + f64::from(wanted) * step_messages).min(*sent);
        plan.push(wanted);
    }
    plan
}

/// The messages that can be received by `time`, by the mean.
fn sent_by(scenario: &Scenario, time: Duration) -> f64 {
    let time = time.saturating_sub(scenario.delay);
    let messages = |segment: &Segment| {
        let passed = time.saturating_sub(segment.from).as_secs_f64();
        let length = segment.until.saturating_sub(segment.from).as_secs_f64();
        let begun = if time >= segment.until {
            1.0
        } else {
            share(passed, length)
        };
        real(segment.messages) * begun
    };
    scenario.arrivals.iter().map(messages).sum()
}

/// Orders pods as long before they are needed as they take to start, with a node where there is no room.
fn ordered_ahead(scenario: &Scenario, step: Duration, pods: &[u32]) -> Vec<u32> {
    let cluster = &scenario.cluster;
    let room = cluster.nodes.saturating_mul(cluster.pods_per_node);
    let steps_of = |time: Duration| usize::try_from(whole_replicas(time.div_duration_f64(step)));
    let start = steps_of(cluster.startup).unwrap_or(0);
    let far = steps_of(cluster.startup + cluster.node_startup_max).unwrap_or(0);
    let ahead = |index: usize, steps: usize| {
        let window = pods.iter().skip(index).take(steps + 1);
        window.copied().max().unwrap_or(0)
    };
    (0..pods.len())
        .map(|index| match ahead(index, far) {
            most if most > room => most,
            _ => ahead(index, start),
        })
        .collect()
}
