//! The world: what is due next happens next, in virtual time, until the work is done.

use std::{cmp::Reverse, collections::BinaryHeap, ops::ControlFlow, time::Duration};

use super::{
    approximate::ApproximateCounts,
    arrivals::Arrivals,
    cloudwatch::CloudWatch,
    control::{Control, Sight},
    demand::Demand,
    fair_queue::{FairQueue, Taken, Tenant},
    outcome::{Ledger, Outcome, Tally},
    pods::{PodId, Pods, Workers},
    random::Stream,
    scenario::Scenario,
    spec::Supply,
    timeline::{Glance, Recorder, Timeline},
    work::Worker,
};
use crate::local::queue::{Counts, Totals};

/// SQS and CloudWatch note the truth this often.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// CloudWatch adds up minutes.
const LOOKS_PER_MINUTE: u64 = 60;

/// What has not been done this long after the last message and the horizon is left undone.
const DRAIN_MAX: Duration = Duration::from_hours(24);

/// What a step left behind, for whoever watches a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepView {
    pub now: Duration,
    /// The truth, not what SQS says.
    pub counts: Counts,
    pub totals: Totals,
    /// `spec.replicas`.
    pub replicas: u32,
    /// Pods that receive messages.
    pub ready: u32,
    /// Pods on a node, those that start and drain included.
    pub placed: u32,
    /// Seconds that pods had a place on a node.
    pub pod_seconds: f64,
    /// Messages that pods hold.
    pub held_messages: u64,
    /// Messages in work when their pod was killed, so far.
    pub killed_messages: u64,
    /// Messages that were received later than the target, so far.
    pub late_messages: u64,
    /// How long the first message waits that nobody has received yet.
    pub oldest_wait: Duration,
}

/// A message in work.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    ends_at: Duration,
    /// Turns that end together end in the order they began.
    number: u64,
    pod: PodId,
    taken: Taken,
    takes: Duration,
    fails: bool,
}

