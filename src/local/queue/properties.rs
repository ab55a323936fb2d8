//! Random histories: no message appears or vanishes, and no group is ever out of order.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Send {
        group: u8,
        delay_seconds: u64,
    },
    Receive {
        max_messages: usize,
        timeout_seconds: u64,
        max_receives: Option<u32>,
    },
    Delete {
        which: usize,
    },
    ChangeVisibility {
        which: usize,
        timeout_seconds: u64,
    },
    Wait {
        seconds: u64,
    },
    Purge,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u8..4, 0_u64..3).prop_map(|(group, delay_seconds)| Step::Send { group, delay_seconds }),
        6 => (1_usize..11, 0_u64..20, proptest::option::of(1_u32..5)).prop_map(
            |(max_messages, timeout_seconds, max_receives)| Step::Receive {
                max_messages, timeout_seconds, max_receives,
            }
        ),
        5 => any::<usize>().prop_map(|which| Step::Delete { which }),
        2 => (any::<usize>(), 0_u64..20).prop_map(|(which, timeout_seconds)| {
            Step::ChangeVisibility { which, timeout_seconds }
        }),
        3 => (0_u64..40).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Purge),
    ]
}

/// A queue under random steps, with all receipts it ever gave.
struct World {
    queue: Queue<u32>,
    now: Duration,
    receipts: Vec<Receipt>,
    received: Vec<Received<u32>>,
    sent: u32,
}

impl World {
    fn new(kind: QueueKind) -> Self {
        let mut queue = Queue::new(QueueSettings::of(kind));
        queue.set_retention(Duration::ZERO, Duration::from_mins(2));
        Self {
            queue,
            now: Duration::ZERO,
            receipts: Vec::new(),
            received: Vec::new(),
            sent: 0,
        }
    }

    fn receipt(&self, which: usize) -> Option<Receipt> {
        self.receipts
            .get(which.checked_rem(self.receipts.len())?)
            .copied()
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Send {
                group,
                delay_seconds,
            } => self.send(group, delay_seconds),
            Step::Receive {
                max_messages,
                timeout_seconds,
                max_receives,
            } => {
                let visibility_timeout = Some(Duration::from_secs(timeout_seconds));
                let request = Receive {
                    max_messages,
                    visibility_timeout,
                    max_receives,
                };
                let delivery = self.queue.receive(self.now, &request).unwrap();
                self.receipts
                    .extend(delivery.messages.iter().map(|message| message.receipt));
                self.received = delivery.messages;
            }
            Step::Delete { which } => {
                if let Some(receipt) = self.receipt(which) {
                    let _refusal = self.queue.delete(self.now, receipt);
                }
            }
            Step::ChangeVisibility {
                which,
                timeout_seconds,
            } => {
                if let Some(receipt) = self.receipt(which) {
                    let timeout = Duration::from_secs(timeout_seconds);
                    let _refusal = self.queue.change_visibility(self.now, receipt, timeout);
                }
            }
            Step::Wait { seconds } => self.now += Duration::from_secs(seconds),
            Step::Purge => {
                self.queue.purge(self.now);
            }
        }
    }

    fn send(&mut self, group: u8, delay_seconds: u64) {
        let message = NewMessage {
            delay: Some(Duration::from_secs(delay_seconds)),
            group: Some(group.to_string().into()),
            ..NewMessage::of(self.sent * 4 + u32::from(group))
        };
        self.queue.send(self.now, message);
        self.sent += 1;
    }

    fn assert_conserved(&mut self) {
        let counts = self.queue.counts(self.now);
        let totals = self.queue.totals();
        let gone = totals.deleted + totals.moved_out + totals.expired + totals.purged;
        assert_eq!(totals.sent, counts.total() + gone, "{counts:?} {totals:?}");
        let mut by_state = Counts::default();
        for message in self.queue.messages.values() {
            by_state.delayed += 1;
            by_state.change(message::State::Delayed, message.state);
        }
        assert_eq!(counts, by_state);
    }

    /// Every message handed out must be the oldest of its group that is left.
    fn assert_in_order(&self) {
        let mut last: HashMap<u32, u32> = HashMap::new();
        for message in &self.received {
            let group = message.payload % 4;
            assert!(
                last.insert(group, message.payload)
                    .is_none_or(|earlier| earlier < message.payload)
            );
        }
        for message in &self.received {
            let overtaken = self.queue.messages.values().find(|other| {
                other.payload % 4 == message.payload % 4
                    && other.payload < message.payload
                    && !self
                        .received
                        .iter()
                        .any(|taken| taken.payload == other.payload)
            });
            assert!(overtaken.is_none(), "{message:?} overtook {overtaken:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_message_of_a_standard_queue_appears_or_vanishes(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new(QueueKind::Standard);
        for step in &steps {
            world.apply(step);
            world.assert_conserved();
        }
    }

    #[test]
    fn a_fifo_queue_conserves_messages_and_the_order_of_each_group(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        let mut world = World::new(QueueKind::Fifo);
        for step in &steps {
            world.apply(step);
            if matches!(step, Step::Receive { .. }) {
                world.assert_in_order();
            }
            world.assert_conserved();
        }
    }
}
