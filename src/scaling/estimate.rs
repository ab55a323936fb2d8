//! What is learned of a queue from what can be seen of it: how long a message takes, how many arrive,
//! how many a replica works on, whether work succeeds at all. Pure: time is passed in, and the same
//! readings give the same estimate.
//!
//! Nothing here needs the workers' help. Little's law on the in-flight stage gives the time that a
//! message takes: the messages in flight are the work that goes on, the deletions what came of it.

mod age;
mod arrivals;
mod belief;
mod concurrency;
mod doubt;
mod history;
mod learning;
mod message_time;
mod noisy;
mod replica_history;
mod replicas;
mod startup;
mod yields;

use std::time::Duration;

pub use self::belief::{Cohort, Estimate, MessageTime, NoisyGroups, Oldest, Seen};
use self::{
    concurrency::Concurrency,
    doubt::Doubt,
    history::{History, Reading},
    replica_history::ReplicaHistory,
    startup::Startup,
    yields::Yield,
};
use super::{Law, Minute, observation::count_as_f64};

/// Fewer messages are no traffic: SQS counts one or two too many now and then.
const TRAFFIC_MESSAGES: f64 = 5.0;

/// "While messages wait" means so long.
const WAITING_FOR: Duration = Duration::from_mins(1);

/// The autoscaler's window: what the copy before asked for last holds for so long, and what a fresh one asks for
/// meanwhile is no less. It knows no arrivals yet.
const TAKES_OVER_FOR: Duration = Duration::from_mins(5);

/// The state from which estimates are made, of one queue under one law. Bounded: a quarter of an
/// hour of readings.
#[derive(Debug, Clone)]
pub struct Estimator {
    law: Law,
    history: History,
    asked: ReplicaHistory,
    ready: ReplicaHistory,
    /// Slot-seconds of work, faded, as they were counted.
    slot_seconds: f64,
    /// Replica-seconds of work, faded alike, of replicas that were full: how many slots that is may be learned
    /// later.
    replica_seconds: f64,
    /// Deletions that came of both, faded alike.
    deletions: f64,
    /// The shortest time that a fall of the counts has shown, the more doubted the older it is, while
    /// CloudWatch has shown none.
    by_fall: Option<MessageTime>,
    /// Until when it has been doubted.
    by_fall_at: Duration,
    /// The last minutes, for what is received and not deleted.
    minutes: Vec<Minute>,
    last_deletion_at: Option<Duration>,
    stalled_since: Option<Duration>,
    concurrency: Concurrency,
    startup: Startup,
    /// What is thought of a `concurrency` that was hinted at.
    doubt: Doubt,
    traffic_since: Option<Duration>,
    /// Since when messages have been in flight.
    worked_since: Option<Duration>,
    /// When the first look was.
    began_at: Option<Duration>,
    /// What was in flight at the first look.
    found_in_flight: Option<f64>,
    /// The last estimate: a second question about one observation gets the same answer.
    last: Option<(Duration, Estimate)>,
    /// Since when the oldest message waits, as CloudWatch said last.
    oldest_since: Option<Duration>,
    /// What CloudWatch said of groups last, when messages waited for all of the minute.
    groups: Option<f64>,
    /// Whether it ever did: only FIFO queues have groups.
    has_groups: bool,
    /// The fewest messages in flight of the last minute before the last look.
    working: f64,
    /// What got done in the last minutes, and with how many replicas.
    yields: Vec<Yield>,
    ineffective_above: Option<f64>,
    /// `DelaySeconds` of the queue.
    delay: Option<Duration>,
}

impl Estimator {
    /// Knows nothing but the hints.
    pub fn new(law: Law) -> Self {
        Self {
            law,
            history: History::default(),
            asked: ReplicaHistory::default(),
            ready: ReplicaHistory::default(),
            slot_seconds: 0.0,
            replica_seconds: 0.0,
            deletions: 0.0,
            by_fall: None,
            by_fall_at: Duration::ZERO,
            minutes: Vec::new(),
            last_deletion_at: None,
            stalled_since: None,
            concurrency: Concurrency::new(law.concurrency),
            startup: Startup::default(),
            doubt: Doubt::default(),
            traffic_since: None,
            worked_since: None,
            began_at: None,
            found_in_flight: None,
            last: None,
            oldest_since: None,
            groups: None,
            has_groups: false,
            working: 0.0,
            yields: Vec::new(),
            ineffective_above: None,
            delay: None,
        }
    }

    /// Takes in what is seen at `now`, a time since the Unix epoch, and says what to believe.
    pub fn observe(&mut self, now: Duration, seen: &Seen<'_>) -> Estimate {
        match self.last {
            Some((at, estimate)) if at == now => estimate,
            _ => {
                let estimate = self.learn_from(now, seen);
                self.last = Some((now, estimate));
                estimate
            }
        }
    }