/// The state of a run.
#[derive(Debug)]
pub(super) struct World<'a> {
    scenario: &'a Scenario,
    now: Duration,
    arrivals: Arrivals,
    flood: Arrivals,
    queue: FairQueue,
    worker: Worker,
    pods: Pods,
    turns: BinaryHeap<Reverse<Turn>>,
    turns_begun: u64,
    sqs: ApproximateCounts,
    cloudwatch: CloudWatch,
    looks: u64,
    control: Control,
    tally: Tally,
    demand: Demand,
    recorder: Recorder,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario, control: Control, seed: u64) -> Self {
        let work = scenario.work.clone();
        let workers = Workers {
            concurrency: work.concurrency,
            prefetch: work.prefetch,
        };
        let mut pods = Pods::new(scenario.cluster.clone(), workers, seed);
        pods.spare_busy(control.spares_busy_pods());
        Self {
            scenario,
            now: Duration::ZERO,
            arrivals: Arrivals::new(&scenario.arrivals, (seed, Stream::Arrivals)),
            flood: Arrivals::new(scenario.flood_arrivals(), (seed, Stream::Flood)),
            queue: FairQueue::default(),
            pods,
            worker: Worker::new(work, seed),
            turns: BinaryHeap::new(),
            turns_begun: 0,
            sqs: ApproximateCounts::new(scenario.fidelity.clone(), seed),
            cloudwatch: CloudWatch::new(seed, scenario.work.groups),
            looks: 0,
            control,
            tally: Tally::new(
                scenario.target_wait,
                scenario.flood.as_ref().map(|_| scenario.noisy_wait()),
            ),
            demand: Demand::of(scenario),
            recorder: Recorder::new(),
        }
    }

    /// As [`Self::run_recorded`], for those who need no timeline.
    #[cfg(test)]
    pub(super) fn run(self) -> Outcome {
        self.run_recorded().0
    }

    /// Runs to the end: the horizon has passed and every message is done, or much later in any case.
    pub(super) fn run_recorded(mut self) -> (Outcome, Timeline) {
        while !self.is_over() {
            self.now = self.next_at();
            self.step();
        }
        self.outcome()
    }

    /// Runs with `observe` told of each step; none when it breaks the run off.
    pub(super) fn watched(
        mut self,
        mut observe: impl FnMut(&StepView) -> ControlFlow<()>,
    ) -> Option<(Outcome, Timeline)> {
        while !self.is_over() {
            self.now = self.next_at();
            self.step();
            if observe(&self.view()).is_break() {
                return None;
            }
        }
        Some(self.outcome())
    }

    fn view(&mut self) -> StepView {
        let oldest = self.queue.oldest_since().unwrap_or(self.now);
        StepView {
            now: self.now,
            counts: self.queue.counts(),
            totals: self.queue.totals(),
            replicas: self.pods.replicas(),
            ready: self.pods.ready(),
            placed: self.pods.placed(),
            pod_seconds: self.pods.totals(self.now).pod_seconds,
            held_messages: self.held(),
            killed_messages: self.tally.killed_messages,
            late_messages: self.tally.late_messages(),
            oldest_wait: self.now.saturating_sub(oldest),
        }
    }

    fn is_over(&self) -> bool {
        let is_empty = self.is_all_done();
        let end = self.scenario.horizon.max(self.tally.last_sent_at);
        (is_empty && self.now >= self.scenario.horizon) || self.now > end + DRAIN_MAX
    }

    /// When something happens next. A look is always due, so that time always passes.
    fn next_at(&self) -> Duration {
        let others = [
            self.arrivals.next_at(),
            self.flood.next_at(),
            self.queue.next_change_at(),
            self.turns.peek().map(|Reverse(turn)| turn.ends_at),
            self.pods.next_at(),
            self.control.next_at(self.pods.replicas()),
        ];
        let look = LOOK_INTERVAL.saturating_mul(u32::try_from(self.looks).unwrap_or(u32::MAX));
        let next = others.into_iter().flatten().fold(look, Duration::min);
        next.max(self.now)
    }

    fn step(&mut self) {
        self.send();
        self.queue.advance(self.now);
        self.end_turns();
        self.advance_pods();
        self.look();
        self.scale();
        self.begin_turns();
    }

    fn send(&mut self) {
        let streams = [
            (Tenant::Ordinary, &mut self.arrivals),
            (Tenant::Flood, &mut self.flood),
        ];
        for (tenant, arrivals) in streams {
            while arrivals.next_at().is_some_and(|at| at <= self.now) {
                let messages = arrivals.take();
                self.queue
                    .send((self.now, tenant), messages, self.scenario.delay);
                self.tally.first_sent_at.get_or_insert(self.now);
                self.tally.last_sent_at = self.now;
            }
        }
    }

    fn end_turns(&mut self) {
        while let Some(Reverse(first)) = self.turns.peek()
            && first.ends_at <= self.now
            && let Some(Reverse(turn)) = self.turns.pop()
        {
            self.pods.release_slot(turn.pod, self.now);
            if turn.fails {
                self.tally.failed_messages += 1;
                let visible_at = self.visible_again_at();
                self.queue.drop_until(visible_at, turn.taken);
                continue;
            }
            self.tally.work += turn.takes;
            self.queue.delete(turn.taken.tenant);
            self.note_emptiness();
        }
    }

    fn visible_again_at(&self) -> Duration {
        if self.scenario.work.resets_visibility {
            self.now
        } else {
            self.now + self.scenario.visibility_timeout
        }
    }

    fn note_emptiness(&mut self) {
        if self.is_all_done() {
            self.tally.emptied_at = Some(self.now);
        }
    }

    fn is_all_done(&self) -> bool {
        let is_all_sent = self.arrivals.next_at().is_none() && self.flood.next_at().is_none();
        is_all_sent && self.queue.counts().total() == 0
    }

    fn advance_pods(&mut self) {
        let killed = self.pods.advance(self.now);
        if killed.is_empty() {
            return;
        }
        // All that are killed at once cost one pass over the messages in work.
        let visible_at = self.now + self.scenario.visibility_timeout;
        let (queue, tally) = (&mut self.queue, &mut self.tally);
        self.turns.retain(|Reverse(turn)| {
            let is_lost = killed.contains(&turn.pod);
            if is_lost {
                tally.killed_messages += 1;
                queue.drop_until(visible_at, turn.taken);
            }
            !is_lost
        });
    }

    fn look(&mut self) {
        let due = LOOK_INTERVAL.saturating_mul(u32::try_from(self.looks).unwrap_or(u32::MAX));
        if self.now < due {
            return;
        }
        let (counts, totals) = (self.queue.counts(), self.queue.totals());
        self.sqs.note(self.now, counts);
        if self.looks > 0 && self.looks.is_multiple_of(LOOKS_PER_MINUTE) {
            let oldest = self.queue.oldest_age(self.now);
            let groups = self.scenario.flood.as_ref();
            let groups = groups.map(|_| self.queue.groups(self.now));
            self.cloudwatch
                .end_minute(self.now, (counts, totals), (oldest, groups));
        }
        self.looks += 1;
        self.record();
    }

    fn record(&mut self) {
        let supply = Supply {
            needed: self.demand.at(self.now),
            running: self.pods.ready(),
            wanted: self.pods.replicas(),
        };
        if self.now < self.scenario.horizon {
            self.tally.elasticity.note(supply);
        }
        let since = self.queue.oldest_since().unwrap_or(self.now);
        self.recorder.note(Glance {
            supply,
            visible: self.queue.counts().visible,
            age_seconds: self.now.saturating_sub(since).as_secs(),
        });
    }

    fn scale(&mut self) {
        let replicas = self.pods.replicas();
        if self
            .control
            .next_at(replicas)
            .is_none_or(|at| at > self.now)
        {
            return;
        }
        let mut sight = Sight {
            sqs: &mut self.sqs,
            cloudwatch: &self.cloudwatch,
            counts: self.queue.counts(),
            totals: self.queue.totals(),
            failures: self.tally.failed_messages,
            working: self.pods.working(),
            replicas,
            ready: self.pods.ready(),
            delay: self.scenario.delay,
        };
        let wanted = self.control.act(self.now, &mut sight).unwrap_or(replicas);
        if wanted != replicas {
            self.tally
                .scaled(replicas, wanted, self.queue.counts().total());
            self.pods.scale_to(wanted, self.now);
        }
    }

    fn begin_turns(&mut self) {
        while self.worker.may_begin(self.held())
            && self.pods.has_slot()
            && let Some(taken) = self.queue.receive()
        {
            if self.worker.is_dead(taken.held.receives - 1) {
                self.queue.give_up(taken.tenant);
                self.note_emptiness();
            } else if let Some(pod) = self.pods.take_slot() {
                self.begin(pod, taken);
            }
        }
    }

    fn held(&self) -> u64 {
        u64::try_from(self.turns.len()).unwrap_or(u64::MAX)
    }

    fn begin(&mut self, pod: PodId, mut taken: Taken) {
        let held = &mut taken.held;
        if held.receives == 1 {
            held.is_poison = self.worker.is_poison(self.now);
            self.tally.first_receives += 1;
            self.tally.first_received_at.get_or_insert(self.now);
            let wait = self.now.saturating_sub(held.available_at);
            self.tally.note_wait(taken.tenant, wait, 1);
        }
        let is_poison = held.is_poison;
        let begins_at = self.pods.worker_free_at(pod).max(self.now);
        let turn = self.worker.begin(begins_at, self.held() + 1);
        let ends_at = begins_at + turn.takes;
        self.pods.occupy_worker(pod, ends_at);
        self.turns_begun += 1;
        self.turns.push(Reverse(Turn {
            ends_at,
            number: self.turns_begun,
            pod,
            taken,
            takes: turn.takes,
            fails: turn.fails || is_poison,
        }));
    }

    /// What nobody ever received has waited until the end.
    fn outcome(mut self) -> (Outcome, Timeline) {
        for (tenant, available_at, messages) in self.queue.waiting() {
            let wait = self.now.saturating_sub(available_at);
            self.tally.note_wait(tenant, wait, messages);
        }
        let ledger = Ledger {
            now: self.now,
            counts: self.queue.counts(),
            totals: self.queue.totals(),
            pods: self.pods.totals(self.now),
            concurrency: self.scenario.work.concurrency,
            requests: self.sqs.requests(),
            cloudwatch_metrics: self.cloudwatch.metrics_asked(),
        };
        (Outcome::of(&self.tally, &ledger), self.recorder.finish())
    }
}
