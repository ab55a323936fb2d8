//! A scenario's file on top of a workload: what the file does not say is as it was.

use std::time::Duration;

use super::{
    ClusterTable, CountsTable, ScenarioFile, WorkTable,
    values::{Count, FidelityName, Positive, Seconds, Share, Span, SpreadName},
};
use crate::simulation::{
    overrides::{Overrides, replace},
    scenario::Scenario,
};

impl ScenarioFile {
    /// Writes what is said here over what was there.
    pub fn apply(&self, scenario: &mut Scenario) {
        let time = |time: Option<Seconds>| time.map(|Seconds(time)| time);
        replace(&mut scenario.name, self.name.clone());
        replace(&mut scenario.target_wait, time(self.target_wait_seconds));
        if let Some(delay) = time(self.delay_seconds) {
            scenario.horizon = scenario.horizon.saturating_sub(scenario.delay) + delay;
            scenario.delay = delay;
        }
        replace(
            &mut scenario.visibility_timeout,
            time(self.visibility_timeout_seconds),
        );
        self.work.apply(scenario);
        self.cluster.apply(scenario);
        self.object
            .apply(&mut scenario.object, &mut scenario.autoscaler);
        replace(
            &mut scenario.scaler.cache_ttl,
            time(self.scaler.cache_ttl_seconds),
        );
        if let Some(interval) = time(self.scaler.push_interval_seconds) {
            scenario.scaler.push_interval = (!interval.is_zero()).then_some(interval);
        }
        self.counts.apply(scenario);
    }
}

impl WorkTable {
    fn apply(&self, scenario: &mut Scenario) {
        let work = &mut scenario.work;
        let changes = Overrides {
            message: self
                .message_seconds
                .map(|Positive(mean)| Duration::from_secs_f64(mean)),
            spread: self.spread.map(|SpreadName(spread)| spread),
            ..Overrides::default()
        };
        let count = |count: Option<Count>| count.map(|Count(count)| count);
        let time = |time: Option<Seconds>| time.map(|Seconds(time)| time);
        replace(&mut work.concurrency, count(self.concurrency));
        replace(&mut work.prefetch, self.prefetch);
        replace(&mut work.poison_from, time(self.poison_from_seconds));
        replace(&mut work.hangs_for, time(self.hangs_for_seconds).map(Some));
        replace(&mut work.resets_visibility, self.resets_visibility);
        replace(
            &mut work.poison_share,
            self.poison_share.map(|Share(share)| share),
        );
        replace(&mut work.receives_max, count(self.max_receive_count));
        replace(
            &mut work.outage,
            self.outage_seconds.map(|span| Some(span.range())),
        );
        if let (Some(Seconds(from)), Some(Positive(factor))) =
            (self.slower_from_seconds, self.slower_factor)
        {
            work.slower_from = Some((from, factor));
        }
        replace(
            &mut work.saturates_above,
            count(self.saturates_above).map(Some),
        );
        replace(&mut work.groups, count(self.groups).map(Some));
        changes.apply(scenario);
    }
}

impl ClusterTable {
    fn apply(&self, scenario: &mut Scenario) {
        let cluster = &mut scenario.cluster;
        let time = |time: Option<Seconds>| time.map(|Seconds(time)| time);
        let count = |count: Option<Count>| count.map(|Count(count)| count);
        replace(&mut cluster.startup, time(self.startup_seconds));
        replace(&mut cluster.grace, time(self.grace_seconds));
        replace(&mut cluster.nodes, count(self.nodes));
        replace(&mut cluster.pods_per_node, count(self.pods_per_node));
        replace(&mut cluster.node_idle, time(self.node_idle_seconds));
        if let Some(Span(min, max)) = self.node_startup_seconds {
            (cluster.node_startup_min, cluster.node_startup_max) = (min, max);
        }
    }
}

impl CountsTable {
    fn apply(&self, scenario: &mut Scenario) {
        let counts = &mut scenario.fidelity;
        let share = |share: Option<Share>| share.map(|Share(share)| share);
        replace(
            counts,
            self.fidelity.clone().map(|FidelityName(fidelity)| fidelity),
        );
        replace(
            &mut counts.staleness,
            self.staleness_seconds.map(|Seconds(time)| time),
        );
        replace(&mut counts.noise, share(self.noise));
        replace(&mut counts.phantom_share, share(self.phantom_share));
        replace(&mut counts.zero_share, share(self.zero_share));
        replace(
            &mut counts.outage,
            self.outage_seconds.map(|span| Some(span.range())),
        );
    }
}
