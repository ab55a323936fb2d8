//! The pods of one workload and the nodes under them: started, asked to stop, and killed when they
//! outstay their grace. It knows no message, only how many each pod works on.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    time::Duration,
};

use super::{
    cluster::Cluster,
    random::{Random, Stream},
};

/// A pod, by the order in which they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PodId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// There is no room for it.
    Waiting,
    Starting,
    Ready,
    /// Finishes what it has begun.
    Draining,
    Gone,
}

#[derive(Debug)]
struct Pod {
    phase: Phase,
    busy: u32,
    has_worked: bool,
    /// When each of its workers is free, where messages wait for one within the pod.
    workers_free_at: BinaryHeap<Reverse<Duration>>,
}

#[derive(Debug, Clone, Copy)]
enum Timer {
    Ready(PodId),
    GraceOver(PodId),
    NodeComes,
    NodeIdle,
}

/// What each pod works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Workers {
    /// Messages at once.
    pub(super) concurrency: u32,
    /// Messages held beyond those.
    pub(super) prefetch: u32,
}

impl Workers {
    /// All messages that a pod holds.
    fn slots(self) -> u32 {
        self.concurrency.saturating_add(self.prefetch)
    }
}

/// What became of the pods so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct PodTotals {
    /// Seconds that pods had a place on a node.
    pub(super) pod_seconds: f64,
    pub(super) starts: u64,
    /// Pods that ended without having received a message.
    pub(super) wasted_starts: u64,
    pub(super) killed_pods: u64,
}

/// All pods.
#[derive(Debug)]
pub(super) struct Pods {
    cluster: Cluster,
    workers: Workers,
    spares_busy: bool,
    random: Random,
    all: Vec<Pod>,
    /// Those that are wanted, oldest first.
    wanted: Vec<PodId>,
    /// Ready with a slot free, each once; others that have changed since are skipped.
    free: VecDeque<PodId>,
    waiting: VecDeque<PodId>,
    timers: BTreeMap<(Duration, u64), Timer>,
    timers_set: u64,
    /// Pods on a node, those that drain included: what is paid for.
    placed: u32,
    ready: u32,
    nodes: u32,
    nodes_coming: u32,
    charged_until: Duration,
    totals: PodTotals,
}

impl Pods {
    pub(super) fn new(cluster: Cluster, workers: Workers, seed: u64) -> Self {
        Self {
            nodes: cluster.nodes,
            cluster,
            workers,
            spares_busy: false,
            random: Random::new(seed, Stream::Cluster),
            all: Vec::new(),
            wanted: Vec::new(),
            free: VecDeque::new(),
            waiting: VecDeque::new(),
            timers: BTreeMap::new(),
            timers_set: 0,
            placed: 0,
            ready: 0,
            nodes_coming: 0,
            charged_until: Duration::ZERO,
            totals: PodTotals::default(),
        }
    }

    /// From now on idle pods go first, as with `pod-deletion-cost`.
    pub(super) fn spare_busy(&mut self, spares_busy: bool) {
        self.spares_busy = spares_busy;
    }

    /// Wanted pods that are at work.
    pub(super) fn working(&self) -> u32 {
        let is_busy = |id: &&PodId| self.all.get(id.0).is_some_and(|pod| pod.busy > 0);
        u32::try_from(self.wanted.iter().filter(is_busy).count()).unwrap_or(u32::MAX)
    }

    /// `spec.replicas`.
    pub(super) fn replicas(&self) -> u32 {
        u32::try_from(self.wanted.len()).unwrap_or(u32::MAX)
    }

    /// Pods that receive messages.
    pub(super) fn ready(&self) -> u32 {
        self.ready
    }

    /// Pods on a node, those that start and drain included.
    pub(super) fn placed(&self) -> u32 {
        self.placed
    }

    /// What became of the pods until `now`.
    pub(super) fn totals(&mut self, now: Duration) -> PodTotals {
        self.charge(now);
        self.totals
    }

