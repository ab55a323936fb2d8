//! The aggregate form beside the local SQS's queue, step by step.

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
