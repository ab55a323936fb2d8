//! The outbox against a scripted operation, in paused time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::batch::{Rejection, entry_id};

/// Answers from a script, then accepts everything; remembers what it was sent.
#[derive(Clone, Default)]
struct Scripted {
    script: Arc<Mutex<VecDeque<Result<Reply, QueueError>>>>,
    sent: Arc<Mutex<Vec<Vec<u32>>>>,
}

impl Scripted {
    fn given(replies: impl IntoIterator<Item = Result<Reply, QueueError>>) -> Self {
        Self {
            script: Arc::new(Mutex::new(replies.into_iter().collect())),
            ..Self::default()
        }
    }

    fn sent(&self) -> Vec<Vec<u32>> {
        self.sent.lock().unwrap().clone()
    }
}

impl BatchOperation for Scripted {
    type Entry = u32;

    async fn send(&self, entries: &[u32]) -> Result<Reply, QueueError> {
        self.sent.lock().unwrap().push(entries.to_vec());
        let scripted = self.script.lock().unwrap().pop_front();
        scripted.unwrap_or_else(|| Ok(accepted(0..entries.len())))
    }

    fn may_repeat_unanswered(entry: &u32) -> bool {
        entry.is_multiple_of(2)
    }
}

fn accepted(positions: impl IntoIterator<Item = usize>) -> Reply {
    Reply {
        accepted: positions.into_iter().map(entry_id).collect(),
        rejected: vec![],
    }
}

fn rejected(position: usize, code: &str, is_sender_fault: bool) -> Reply {
    let rejection = Rejection {
        id: entry_id(position),
        code: code.into(),
        is_sender_fault,
    };
    Reply {
        accepted: vec![],
        rejected: vec![rejection],
    }
}

fn unreachable() -> QueueError {
    QueueError::Failed {
        operation: "delete from",
        url: "q".into(),
        remedy: crate::remedy::Remedy::Retry,
        source: "refused".into(),
    }
}

async fn submit_all(outbox: &Outbox<u32>, entries: std::ops::Range<u32>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for entry in entries {
        answers.push(outbox.submit(entry).await);
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_is_sent_at_once_and_the_rest_after_the_flush_interval() {
    let operation = Scripted::default();
    let (outbox, _sending) = Outbox::open(operation.clone());
    let started = Instant::now();
    let mut answers = submit_all(&outbox, 0..12).await;
    assert_eq!(answers.remove(0).wait().await, Ok(()));
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(answers.pop().unwrap().wait().await, Ok(()));
    assert!(started.elapsed() >= FLUSH_INTERVAL && started.elapsed() < FLUSH_INTERVAL * 2);
    assert_eq!(
        operation.sent(),
        [(0..10).collect::<Vec<_>>(), vec![10, 11]]
    );
}

#[tokio::test(start_paused = true)]
async fn only_what_was_not_carried_out_is_sent_again() {
    let mut first = rejected(1, "InternalError", false);
    first.accepted = vec![entry_id(0), entry_id(2)];
    let operation = Scripted::given([Ok(first)]);
    let (outbox, _sending) = Outbox::open(operation.clone());
    for answer in submit_all(&outbox, 0..3).await {
        assert_eq!(answer.wait().await, Ok(()));
    }
    assert_eq!(operation.sent(), [vec![0, 1, 2], vec![1]]);
}

#[tokio::test(start_paused = true)]
async fn what_sqs_refuses_for_good_is_not_sent_again() {
    let operation = Scripted::given([Ok(rejected(0, "ReceiptHandleIsInvalid", true))]);
    let (outbox, _sending) = Outbox::open(operation.clone());
    let answer = outbox.submit(7).await.wait().await;
    assert_eq!(
        answer,
        Err(Undone::Refused {
            code: "ReceiptHandleIsInvalid".into()
        })
    );
    assert_eq!(operation.sent(), [vec![7]]);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_sqs_is_given_up_after_a_bounded_number_of_attempts() {
    let attempts = usize::try_from(ATTEMPTS_MAX).unwrap();
    let operation = Scripted::given((0..attempts).map(|_| Err(unreachable())));
    let (outbox, _sending) = Outbox::open(operation.clone());
    let answer = outbox.submit(7).await.wait().await;
    let cause = "cannot delete from queue \"q\": refused".into();
    assert_eq!(answer, Err(Undone::GivenUp { cause }));
    assert_eq!(operation.sent().len(), attempts);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_answered_is_sent_again_only_where_that_does_no_harm() {
    let lost = QueueError::Unanswered {
        operation: "change visibility in",
        url: "q".into(),
        source: "closed".into(),
    };
    let operation = Scripted::given([Err(lost)]);
    let (outbox, _sending) = Outbox::open(operation.clone());
    let mut answers = Vec::new();
    for answer in submit_all(&outbox, 0..4).await {
        answers.push(answer.wait().await);
    }
    let cause = "no clear answer when asked to change visibility in queue \"q\": closed".to_owned();
    let unanswered = Err(Undone::Unanswered { cause });
    assert_eq!(
        answers,
        [Ok(()), unanswered.clone(), Ok(()), unanswered],
        "0 and 2 may be repeated"
    );
    assert_eq!(operation.sent(), [vec![0, 1, 2, 3], vec![0, 2]]);
}

#[tokio::test(start_paused = true)]
async fn everything_handed_in_is_sent_before_the_task_ends() {
    let operation = Scripted::default();
    let (outbox, sending) = Outbox::open(operation.clone());
    submit_all(&outbox, 0..25).await;
    drop(outbox);
    sending.await.unwrap();
    assert_eq!(operation.sent().concat(), (0..25).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_can_no_longer_be_sent_is_answered() {
    let (outbox, sending) = Outbox::open(Scripted::default());
    sending.abort();
    let _ = sending.await;
    assert_eq!(outbox.submit(1).await.wait().await, Err(Undone::Ended));
}