    pub(super) fn next_at(&self) -> Option<Duration> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Makes pods, or asks some to stop, until `replicas` are wanted.
    pub(super) fn scale_to(&mut self, replicas: u32, now: Duration) {
        self.charge(now);
        while self.replicas() < replicas {
            let id = PodId(self.all.len());
            self.all.push(Pod {
                phase: Phase::Waiting,
                busy: 0,
                has_worked: false,
                workers_free_at: BinaryHeap::new(),
            });
            self.wanted.push(id);
            self.waiting.push_back(id);
        }
        let surplus = self.replicas().saturating_sub(replicas);
        for id in self.victims(surplus) {
            self.stop(id, now);
        }
        self.place(now);
    }

    /// As a `ReplicaSet` chooses: first those that are not ready, then the youngest.
    fn victims(&self, surplus: u32) -> Vec<PodId> {
        let mut order = self.wanted.clone();
        order.sort_by_key(|&id| {
            let pod = self.all.get(id.0);
            let phase = pod.map_or(Phase::Gone, |pod| pod.phase);
            let is_spared = self.spares_busy && pod.is_some_and(|pod| pod.busy > 0);
            (phase, is_spared, Reverse(id))
        });
        order.truncate(usize::try_from(surplus).unwrap_or(usize::MAX));
        order
    }

    fn stop(&mut self, id: PodId, now: Duration) {
        self.wanted.retain(|&wanted| wanted != id);
        self.waiting.retain(|&waiting| waiting != id);
        let Some(pod) = self.all.get_mut(id.0) else {
            return;
        };
        let was = std::mem::replace(&mut pod.phase, Phase::Draining);
        self.ready -= u32::from(was == Phase::Ready);
        match (was, pod.busy) {
            (Phase::Waiting, _) => pod.phase = Phase::Gone,
            (_, 0) => self.end(id, now),
            _ => self.set_timer(now + self.cluster.grace, Timer::GraceOver(id)),
        }
    }

    /// Gives waiting pods the room there is, and orders nodes for the others.
    fn place(&mut self, now: Duration) {
        while self.placed < self.nodes.saturating_mul(self.cluster.pods_per_node)
            && let Some(id) = self.waiting.pop_front()
        {
            self.placed += 1;
            self.totals.starts += 1;
            if let Some(pod) = self.all.get_mut(id.0) {
                pod.phase = Phase::Starting;
            }
            self.set_timer(now + self.cluster.startup, Timer::Ready(id));
        }
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let needed = waiting.div_ceil(self.cluster.pods_per_node.max(1));
        while self.nodes_coming < needed {
            self.nodes_coming += 1;
            let (min, max) = (self.cluster.node_startup_min, self.cluster.node_startup_max);
            let takes = self.random.between(min, max);
            self.set_timer(now + takes, Timer::NodeComes);
        }
    }

    /// Applies what is due by `now`; returns the pods that were killed at work.
    pub(super) fn advance(&mut self, now: Duration) -> Vec<PodId> {
        let mut killed = Vec::new();
        while let Some(entry) = self.timers.first_entry()
            && entry.key().0 <= now
        {
            let timer = entry.remove();
            self.charge(now);
            match timer {
                Timer::Ready(id) => self.begin(id),
                Timer::GraceOver(id) => killed.extend(self.kill(id, now)),
                Timer::NodeComes => {
                    self.nodes += 1;
                    self.nodes_coming -= 1;
                    self.place(now);
                    self.set_timer(now + self.cluster.node_idle, Timer::NodeIdle);
                }
                Timer::NodeIdle => self.release_node(),
            }
        }
        killed
    }

    fn begin(&mut self, id: PodId) {
        if let Some(pod) = self.all.get_mut(id.0)
            && pod.phase == Phase::Starting
        {
            pod.phase = Phase::Ready;
            self.ready += 1;
            self.free.push_back(id);
        }
    }

