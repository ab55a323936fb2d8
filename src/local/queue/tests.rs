//! The behaviours of a queue that SQS documents, one test each.

use super::*;

const START: Duration = Duration::from_secs(1_000_000);

pub(super) fn at(seconds: u64) -> Duration {
    START + Duration::from_secs(seconds)
}

pub(super) fn given_a_queue(kind: QueueKind) -> Queue<u32> {
    Queue::new(QueueSettings::of(kind))
}

pub(super) fn in_group(payload: u32, group: &str) -> NewMessage<u32> {
    NewMessage {
        group: Some(group.into()),
        ..NewMessage::of(payload)
    }
}

pub(super) fn receive(
    queue: &mut Queue<u32>,
    now: Duration,
    max_messages: usize,
) -> Vec<Received<u32>> {
    queue
        .receive(now, &Receive::up_to(max_messages))
        .unwrap()
        .messages
}

pub(super) fn payloads(messages: &[Received<u32>]) -> Vec<u32> {
    messages.iter().map(|message| message.payload).collect()
}

fn assert_counts(queue: &mut Queue<u32>, now: Duration, [visible, in_flight, delayed]: [u64; 3]) {
    assert_eq!(
        queue.counts(now),
        Counts {
            visible,
            in_flight,
            delayed
        }
    );
}

#[test]
fn a_message_is_visible_then_in_flight_then_gone() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.send(at(0), NewMessage::of(1));
    assert_counts(&mut queue, at(0), [1, 0, 0]);
    let received = receive(&mut queue, at(1), 10);
    assert_counts(&mut queue, at(1), [0, 1, 0]);
    assert!(queue.delete(at(2), received[0].receipt).unwrap());
    assert_counts(&mut queue, at(2), [0, 0, 0]);
}

#[test]
fn a_message_whose_timeout_ended_is_visible_again_and_counts_its_receives() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.send(at(0), NewMessage::of(1));
    receive(&mut queue, at(0), 1);
    assert_counts(&mut queue, at(29), [0, 1, 0]);
    assert_counts(&mut queue, at(30), [1, 0, 0]);
    let again = &receive(&mut queue, at(31), 1)[0];
    assert_eq!((again.receive_count, again.first_received_at), (2, at(0)));
}

#[test]
fn a_delayed_message_becomes_visible_when_its_delay_ends() {
    let mut queue = given_a_queue(QueueKind::Standard);
    let delay = Some(Duration::from_secs(5));
    queue.send(
        at(0),
        NewMessage {
            delay,
            ..NewMessage::of(1)
        },
    );
    assert_counts(&mut queue, at(4), [0, 0, 1]);
    assert_eq!(queue.next_change_at(), Some(at(5)));
    assert_counts(&mut queue, at(5), [1, 0, 0]);
}

#[test]
fn a_receive_with_no_timeout_hands_a_message_out_once() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.send(at(0), NewMessage::of(1));
    let request = Receive {
        visibility_timeout: Some(Duration::ZERO),
        ..Receive::up_to(10)
    };
    assert_eq!(queue.receive(at(0), &request).unwrap().messages.len(), 1);
    assert_counts(&mut queue, at(0), [1, 0, 0]);
}

#[test]
fn a_stale_receipt_deletes_nothing_in_a_standard_queue() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.send(at(0), NewMessage::of(1));
    let first = receive(&mut queue, at(0), 1)[0].receipt;
    let second = receive(&mut queue, at(40), 1)[0].receipt;
    assert_eq!(queue.delete(at(41), first), Ok(false));
    assert_counts(&mut queue, at(41), [0, 1, 0]);
    assert_eq!(
        queue.delete(at(80), second),
        Ok(true),
        "the latest receipt outlives its timeout"
    );
}

#[test]
fn a_changed_visibility_counts_from_the_change_and_is_bounded() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.send(at(0), NewMessage::of(1));
    let receipt = receive(&mut queue, at(0), 1)[0].receipt;
    queue
        .change_visibility(at(20), receipt, Duration::from_mins(1))
        .unwrap();
    assert_counts(&mut queue, at(79), [0, 1, 0]);
    let too_long = queue.change_visibility(at(79), receipt, Duration::from_hours(12));
    assert_eq!(too_long, Err(ReceiptError::TooLong));
    queue
        .change_visibility(at(79), receipt, Duration::ZERO)
        .unwrap();
    assert_counts(&mut queue, at(79), [1, 0, 0]);
    let late = queue.change_visibility(at(79), receipt, Duration::from_secs(1));
    assert_eq!(late, Err(ReceiptError::NotInFlight));
}

