//! The consumer as a library, in this process, against the local SQS.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sluice_worker::consume::Consumer;
use sluice_worker::handlers::{Handler, HandlerError, Takes};
use sluice_worker::message::Message;
use sluice_worker::queue::Queue;
use sluice_worker::settings::{ConsumeSettings, QueueSettings};
use tokio_util::sync::CancellationToken;

use crate::local_sqs::LocalSqs;
use crate::worker::eventually;

fn given_queue(sqs: &LocalSqs, url: &str) -> Queue {
    Queue::with_client(sqs.client.clone(), &QueueSettings::new(url))
}

fn quick() -> ConsumeSettings {
    ConsumeSettings {
        wait: Duration::from_secs(1),
        retry_wait_max: Duration::ZERO,
        ..ConsumeSettings::default()
    }
}

#[tokio::test]
async fn an_async_function_handles_what_it_is_given() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    sqs.send_with(&url, "hello", &[("event_type", "sale_event")])
        .await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (keep, draining) = (seen.clone(), CancellationToken::new());
    let handler = move |message: Arc<Message>| {
        let keep = keep.clone();
        async move {
            keep.lock().unwrap().push(message);
            Ok::<(), HandlerError>(())
        }
    };
    let mut consumer = Consumer::new(given_queue(&sqs, &url), handler);
    consumer.settings = quick();
    let running = tokio::spawn(consumer.run(draining.clone()));
    eventually("it is deleted", || sqs.queue("orders").deleted == 1).await;
    draining.cancel();
    running.await.unwrap().unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].body.as_str()), (1, "hello"));
    assert_eq!(seen[0].attributes["event_type"], "sale_event");
    assert_eq!(seen[0].receive_count, Some(1));
    assert!(seen[0].queue_wait().is_some());
}

/// Does every message but those whose body says otherwise, ten at a time.
#[derive(Clone, Default)]
struct Batches {
    sizes: Arc<Mutex<Vec<usize>>>,
    done: Arc<Mutex<BTreeSet<String>>>,
}

impl Handler for Batches {
    async fn handle(&self, _message: Arc<Message>) -> Result<(), HandlerError> {
        Err("not asked for single messages".into())
    }

    fn takes(&self) -> Takes {
        Takes::Batch
    }

    async fn handle_batch(&self, messages: Vec<Arc<Message>>) -> Vec<Result<(), HandlerError>> {
        self.sizes.lock().unwrap().push(messages.len());
        let results = messages.iter().map(|message| {
            if message.body == "bad" && message.receive_count < Some(3) {
                return Err("bad at first".into());
            }
            self.done.lock().unwrap().insert(message.id.clone());
            Ok(())
        });
        results.collect()
    }
}

#[tokio::test]
async fn of_a_batch_only_what_failed_comes_again() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    for number in 0..10 {
        let body = if number % 5 == 0 { "bad" } else { "good" };
        sqs.control.send("orders", body).unwrap();
    }
    let (handler, draining) = (Batches::default(), CancellationToken::new());
    let mut consumer = Consumer::new(given_queue(&sqs, &url), handler.clone());
    consumer.settings = quick();
    let metrics = consumer.metrics.clone();
    let running = tokio::spawn(consumer.run(draining.clone()));
    eventually("all are deleted", || sqs.queue("orders").deleted == 10).await;
    draining.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(handler.done.lock().unwrap().len(), 10);
    assert_eq!(handler.sizes.lock().unwrap()[0], 10);
    assert_eq!(sqs.queue("orders").received, 14);
    let text = metrics.text();
    assert!(
        text.contains("sluice_worker_messages_failed_total 4"),
        "{text}"
    );
}
