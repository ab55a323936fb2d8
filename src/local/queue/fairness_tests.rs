//! The behaviours of a standard queue with message groups, one test each.

use super::{
    tests::{at, given_a_queue, in_group, payloads, receive},
    *,
};

/// What is sent to the group that is to become noisy has payloads below this.
const OTHERS: u32 = 1_000;

/// A queue with messages of "flood", and of other groups behind them.
fn given_a_flood(messages: u32, others: &[&str]) -> Queue<u32> {
    let mut queue = given_a_queue(QueueKind::Standard);
    for payload in 0..messages {
        queue.send(at(0), in_group(payload, "flood"));
    }
    for (payload, group) in (OTHERS..).zip(others) {
        queue.send(at(0), in_group(payload, group));
    }
    queue
}

fn noisy_groups(queue: &mut Queue<u32>, now: Duration) -> u64 {
    queue.fairness(now).unwrap().noisy_groups
}

fn counts([visible, in_flight, delayed]: [u64; 3]) -> Counts {
    Counts {
        visible,
        in_flight,
        delayed,
    }
}

#[test]
fn a_group_is_noisy_with_thirty_messages_in_flight_and_not_with_one_less() {
    let mut queue = given_a_flood(40, &[]);
    let held = receive(&mut queue, at(0), 29);
    assert_eq!(noisy_groups(&mut queue, at(0)), 0);
    receive(&mut queue, at(0), 1);
    assert_eq!(noisy_groups(&mut queue, at(0)), 1);
    queue.delete(at(1), held[0].receipt).unwrap();
    assert_eq!(
        noisy_groups(&mut queue, at(1)),
        1,
        "once noisy, it stays so for a while"
    );
}

#[test]
fn a_group_is_noisy_above_a_tenth_of_all_in_flight_and_not_at_it() {
    let mut queue = given_a_queue(QueueKind::Standard);
    for payload in 0..270 {
        queue.send(at(0), NewMessage::of(payload));
    }
    let alone = receive(&mut queue, at(0), 270);
    for payload in 0..30 {
        queue.send(at(0), in_group(payload, "flood"));
    }
    assert_eq!(receive(&mut queue, at(0), 30).len(), 30);
    assert_eq!(noisy_groups(&mut queue, at(0)), 0, "30 of 300");
    queue.delete(at(1), alone[0].receipt).unwrap();
    assert_eq!(noisy_groups(&mut queue, at(1)), 1, "30 of 299");
}

#[test]
fn quiet_groups_come_first_while_one_is_noisy() {
    let mut queue = given_a_flood(50, &["a", "b", "a"]);
    queue.send(at(0), NewMessage::of(2_000));
    let received = payloads(&receive(&mut queue, at(0), 36));
    assert_eq!(received[..30], (0..30).collect::<Vec<_>>());
    assert_eq!(received[30..], [1_000, 1_001, 1_002, 2_000, 30, 31]);
}

#[test]
fn of_noisy_groups_the_one_with_fewer_messages_in_flight_comes_first() {
    let mut queue = given_a_flood(33, &["rain"; 33]);
    let received = payloads(&receive(&mut queue, at(0), 63));
    assert_eq!(received[60..], [30, OTHERS + 30, 31]);
}

#[test]
fn the_oldest_message_comes_first_while_no_group_is_noisy() {
    let mut queue = given_a_queue(QueueKind::Standard);
    for (payload, group) in (0..28).zip(["a", "b", "c"].into_iter().cycle()) {
        queue.send(at(0), in_group(2 * payload, group));
        queue.send(at(0), NewMessage::of(2 * payload + 1));
    }
    let received = payloads(&receive(&mut queue, at(0), 56));
    assert_eq!(received, (0..56).collect::<Vec<_>>());
}

#[test]
fn a_group_blocks_nobody_and_not_itself() {
    let mut queue = given_a_flood(3, &[]);
    receive(&mut queue, at(0), 1);
    assert_eq!(payloads(&receive(&mut queue, at(0), 10)), [1, 2]);
    assert_eq!(queue.groups_in_flight(), 0);
}