#[test]
fn a_message_received_too_often_is_given_up_with_the_time_it_was_sent() {
    let mut queue = given_a_queue(QueueKind::Standard);
    let request = Receive {
        max_receives: Some(2),
        ..Receive::up_to(10)
    };
    queue.send(at(0), NewMessage::of(7));
    for seconds in [0, 30] {
        assert_eq!(
            queue.receive(at(seconds), &request).unwrap().messages.len(),
            1
        );
    }
    let mut delivery = queue.receive(at(60), &request).unwrap();
    assert!(delivery.messages.is_empty());
    let moved = delivery.dead.pop().unwrap();
    assert_eq!((moved.payload, moved.sent_at), (7, at(0)));
    let mut dead_letters = given_a_queue(QueueKind::Standard);
    dead_letters.accept(at(60), moved);
    assert_eq!(
        dead_letters.oldest_age(at(70)),
        Some(Duration::from_secs(10))
    );
    assert_counts(
        &mut dead_letters,
        at(0) + Duration::from_hours(96),
        [0, 0, 0],
    );
}

#[test]
fn a_message_expires_after_the_retention_even_in_flight() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.set_retention(at(0), Duration::from_mins(1));
    queue.send(at(0), NewMessage::of(1));
    queue.send(at(10), NewMessage::of(2));
    receive(&mut queue, at(50), 1);
    assert_counts(&mut queue, at(60), [1, 0, 0]);
    assert_eq!(queue.totals().expired, 1);
}

#[test]
fn the_oldest_age_skips_delays_counts_flights_and_drops_the_fourth_receive() {
    let mut queue = given_a_queue(QueueKind::Standard);
    assert_eq!(queue.oldest_age(at(0)), None);
    let delay = Some(Duration::from_secs(100));
    queue.send(
        at(0),
        NewMessage {
            delay,
            ..NewMessage::of(1)
        },
    );
    assert_eq!(queue.oldest_age(at(99)), None);
    for receives in 0..3 {
        assert_eq!(receive(&mut queue, at(100 + 30 * receives), 1).len(), 1);
    }
    assert_eq!(queue.oldest_age(at(190)), Some(Duration::from_secs(90)));
    receive(&mut queue, at(190), 1);
    assert_eq!(queue.oldest_age(at(250)), None);
}

#[test]
fn a_message_that_failed_three_times_waits_behind_the_others() {
    let mut queue = given_a_queue(QueueKind::Standard);
    queue.send(at(0), NewMessage::of(1));
    for round in 0..3 {
        receive(&mut queue, at(30 * round), 1);
    }
    queue.send(at(80), NewMessage::of(2));
    assert_eq!(payloads(&receive(&mut queue, at(100), 1)), [2]);
}

#[test]
fn the_flight_limit_is_an_error_and_ends_with_a_delete() {
    let mut queue = given_a_queue(QueueKind::Standard);
    let max = usize::try_from(IN_FLIGHT_MAX).unwrap();
    for payload in 0..=u32::try_from(IN_FLIGHT_MAX).unwrap() {
        queue.send(at(0), NewMessage::of(payload));
    }
    let held = receive(&mut queue, at(1), max + 10);
    assert_eq!(held.len(), max);
    assert_eq!(
        queue.receive(at(1), &Receive::up_to(1)).unwrap_err(),
        OverLimit
    );
    queue.delete(at(1), held[0].receipt).unwrap();
    assert_eq!(receive(&mut queue, at(1), 1).len(), 1);
}

#[test]
fn cancelled_timers_do_not_pile_up() {
    let mut queue = given_a_queue(QueueKind::Standard);
    for payload in 0..20_000 {
        queue.send(at(0), NewMessage::of(payload));
        let receipt = receive(&mut queue, at(0), 1)[0].receipt;
        queue.delete(at(0), receipt).unwrap();
    }
    assert!(!queue.timers.is_bloated(0));
}

#[test]
fn a_purge_empties_the_queue_in_every_state() {
    let mut queue = given_a_queue(QueueKind::Fifo);
    for payload in 0..5 {
        queue.send(at(0), in_group(payload, "a"));
    }
    receive(&mut queue, at(0), 2);
    assert_eq!(queue.purge(at(1)), 5);
    assert_counts(&mut queue, at(60), [0, 0, 0]);
    assert_eq!(
        (queue.oldest_age(at(60)), queue.groups_in_flight()),
        (None, 0)
    );
}
