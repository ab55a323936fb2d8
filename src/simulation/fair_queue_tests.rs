//! The fair queue beside a single one, and what changes while a group is noisy.

use proptest::prelude::*;

use super::*;

const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(20);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So many messages of the flood, then so many others, all at once.
fn given_queue(flood: u64, ordinary: u64) -> FairQueue {
    let mut queue = FairQueue::default();
    queue.send((at(0), Tenant::Flood), flood, Duration::ZERO);
    queue.send((at(0), Tenant::Ordinary), ordinary, Duration::ZERO);
    queue
}

fn receive(queue: &mut FairQueue, messages: u64) -> Vec<Tenant> {
    let taken = (0..messages).map_while(|_| queue.receive());
    taken.map(|taken| taken.tenant).collect()
}

#[test]
fn a_group_is_noisy_with_thirty_in_flight_and_then_the_others_go_first() {
    let mut queue = given_queue(100, 5);
    assert_eq!(receive(&mut queue, 29), [Tenant::Flood; 29]);
    assert!(!queue.is_noisy());
    assert_eq!(receive(&mut queue, 1), [Tenant::Flood]);
    assert!(queue.is_noisy());
    assert_eq!(receive(&mut queue, 5), [Tenant::Ordinary; 5]);
    // A noisy group is worked on like the others where they leave room.
    assert_eq!(receive(&mut queue, 2), [Tenant::Flood; 2]);
}

#[test]
fn a_group_with_a_tenth_of_what_is_in_flight_is_not_noisy() {
    let mut queue = FairQueue::default();
    queue.send((at(0), Tenant::Ordinary), 300, Duration::ZERO);
    queue.send((at(0), Tenant::Flood), 100, Duration::ZERO);
    receive(&mut queue, 333);
    assert!(!queue.is_noisy(), "33 of 333");
    receive(&mut queue, 1);
    assert!(queue.is_noisy(), "34 of 334");
}

#[test]
fn a_group_is_forgiven_after_five_minutes_within_its_share() {
    let mut queue = given_queue(100, 0);
    receive(&mut queue, 30);
    queue.advance(at(100));
    queue.delete(Tenant::Flood);
    let forgiven_at = at(100) + FORGIVEN_AFTER;
    queue.advance(forgiven_at.saturating_sub(at(1)));
    assert!(queue.is_noisy());
    queue.advance(forgiven_at);
    assert!(!queue.is_noisy());
    queue.send((forgiven_at, Tenant::Ordinary), 1, Duration::ZERO);
    assert_eq!(receive(&mut queue, 1), [Tenant::Flood]);
}

#[test]
fn a_group_without_messages_is_forgiven_at_once() {
    let mut queue = given_queue(30, 0);
    receive(&mut queue, 30);
    for _ in 0..30 {
        assert!(queue.is_noisy());
        queue.delete(Tenant::Flood);
    }
    assert!(!queue.is_noisy());
}

#[test]
fn quiet_groups_are_all_but_the_noisy_one() {
    let mut queue = given_queue(100, 0);
    receive(&mut queue, 29);
    queue.send((at(50), Tenant::Ordinary), 5, Duration::ZERO);
    let groups = queue.groups(at(60));
    assert_eq!((groups.noisy, groups.quiet), (0, queue.counts()));
    assert_eq!(groups.quiet_oldest_age, at(60));
    receive(&mut queue, 2);
    let groups = queue.groups(at(60));
    let quiet = Counts {
        visible: 4,
        in_flight: 1,
        delayed: 0,
    };
    assert_eq!((groups.noisy, groups.quiet), (1, quiet));
    assert_eq!(groups.quiet_oldest_age, at(10));
}

#[derive(Debug, Clone)]
enum Step {
    Send(Tenant, u64),
    Receive(u64),
    Delete(usize),
    GiveUp(usize),
    Lose(usize),
    Wait(u64),
}

fn step(received_at_once: u64) -> impl Strategy<Value = Step> {
    let tenant = prop_oneof![Just(Tenant::Ordinary), Just(Tenant::Flood)];
    prop_oneof![
        3 => (tenant, 1_u64..40).prop_map(|(tenant, messages)| Step::Send(tenant, messages)),
        4 => (1..=received_at_once).prop_map(Step::Receive),
        3 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::GiveUp),
        2 => any::<usize>().prop_map(Step::Lose),
        2 => (1_u64..100).prop_map(Step::Wait),
    ]
}

/// A fair queue beside a single one, with the messages that are held of each.
#[derive(Default)]
struct Pair {
    fair: FairQueue,
    single: AggregateQueue,
    held: Vec<(Taken, Held)>,
    now: Duration,
}

impl Pair {
    fn take(&mut self, step: &Step) {
        match *step {
            Step::Send(tenant, messages) => {
                self.fair.send((self.now, tenant), messages, Duration::ZERO);
                self.single.send(self.now, messages, Duration::ZERO);
            }
            Step::Receive(messages) => {
                for _ in 0..messages {
                    let (fair, single) = (self.fair.receive(), self.single.receive());
                    assert_eq!(fair.is_some(), single.is_some());
                    self.held.extend(fair.zip(single));
                }
            }
            Step::Delete(which) if !self.held.is_empty() => {
                let (taken, _) = self.held.swap_remove(which % self.held.len());
                self.fair.delete(taken.tenant);
                self.single.delete();
            }
            Step::GiveUp(which) if !self.held.is_empty() => {
                let (taken, _) = self.held.swap_remove(which % self.held.len());
                self.fair.give_up(taken.tenant);
                self.single.give_up();
            }
            Step::Lose(which) if !self.held.is_empty() => {
                let (taken, held) = self.held.swap_remove(which % self.held.len());
                let until = self.now + VISIBILITY_TIMEOUT;
                self.fair.drop_until(until, taken);
                self.single.drop_until(until, held);
            }
            Step::Wait(seconds) => {
                self.now += at(seconds);
                self.fair.advance(self.now);
                self.single.advance(self.now);
            }
            Step::Delete(_) | Step::GiveUp(_) | Step::Lose(_) => {}
        }
    }
}

proptest! {
    #[test]
    fn no_message_is_lost_and_counts_add_up_whoever_goes_first(
        steps in proptest::collection::vec(step(50), 1..200),
    ) {
        let mut pair = Pair::default();
        for step in &steps {
            pair.take(step);
            prop_assert_eq!(pair.fair.counts(), pair.single.counts());
            prop_assert_eq!(pair.fair.totals(), pair.single.totals());
            let totals = pair.fair.totals();
            let accounted = pair.fair.counts().total() + totals.deleted + totals.moved_out;
            prop_assert_eq!(totals.sent, accounted);
        }
    }

    #[test]
    fn while_no_group_is_noisy_it_is_a_single_queue(
        steps in proptest::collection::vec(step(2), 1..200),
    ) {
        let mut pair = Pair::default();
        for step in &steps {
            pair.take(step);
            if pair.fair.is_noisy() {
                break;
            }
            for (taken, held) in &pair.held {
                prop_assert_eq!(taken.held, *held);
            }
            prop_assert_eq!(pair.fair.oldest_since(), pair.single.oldest_since());
            prop_assert_eq!(pair.fair.oldest_age(pair.now), pair.single.oldest_age(pair.now));
            prop_assert_eq!(pair.fair.next_change_at(), pair.single.next_change_at());
        }
    }
}
