//! Random histories with message groups: no message is lost or comes twice, and what is noisy and next is
//! what one would find who counts all messages anew.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{message::State, *};

/// Nothing comes back by itself in a history.
const NEVER: Duration = Duration::from_hours(12);

#[derive(Debug, Clone)]
enum Step {
    Send {
        group: u8,
        messages: u32,
        delay_seconds: u64,
    },
    Receive(usize),
    Delete {
        which: usize,
        messages: usize,
    },
    GiveBack(usize),
    Wait {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0_u8..5, 1_u32..60, prop_oneof![3 => Just(0), 1 => 0_u64..300]).prop_map(
            |(group, messages, delay_seconds)| Step::Send { group, messages, delay_seconds }
        ),
        8 => (1_usize..60).prop_map(Step::Receive),
        4 => (any::<usize>(), 1_usize..60).prop_map(|(which, messages)| Step::Delete { which, messages }),
        2 => any::<usize>().prop_map(Step::GiveBack),
        2 => (0_u64..200).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

struct World {
    queue: Queue<u32>,
    now: Duration,
    held: Vec<Received<u32>>,
    sent: u32,
    done: BTreeSet<u32>,
}

impl World {
    fn new() -> Self {
        let settings = QueueSettings {
            visibility_timeout: NEVER,
            ..QueueSettings::of(QueueKind::Standard)
        };
        Self {
            queue: Queue::new(settings),
            now: Duration::ZERO,
            held: Vec::new(),
            sent: 0,
            done: BTreeSet::new(),
        }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Send {
                group,
                messages,
                delay_seconds,
            } => (0..messages).for_each(|_| self.send(group, delay_seconds)),
            Step::Receive(messages) => (0..messages).for_each(|_| self.receive()),
            Step::Delete { which, messages } => (0..messages).for_each(|_| self.delete(which)),
            Step::GiveBack(which) => {
                if let Some(message) = self.take_held(which) {
                    let answer =
                        self.queue
                            .change_visibility(self.now, message.receipt, Duration::ZERO);
                    assert_eq!(answer, Ok(()));
                }
            }
            Step::Wait { seconds } => self.now += Duration::from_secs(seconds),
        }
    }

    /// Sends to one of the groups, or to none.
    fn send(&mut self, group: u8, delay_seconds: u64) {
        let message = NewMessage {
            delay: Some(Duration::from_secs(delay_seconds)),
            group: (group > 0).then(|| group.to_string().into()),
            ..NewMessage::of(self.sent)
        };
        self.queue.send(self.now, message);
        self.sent += 1;
    }

    fn receive(&mut self) {
        self.queue.advance(self.now);
        let expected = self.next();
        let mut messages = self
            .queue
            .receive(self.now, &Receive::up_to(1))
            .unwrap()
            .messages;
        let message = messages.pop();
        assert_eq!(
            message.as_ref().map(|message| message.receipt.key),
            expected
        );
        self.held.extend(message);
    }

    fn delete(&mut self, which: usize) {
        if let Some(message) = self.take_held(which) {
            assert_eq!(self.queue.delete(self.now, message.receipt), Ok(true));
            assert!(self.done.insert(message.payload), "{message:?} came twice");
        }
    }

    fn take_held(&mut self, which: usize) -> Option<Received<u32>> {
        let place = which.checked_rem(self.held.len())?;
        Some(self.held.swap_remove(place))
    }

    /// The message that is to be handed out next, by looking at all of them.
    fn next(&self) -> Option<MessageKey> {
        let visible = self.queue.messages.iter();
        let visible = visible.filter(|(_, message)| message.state == State::Visible);
        let in_flight = self.in_flight();
        let turn = |key: MessageKey, message: &Message<u32>| {
            let place = (message.rank.max(key.0), key);
            match message.group.as_ref().filter(|name| self.is_noisy(name)) {
                None => (0, 0, place),
                Some(name) => (1, in_flight.get(name).copied().unwrap_or(0), place),
            }
        };
        let next = visible.map(|(key, message)| (turn(*key, message), *key));
        next.min().map(|(_, key)| key)
    }

    fn is_noisy(&self, name: &Arc<str>) -> bool {
        match &self.queue.order {
            Order::Standard(tenants) => !tenants.is_quiet(Some(name)),
            Order::Fifo(_) => false,
        }
    }

    fn in_flight(&self) -> BTreeMap<Arc<str>, u64> {
        let mut in_flight = BTreeMap::new();
        for message in self.queue.messages.values() {
            if message.state == State::InFlight {
                let group = message.group.clone().unwrap_or_default();
                *in_flight.entry(group).or_default() += 1;
            }
        }
        in_flight
    }

    fn assert_fair(&mut self) {
        let counts = self.queue.counts(self.now);
        let in_flight = self.in_flight();
        for (name, messages) in &in_flight {
            let is_loud = *messages >= 30 && messages * 10 > counts.in_flight && !name.is_empty();
            assert!(!is_loud || self.is_noisy(name), "{name} of {in_flight:?}");
        }
        let Some(fairness) = self.queue.fairness(self.now) else {
            return;
        };
        let mut quiet = Counts::default();
        for message in self.queue.messages.values() {
            let name = message.group.as_ref();
            if name.is_none_or(|name| !self.is_noisy(name)) {
                quiet.delayed += 1;
                quiet.change(State::Delayed, message.state);
            }
        }
        assert_eq!(fairness.quiet, quiet);
        assert!(quiet.visible <= counts.visible && quiet.in_flight <= counts.in_flight);
        assert!(quiet.delayed <= counts.delayed);
        assert!(fairness.quiet_oldest_age <= self.queue.oldest_age(self.now));
    }

    /// Works off what is left; then every message has come once and nothing is remembered.
    fn assert_all_come_once(&mut self) {
        self.now += Duration::from_mins(5);
        while self.queue.counts(self.now).visible > 0 {
            self.receive();
        }
        while !self.held.is_empty() {
            self.delete(0);
        }
        assert_eq!(self.done, (0..self.sent).collect());
        if let Some(fairness) = self.queue.fairness(self.now) {
            assert_eq!(
                (fairness.noisy_groups, fairness.quiet),
                (0, Counts::default())
            );
        }
        let Order::Standard(tenants) = &self.queue.order else {
            return;
        };
        assert!(tenants.is_empty(), "{tenants:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_message_of_a_fair_queue_comes_once_and_in_its_turn(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step);
            world.assert_fair();
        }
        world.assert_all_come_once();
    }
}
