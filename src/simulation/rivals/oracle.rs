//! Who knows the future: it orders the pods of the scenario's demand as early as they take to start, and
//! chooses which are to go. It knows neither failures nor single service times.
//!
//! It is a plan, and a good one, but not proved to be the cheapest: what nobody can undercut is the lower
//! bound of a comparison. Work that is shorter than the wait is smoothed over it; longer work needs a slot
//! for each message that has to begin.

use std::time::Duration;

use crate::simulation::{
    control::Sight,
    demand::{Demand, Receivable, SHARE_OF_WAIT},
    hpa::whole_replicas,
    numbers::real,
    scenario::Scenario,
};

/// What is behind the plan is worked off within this share of the wait.
const SHARE_TO_CATCH_UP: f64 = 0.25;

/// What to run when.
#[derive(Debug)]
pub(in crate::simulation) struct Oracle {
    step: Duration,
    /// The replicas to order at the beginning of each step; none for work that is longer than the wait.
    plan: Vec<u32>,
    /// The messages that have to be received by the time that a pod works which is ordered in a step.
    due: Vec<Due>,
    next: usize,
    slots: f64,
    /// How many messages a slot finishes within the wait.
    turns: f64,
    /// Whether a pod that is asked to stop would be killed at work.
    outlives_grace: bool,
    max_replicas: u32,
    room: u32,
}

/// Messages by the mean, since the beginning.
#[derive(Debug, Clone, Copy)]
struct Due {
    /// By the end of this step.
    now: f64,
    /// When a pod has started.
    started: f64,
    /// When a pod has started on a node that has to come first.
    on_new_node: f64,
}

impl Oracle {
    pub(in crate::simulation) fn new(scenario: &Scenario) -> Self {
        let Demand { step, pods } = Demand::of(scenario);
        let slack = scenario.target_wait.mul_f64(SHARE_OF_WAIT);
        let service = scenario.work.service_time.mean();
        let plan = if service > slack {
            Vec::new()
        } else {
            ordered_ahead(scenario, step, &pods)
        };
        let cluster = &scenario.cluster;
        Self {
            step,
            plan,
            due: due(scenario, step, pods.len()),
            next: 0,
            slots: f64::from(scenario.work.concurrency.max(1)),
            turns: slack.div_duration_f64(service).max(1.0),
            outlives_grace: service > cluster.grace,
            max_replicas: scenario.object.max_replicas,
            room: cluster.nodes.saturating_mul(cluster.pods_per_node),
        }
    }

    pub(in crate::simulation) fn next_at(&self) -> Duration {
        self.step
            .saturating_mul(u32::try_from(self.next).unwrap_or(u32::MAX))
    }

    /// What is planned and what is due beyond it; and no pod is stopped at work that would be killed.
    pub(in crate::simulation) fn act(&mut self, sight: &Sight<'_>) -> u32 {
        let planned = self.plan.get(self.next).copied().unwrap_or(0);
        let due = self.due.get(self.next).or(self.due.last()).copied();
        self.next += 1;
        let late = due.map_or(0, |due| self.pods_for(due, sight));
        let kept = if self.outlives_grace {
            sight.working
        } else {
            0
        };
        let least = u32::from(sight.counts.total() > 0 && planned == 0 && self.turns > 1.0);
        let wanted = planned.saturating_add(late).max(kept).max(least);
        wanted.min(self.max_replicas)
    }

    /// The pods for the messages that are due and have not begun.
    fn pods_for(&self, due: Due, sight: &Sight<'_>) -> u32 {
        let (counts, sent) = (sight.counts, sight.totals.sent);
        let begun = real(sent.saturating_sub(counts.visible + counts.delayed));
        if self.turns > 1.0 {
            // What the plan has not foreseen: failures, and service times above the mean.
            let behind = (due.now - begun).clamp(0.0, real(counts.visible));
            return whole_replicas(behind / (self.turns * SHARE_TO_CATCH_UP) / self.slots);
        }
        let pods = |by_then: f64| {
            let to_begin = (by_then - begun).max(0.0).ceil();
            whole_replicas((real(counts.in_flight) + to_begin) / self.slots)
        };
        match pods(due.on_new_node) {
            pods if pods > self.room => pods,
            _ => pods(due.started),
        }
    }
}

fn due(scenario: &Scenario, step: Duration, steps: usize) -> Vec<Due> {
    let cluster = &scenario.cluster;
    let receivable = Receivable::of(scenario);
    let by = |time| receivable.due_by(time);
    let ends = (1..).map(|index| step * index).take(steps);
    ends.map(|end| Due {
        now: by(end),
        started: by(end + cluster.startup),
        on_new_node: by(end + cluster.startup + cluster.node_startup_max),
    })
    .collect()
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
