//! A standard queue in its aggregate form: messages that were sent together are one entry, so that a
//! backlog of hundreds of thousands costs no memory. A test proves it equal to the local SQS's queue,
//! message by message. It knows no groups and no retention.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::local::queue::{Counts, IN_FLIGHT_MAX, Totals};

/// SQS puts a message that failed this often behind the others.
const SET_BACK_AFTER_RECEIVES: u32 = 3;

/// Messages sent together that nobody has received yet.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The first one's place in the order they were sent.
    rank: u64,
    messages: u64,
    available_at: Duration,
}

/// A message in a consumer's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    /// Its place in the order messages were sent.
    pub(super) rank: u64,
    /// When it could first be received.
    pub(super) available_at: Duration,
    /// How often it was received, this time included.
    pub(super) receives: u32,
    /// Whether it is one that no consumer can ever work off; whoever receives it first finds out.
    pub(super) is_poison: bool,
}

/// The messages of one queue.
#[derive(Debug, Default)]
pub(super) struct AggregateQueue {
    fresh: VecDeque<Run>,
    /// Visible again, by rank.
    returned: BTreeMap<u64, Held>,
    /// Sent with a delay, by the time it ends; the delay is one for all.
    delayed: VecDeque<Run>,
    /// Dropped by consumers that are gone, by when they are visible again.
    dropped: BTreeMap<(Duration, u64), Held>,
    counts: Counts,
    totals: Totals,
    next_rank: u64,
}

impl AggregateQueue {
    /// Sends `messages` that are all alike, receivable after `delay`.
    pub(super) fn send(&mut self, now: Duration, messages: u64, delay: Duration) {
        if messages == 0 {
            return;
        }
        let run = Run {
            rank: self.next_rank,
            messages,
            available_at: now + delay,
        };
        self.next_rank += messages;
        self.totals.sent += messages;
        if delay.is_zero() {
            self.counts.visible += messages;
            self.fresh.push_back(run);
        } else {
            self.counts.delayed += messages;
            self.delayed.push_back(run);
        }
    }