    fn kill(&mut self, id: PodId, now: Duration) -> Option<PodId> {
        let is_late = self.all.get(id.0)?.phase == Phase::Draining;
        is_late.then(|| {
            self.totals.killed_pods += 1;
            self.end(id, now);
            id
        })
    }

    fn end(&mut self, id: PodId, now: Duration) {
        self.charge(now);
        if let Some(pod) = self.all.get_mut(id.0) {
            pod.phase = Phase::Gone;
            self.totals.wasted_starts += u64::from(!pod.has_worked);
        }
        self.placed -= 1;
        self.place(now);
        if self.nodes > self.cluster.nodes {
            self.set_timer(now + self.cluster.node_idle, Timer::NodeIdle);
        }
    }

    /// Pods are taken to be packed, so that what is free is free together.
    fn release_node(&mut self) {
        let needed = self.placed.div_ceil(self.cluster.pods_per_node.max(1));
        if self.nodes > self.cluster.nodes && self.nodes > needed && self.waiting.is_empty() {
            self.nodes -= 1;
        }
    }

    /// A pod with a slot free takes a message. Pods take turns.
    pub(super) fn take_slot(&mut self) -> Option<PodId> {
        while let Some(id) = self.free.pop_front() {
            if let Some(pod) = self.all.get_mut(id.0)
                && pod.phase == Phase::Ready
            {
                pod.busy += 1;
                pod.has_worked = true;
                if pod.busy < self.workers.slots() {
                    self.free.push_back(id);
                }
                return Some(id);
            }
        }
        None
    }

    /// Whether [`Self::take_slot`] may find one; it forgets those that have changed.
    pub(super) fn has_slot(&mut self) -> bool {
        let pods = &self.all;
        let is_stale = |id: &mut PodId| pods.get(id.0).is_none_or(|pod| pod.phase != Phase::Ready);
        while self.free.pop_front_if(is_stale).is_some() {}
        !self.free.is_empty()
    }

    /// When a worker of the pod is free for the message it has just received; at once where it holds no
    /// more than it works on.
    pub(super) fn worker_free_at(&self, id: PodId) -> Duration {
        let pod = self.all.get(id.0).filter(|_| self.workers.prefetch > 0);
        let is_free = |pod: &&Pod| pod.workers_free_at.len() < self.all_workers();
        pod.filter(|pod| !is_free(pod))
            .and_then(|pod| pod.workers_free_at.peek())
            .map_or(Duration::ZERO, |Reverse(at)| *at)
    }

    /// The worker that is free first works until `ends_at`.
    pub(super) fn occupy_worker(&mut self, id: PodId, ends_at: Duration) {
        let workers = self.all_workers();
        if self.workers.prefetch > 0
            && let Some(pod) = self.all.get_mut(id.0)
        {
            if pod.workers_free_at.len() >= workers {
                pod.workers_free_at.pop();
            }
            pod.workers_free_at.push(Reverse(ends_at));
        }
    }

    fn all_workers(&self) -> usize {
        usize::try_from(self.workers.concurrency).unwrap_or(usize::MAX)
    }

    /// A pod is done with a message. One that drains ends with its last.
    pub(super) fn release_slot(&mut self, id: PodId, now: Duration) {
        let Some(pod) = self.all.get_mut(id.0) else {
            return;
        };
        let was_full = pod.busy == self.workers.slots();
        pod.busy -= 1;
        match pod.phase {
            Phase::Ready if was_full => self.free.push_back(id),
            Phase::Draining if pod.busy == 0 => self.end(id, now),
            _ => {}
        }
    }

    fn set_timer(&mut self, at: Duration, timer: Timer) {
        self.timers_set += 1;
        self.timers.insert((at, self.timers_set), timer);
    }

    fn charge(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.charged_until);
        self.totals.pod_seconds += passed.as_secs_f64() * f64::from(self.placed);
        self.charged_until = now.max(self.charged_until);
    }
}

#[cfg(test)]
#[path = "pods_tests.rs"]
mod tests;
