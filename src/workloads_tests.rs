//! The feed and its reader against a scripted source, in paused time.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::sleep;

use super::*;
use crate::scaling::WorkloadKind;

const SECOND: Duration = Duration::from_secs(1);

/// Says how often it was read, as ready replicas; refuses or hangs in namespaces that say so.
#[derive(Debug, Clone, Default)]
struct ScriptedSource(Arc<AtomicU32>);

impl WorkloadSource for ScriptedSource {
    async fn read(&self, object: &ObjectName) -> Result<Option<Workload>, ReadError> {
        let reads = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        match object.namespace.as_str() {
            "forbidden" => Err(ReadError::NoPermission("no".to_owned())),
            "hanging" => std::future::pending().await,
            "failing" if reads > 1 => Err(ReadError::Failed("down".to_owned())),
            _ => Ok(Some(Workload {
                kind: WorkloadKind::ScaledObject,
                ready_replicas: Some(reads),
                replicas_min: 0,
                replicas_max: 100,
            })),
        }
    }
}

fn given_feed() -> (WorkloadFeed, ScriptedSource) {
    let source = ScriptedSource::default();
    (WorkloadFeed::reading(source.clone()), source)
}

fn object(namespace: &str, name: &str) -> Arc<ObjectName> {
    Arc::new(ObjectName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// Asks each second.
async fn ask(feed: &WorkloadFeed, object: &Arc<ObjectName>, seconds: u32) -> Option<u32> {
    for _ in 0..seconds {
        feed.workload(object);
        sleep(SECOND).await;
    }
    feed.workload(object)?.ready_replicas
}

#[tokio::test(start_paused = true)]
async fn an_object_is_read_twice_a_minute_however_often_it_is_asked_for() {
    let (feed, source) = given_feed();
    let worker = object("shop", "worker");
    assert_eq!(feed.workload(&worker), None, "nothing waits");
    assert_eq!(ask(&feed, &worker, 1).await, Some(1));
    assert_eq!(ask(&feed, &worker, 119).await, Some(4));
    sleep(SECOND).await;
    assert_eq!(
        source.0.load(Ordering::Relaxed),
        5,
        "at 0, 30, 60, 90 and 120 s"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_again_is_forgotten_after_two_minutes() {
    let (feed, _source) = given_feed();
    let worker = object("failing", "worker");
    assert_eq!(ask(&feed, &worker, 115).await, Some(1));
    assert_eq!(ask(&feed, &worker, 10).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_tried_again_rarely() {
    let (feed, source) = given_feed();
    let worker = object("forbidden", "worker");
    assert_eq!(ask(&feed, &worker, 40 * 60).await, None);
    assert_eq!(source.0.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn objects_that_hang_do_not_hold_up_others_for_long() {
    let (feed, _source) = given_feed();
    let hanging: Vec<_> = (0..20)
        .map(|index| object("hanging", &format!("w{index}")))
        .collect();
    for object in &hanging {
        feed.workload(object);
    }
    let fine = object("shop", "worker");
    assert!(ask(&feed, &fine, 20).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_reader_ends_with_the_last_feed() {
    let (feed, reader) = workload_feed(ScriptedSource::default());
    let task = tokio::spawn(reader.run());
    drop(feed);
    task.await.unwrap();
    assert_eq!(
        WorkloadFeed::off().workload(&object("shop", "worker")),
        None
    );
}