    fn learn_from(&mut self, now: Duration, seen: &Seen<'_>) -> Estimate {
        self.catch_up(now, seen.minutes);
        if seen.ready_replicas.is_none() {
            self.doubt_concurrency(now);
        }
        let working = self
            .history
            .least_in_flight_since(now.saturating_sub(WAITING_FOR));
        self.working = if working.is_finite() { working } else { 0.0 };
        let reading = self.history.read(Reading {
            at: now,
            visible: count_as_f64(seen.backlog.visible.max(0)),
            in_flight: count_as_f64(seen.backlog.in_flight.max(0)),
            delayed: count_as_f64(seen.backlog.delayed.max(0)),
        });
        self.delay = seen.delay;
        self.found_in_flight.get_or_insert(reading.in_flight);
        if let Some(ready) = seen.ready_replicas {
            self.doubt = Doubt::default();
            self.learn_startup(now, f64::from(ready));
            self.ready.note(now, f64::from(ready));
            self.learn_concurrency(now, reading.in_flight, f64::from(ready));
        }
        let known_until = self.minutes.last().map(|minute| minute.from);
        let is_new = |minute: &&Minute| known_until.is_none_or(|known| minute.from > known);
        for minute in seen.minutes.iter().filter(is_new) {
            self.learn(&minute.believed());
        }
        if reading.visible <= 0.0 {
            self.oldest_since = None;
        }
        if reading.messages() >= TRAFFIC_MESSAGES {
            self.traffic_since.get_or_insert(now);
            if reading.in_flight >= 1.0 {
                self.worked_since.get_or_insert(now);
            }
        }
        self.learn_from_fall(now, reading.messages());
        let estimate = self.estimate(now, reading);
        self.tell_groups_apart(now, seen, estimate)
    }

    /// Notes what was answered: it bounds what can exist.
    pub fn asked(&mut self, now: Duration, replicas: f64) {
        self.asked.note(now, replicas);
    }

    /// What went on before the first look, as far as CloudWatch tells and whenever it does, which is some seconds
    /// after that look: so a restart forgets little.
    fn catch_up(&mut self, now: Duration, minutes: &[Minute]) {
        let began_at = *self.began_at.get_or_insert(now);
        let readings = minutes.iter().map(|minute| minute.believed());
        let readings = readings.filter_map(|minute| {
            Some(Reading {
                at: minute.until(),
                visible: minute.visible?,
                in_flight: minute.in_flight?,
                delayed: 0.0,
            })
        });
        let before = readings.filter(|reading| reading.at < began_at);
        self.history.catch_up(now, before);
    }

    /// What was found at work, for as long as that counts.
    fn taken_over(&self, now: Duration) -> f64 {
        let is_fresh = |began_at| now.saturating_sub(began_at) < TAKES_OVER_FOR;
        let found = self.found_in_flight.unwrap_or_default();
        if self.began_at.is_some_and(is_fresh) {
            found
        } else {
            0.0
        }
    }

    fn estimate(&self, now: Duration, reading: Reading) -> Estimate {
        let replicas_max = self.replicas_max(now);
        let message = self.message();
        let steadily_busy = self
            .history
            .have_waited_since(now.saturating_sub(WAITING_FOR))
            .then(|| {
                self.history
                    .least_in_flight_since(now.saturating_sub(WAITING_FOR))
            });
        let (pressing, oldest) = self.pressing(now, reading, (message, replicas_max));
        Estimate {
            visible: reading.visible,
            in_flight: reading.in_flight,
            found_in_flight: self.found_in_flight.unwrap_or_default(),
            taken_over: self.taken_over(now),
            message,
            arrivals_per_second: self.arrivals_per_second(now, message, replicas_max),
            concurrency: self.concurrency(),
            concurrency_at_most: self.doubt.at_most(now),
            replicas_max,
            startup: self.startup.took(),
            steadily_busy,
            working: self.working,
            pressing,
            noisy: None,
            oldest,
            is_work_clean: self.is_concurrency_known() && self.is_work_clean(),
            failing_share: self.failing_share(),
            stalled_at: self.stalled_since.map(|since| self.asked_before(since)),
            ineffective_above: self.ineffective_above,
            groups: self
                .groups
                .filter(|groups| self.are_the_limit(*groups, replicas_max)),
            due: self.due(now, reading),
            traffic_for: self.traffic_since.map(|since| now.saturating_sub(since)),
            worked_for: self.worked_since.map(|since| now.saturating_sub(since)),
        }
    }
}

#[cfg(test)]
#[path = "estimate/catch_up_tests.rs"]
mod catch_up_tests;
