//! The behaviours of message groups and deduplication, one test each.

use super::{
    tests::{at, given_a_queue, in_group, payloads, receive},
    *,
};

#[test]
fn an_expired_receipt_is_refused_by_a_fifo_queue() {
    let mut queue = given_a_queue(QueueKind::Fifo);
    queue.send(at(0), in_group(1, "a"));
    let receipt = receive(&mut queue, at(0), 1)[0].receipt;
    assert_eq!(queue.delete(at(31), receipt), Err(ReceiptError::Expired));
}

#[test]
fn a_group_blocks_while_one_of_its_messages_is_in_flight() {
    let mut queue = given_a_queue(QueueKind::Fifo);
    for (payload, group) in [(1, "a"), (2, "a"), (3, "b"), (4, "a")] {
        queue.send(at(0), in_group(payload, group));
    }
    let first = receive(&mut queue, at(1), 1);
    assert_eq!(payloads(&first), [1]);
    assert_eq!(
        payloads(&receive(&mut queue, at(1), 10)),
        [3],
        "group a is blocked"
    );
    assert_eq!(queue.groups_in_flight(), 2);
    queue.delete(at(2), first[0].receipt).unwrap();
    assert_eq!(payloads(&receive(&mut queue, at(2), 10)), [2, 4]);
}

#[test]
fn a_group_goes_on_with_the_message_that_failed() {
    let mut queue = given_a_queue(QueueKind::Fifo);
    for payload in [1, 2, 3] {
        queue.send(at(0), in_group(payload, "a"));
    }
    receive(&mut queue, at(0), 2);
    assert!(receive(&mut queue, at(29), 10).is_empty());
    assert_eq!(payloads(&receive(&mut queue, at(30), 10)), [1, 2, 3]);
}

#[test]
fn a_delayed_fifo_message_holds_back_those_behind_it() {
    let mut queue = given_a_queue(QueueKind::Fifo);
    queue.set_delay(Duration::from_secs(10));
    queue.send(at(0), in_group(1, "a"));
    queue.set_delay(Duration::ZERO);
    queue.send(at(0), in_group(2, "a"));
    assert!(receive(&mut queue, at(1), 10).is_empty());
    assert_eq!(payloads(&receive(&mut queue, at(10), 10)), [1, 2]);
}

#[test]
fn a_duplicate_is_answered_with_the_original_for_five_minutes() {
    let mut queue = given_a_queue(QueueKind::Fifo);
    let message = NewMessage {
        deduplication: Some("d".to_owned()),
        ..in_group(1, "a")
    };
    let first = queue.send(at(0), message.clone());
    let second = queue.send(at(299), message.clone());
    assert_eq!((second.key, second.is_duplicate), (first.key, true));
    assert!(!queue.send(at(300), message).is_duplicate);
}

#[test]
fn a_message_given_up_unblocks_its_group() {
    let mut queue = given_a_queue(QueueKind::Fifo);
    let request = Receive {
        max_receives: Some(1),
        ..Receive::up_to(1)
    };
    queue.send(at(0), in_group(1, "a"));
    queue.send(at(0), in_group(2, "a"));
    queue.receive(at(0), &request).unwrap();
    let delivery = queue.receive(at(30), &request).unwrap();
    assert_eq!(
        (payloads(&delivery.messages), delivery.dead.len()),
        (vec![2], 1)
    );
}