#[test]
fn a_noisy_group_is_forgiven_when_it_is_drained() {
    let mut queue = given_a_flood(30, &["a"]);
    let delay = Some(Duration::from_secs(100));
    queue.send(
        at(0),
        NewMessage {
            delay,
            ..in_group(40, "flood")
        },
    );
    let mut held = receive(&mut queue, at(0), 30);
    let last = held.pop().unwrap();
    for message in held {
        queue.delete(at(1), message.receipt).unwrap();
    }
    assert_eq!(noisy_groups(&mut queue, at(1)), 1);
    queue.delete(at(1), last.receipt).unwrap();
    assert_eq!(
        noisy_groups(&mut queue, at(1)),
        0,
        "what is delayed does not count"
    );
    let fairness = queue.fairness(at(1)).unwrap();
    assert_eq!(fairness.quiet, counts([1, 0, 1]));
}

#[test]
fn a_noisy_group_is_forgiven_five_minutes_after_it_was_noisy_last() {
    let mut queue = given_a_flood(50, &[]);
    receive(&mut queue, at(0), 30);
    // All come back after half a minute; one in flight is no noise.
    queue.send(at(30 + 299), in_group(OTHERS, "a"));
    assert_eq!(payloads(&receive(&mut queue, at(30 + 299), 1)), [OTHERS]);
    assert_eq!(noisy_groups(&mut queue, at(30 + 299)), 1);
    queue.send(at(30 + 300), in_group(OTHERS + 1, "a"));
    assert_eq!(payloads(&receive(&mut queue, at(30 + 300), 1)), [0]);
    assert_eq!(noisy_groups(&mut queue, at(30 + 300)), 0);
}

#[test]
fn a_message_that_is_given_up_makes_no_noise() {
    let mut queue = given_a_flood(30, &[]);
    let receive_once = |max_messages, seconds| Receive {
        max_messages,
        visibility_timeout: Some(Duration::from_secs(seconds)),
        max_receives: Some(1),
    };
    queue.receive(at(0), &receive_once(1, 10)).unwrap();
    queue.receive(at(0), &receive_once(28, 60)).unwrap();
    // The first one is back, before the thirtieth that nobody has received.
    let mut delivery = queue.receive(at(10), &receive_once(1, 60)).unwrap();
    assert_eq!(queue.counts(at(10)), counts([0, 29, 0]));
    assert_eq!(noisy_groups(&mut queue, at(10)), 0);
    let dead = delivery.dead.pop().unwrap();
    assert_eq!(dead.group.as_deref(), Some("flood"), "it keeps its group");
}

#[test]
fn the_counts_and_the_age_of_quiet_groups_leave_noisy_ones_out() {
    let mut queue = given_a_flood(50, &[]);
    receive(&mut queue, at(0), 30);
    let later = |group, delay| NewMessage {
        delay: Some(Duration::from_secs(delay)),
        ..in_group(OTHERS, group)
    };
    for (group, delay) in [("flood", 0), ("flood", 60), ("a", 0), ("b", 0), ("b", 60)] {
        queue.send(at(10), later(group, delay));
    }
    receive(&mut queue, at(11), 1);
    let fairness = queue.fairness(at(20)).unwrap();
    assert_eq!(
        fairness,
        Fairness {
            noisy_groups: 1,
            quiet: counts([1, 1, 1]),
            quiet_oldest_age: Some(Duration::from_secs(10)),
        }
    );
    assert_eq!(queue.oldest_age(at(20)), Some(Duration::from_secs(20)));
}

#[test]
fn only_a_standard_queue_that_has_seen_a_group_is_fair() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.send(at(0), NewMessage::of(1));
    assert_eq!(queue.fairness(at(0)), None);
    queue.send(at(0), in_group(2, "a"));
    queue.purge(at(1));
    let nothing = Fairness {
        noisy_groups: 0,
        quiet: Counts::default(),
        quiet_oldest_age: None,
    };
    assert_eq!(queue.fairness(at(1)), Some(nothing));
    let mut fifo = given_a_queue(QueueKind::Fifo);
    fifo.send(at(0), in_group(1, "a"));
    assert_eq!(fifo.fairness(at(0)), None);
}