    /// Applies every delay and visibility timeout that ended by `now`.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some(run) = self.delayed.pop_front_if(|run| run.available_at <= now) {
            self.counts.delayed -= run.messages;
            self.counts.visible += run.messages;
            self.fresh.push_back(run);
        }
        while let Some(entry) = self.dropped.first_entry()
            && entry.key().0 <= now
        {
            let held = entry.remove();
            self.counts.in_flight -= 1;
            self.counts.visible += 1;
            let is_set_back = held.receives >= SET_BACK_AFTER_RECEIVES;
            let rank = if is_set_back {
                self.next_rank
            } else {
                held.rank
            };
            self.next_rank += u64::from(is_set_back);
            self.returned.insert(rank, Held { rank, ..held });
        }
    }

    /// When time next changes the queue by itself.
    pub(super) fn next_change_at(&self) -> Option<Duration> {
        let released = self.delayed.front().map(|run| run.available_at);
        let visible = self.dropped.first_key_value().map(|((at, _), _)| *at);
        released.into_iter().chain(visible).min()
    }

    /// Hands out the first visible message, unless as many are in flight as SQS allows.
    pub(super) fn receive(&mut self) -> Option<Held> {
        if self.counts.in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let mut held = self.take_first()?;
        held.receives += 1;
        self.counts.visible -= 1;
        self.counts.in_flight += 1;
        self.totals.received += 1;
        Some(held)
    }

    fn take_first(&mut self) -> Option<Held> {
        let returned = self.returned.first_key_value().map(|(rank, _)| *rank);
        let fresh = self.fresh.front().map(|run| run.rank);
        if returned.is_some_and(|rank| fresh.is_none_or(|fresh| rank < fresh)) {
            return self.returned.pop_first().map(|(_, held)| held);
        }
        let run = self.fresh.front_mut()?;
        let held = Held {
            rank: run.rank,
            available_at: run.available_at,
            receives: 0,
            is_poison: false,
        };
        run.rank += 1;
        run.messages -= 1;
        if run.messages == 0 {
            self.fresh.pop_front();
        }
        Some(held)
    }

    /// A consumer is done with a message it holds.
    pub(super) fn delete(&mut self) {
        self.counts.in_flight -= 1;
        self.totals.deleted += 1;
    }

    /// A message that failed too often leaves for the dead-letter queue instead of being received.
    pub(super) fn give_up(&mut self) {
        self.counts.in_flight -= 1;
        self.totals.received -= 1;
        self.totals.moved_out += 1;
    }

    /// A consumer lost a message: it stays in flight until `visible_at`.
    pub(super) fn drop_until(&mut self, visible_at: Duration, held: Held) {
        self.dropped.insert((visible_at, held.rank), held);
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Since when the first message waits that has never been received, and how many runs wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.fresh
            .iter()
            .chain(&self.delayed)
            .map(|run| (run.available_at, run.messages))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::local::queue::{NewMessage, Queue, QueueKind, QueueSettings, Receive, Received};

    #[derive(Debug, Clone)]
    enum Step {
        Send(u64),
        Receive,
        Delete(usize),
        Lose(usize),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (1_u64..6).prop_map(Step::Send),
            5 => Just(Step::Receive),
            3 => any::<usize>().prop_map(Step::Delete),
            3 => any::<usize>().prop_map(Step::Lose),
            3 => (1_u64..15).prop_map(Step::Wait),
        ]
    }

    /// Both forms side by side, with the messages that are held of each.
    struct Pair {
        aggregate: AggregateQueue,
        exact: Queue<()>,
        held: Vec<(Held, Received<()>)>,
        delay: Duration,
        now: Duration,
    }

    const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(20);

    impl Pair {
        fn new(delay_seconds: u64) -> Self {
            // A consumer that works keeps its message: here it does so by a long first timeout.
            let settings = QueueSettings {
                visibility_timeout: Duration::from_hours(1),
                delay: Duration::from_secs(delay_seconds),
                ..QueueSettings::of(QueueKind::Standard)
            };
            Self {
                aggregate: AggregateQueue::default(),
                delay: settings.delay,
                exact: Queue::new(settings),
                held: Vec::new(),
                now: Duration::from_secs(1),
            }
        }

        fn take(&mut self, step: &Step) {
            match *step {
                Step::Send(messages) => {
                    self.aggregate.send(self.now, messages, self.delay);
                    for _ in 0..messages {
                        self.exact.send(self.now, NewMessage::of(()));
                    }
                }
                Step::Receive => {
                    let exact = self.exact.receive(self.now, &Receive::up_to(1)).unwrap();
                    let pair = self
                        .aggregate
                        .receive()
                        .zip(exact.messages.first().cloned());
                    self.held.extend(pair);
                }
                Step::Delete(which) if !self.held.is_empty() => {
                    let (_, exact) = self.held.remove(which % self.held.len());
                    self.aggregate.delete();
                    assert!(self.exact.delete(self.now, exact.receipt).unwrap());
                }
                Step::Lose(which) if !self.held.is_empty() => {
                    let (held, exact) = self.held.remove(which % self.held.len());
                    let until = self.now + VISIBILITY_TIMEOUT;
                    self.aggregate.drop_until(until, held);
                    self.exact
                        .change_visibility(self.now, exact.receipt, VISIBILITY_TIMEOUT)
                        .unwrap();
                }
                Step::Wait(seconds) => {
                    self.now += Duration::from_secs(seconds);
                    self.aggregate.advance(self.now);
                }
                Step::Delete(_) | Step::Lose(_) => {}
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_equal_to_the_local_queue(
            delay_seconds in prop_oneof![Just(0_u64), Just(3)],
            steps in proptest::collection::vec(step(), 1..200),
        ) {
            let mut pair = Pair::new(delay_seconds);
            for step in &steps {
                pair.take(step);
                prop_assert_eq!(pair.aggregate.counts(), pair.exact.counts(pair.now));
                prop_assert_eq!(pair.aggregate.totals(), pair.exact.totals());
                for (held, exact) in &pair.held {
                    prop_assert_eq!(held.available_at, exact.sent_at + pair.delay);
                    prop_assert_eq!(held.receives, exact.receive_count);
                }
            }
        }
    }

    #[test]
    fn a_backlog_that_was_sent_at_once_is_one_entry() {
        let mut queue = AggregateQueue::default();
        queue.send(Duration::ZERO, 200_000, Duration::ZERO);
        assert_eq!(queue.fresh.len(), 1);
        assert_eq!(queue.counts().visible, 200_000);
    }
}
