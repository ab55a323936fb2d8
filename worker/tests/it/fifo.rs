//! The order of groups, with workers side by side.

use std::collections::BTreeMap;

use crate::local_sqs::LocalSqs;
use crate::worker::{Worker, eventually};

const GROUPS: u64 = 7;
const MESSAGES: u64 = 210;

async fn given_grouped_messages(sqs: &LocalSqs) -> String {
    let attributes = [
        ("FifoQueue", "true"),
        ("ContentBasedDeduplication", "false"),
    ];
    let url = sqs.given_queue("orders.fifo", &attributes);
    let bodies: Vec<_> = (0..MESSAGES)
        .map(|number| {
            let group = number % GROUPS;
            (format!("g{group}"), format!("g{group}:{number:04}"))
        })
        .collect();
    sqs.send_grouped(&url, &bodies).await;
    url
}

fn count(lines: &[String]) -> u64 {
    u64::try_from(lines.len()).unwrap()
}

/// The numbers of each group in the order in which they were printed.
fn by_group(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let (_, body) = line.split_once("body=").unwrap();
        let (group, number) = body.split_once(':').unwrap();
        groups
            .entry(group.to_owned())
            .or_default()
            .push(number.to_owned());
    }
    groups
}

#[tokio::test]
async fn each_group_stays_in_order_and_groups_run_side_by_side() {
    let sqs = LocalSqs::start().await;
    let url = given_grouped_messages(&sqs).await;
    let worker = sqs.worker(&url, &[("SLUICE_WORKER_WORK_MILLISECONDS", "5")]);
    eventually("all are deleted", || {
        sqs.queue("orders.fifo").deleted == MESSAGES
    })
    .await;
    let ended = worker.terminate().await;
    ended.assert_drained();
    assert_eq!(count(&ended.stdout), MESSAGES);
    let groups = by_group(&ended.stdout);
    assert_eq!(groups.len(), 7);
    for (group, numbers) in groups {
        assert!(numbers.is_sorted(), "{group}: {numbers:?}");
    }
    let receives = sqs.control.requests("ReceiveMessage");
    assert!(
        receives < 120,
        "{receives} receives for {MESSAGES} messages"
    );
    let handled_apart = ended.stdout.windows(2).any(|lines| {
        let group = |line: &str| line.split_once("body=").unwrap().1[..2].to_owned();
        group(&lines[0]) != group(&lines[1])
    });
    assert!(handled_apart, "groups run one after the other");
}

#[tokio::test]
async fn order_survives_workers_that_are_stopped_in_the_middle() {
    let sqs = LocalSqs::start().await;
    let url = given_grouped_messages(&sqs).await;
    let mut printed = Vec::new();
    for round in 0_u64.. {
        assert!(round < 40, "they get nowhere");
        let before = sqs.queue("orders.fifo").deleted;
        let worker: Worker = sqs.worker(&url, &[("SLUICE_WORKER_WORK_MILLISECONDS", "20")]);
        let wanted = (before + 30 + 7 * (round % 3)).min(MESSAGES);
        eventually("some are deleted", || {
            sqs.queue("orders.fifo").deleted >= wanted
        })
        .await;
        let ended = worker.terminate().await;
        ended.assert_drained();
        printed.extend(ended.stdout);
        if wanted == MESSAGES {
            break;
        }
    }
    assert_eq!(count(&printed), MESSAGES, "each exactly once");
    for (group, numbers) in by_group(&printed) {
        assert!(numbers.is_sorted(), "{group}: {numbers:?}");
    }
}
