//! What AWS is asked beside KEDA's own `aws-sqs-queue`, which asks SQS at each poll and at each question
//! of an autoscaler. Counted at a local SQS, with time compressed.

use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use sluice::grpc::proto::GetMetricsRequest;
use tokio::{sync::mpsc::unbounded_channel, task::JoinSet, time::sleep};

use super::{
    figures::row,
    keda::{
        AUTOSCALER_ASKS_EVERY, Asked, Asks, POLLS_EVERY, Speed, ask, assert_all_answered, every,
    },
    scaler::given_scaler,
    sqs::{Sqs, given_sqs, name},
    wake::{open, told},
};

const SPEED: Speed = Speed(10.0);
const SETTLED_AFTER: Duration = Duration::from_mins(1);
const OVER: Duration = Duration::from_mins(4);

/// Objects of each case, so that it does not depend on when the clocks of one happened to start.
const OBJECTS: usize = 20;

const MINUTES_A_MONTH: f64 = 43_200.0;
/// SQS in us-east-1.
const DOLLARS_A_REQUEST: f64 = 0.40 / 1e6;

/// One way of asking, side by side.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    objects_per_queue: usize,
    asks: Asks,
    ttl: Duration,
    is_pushed: bool,
    promised: &'static str,
}

const AWAKE: Case = Case {
    name: "one object, awake",
    objects_per_queue: 1,
    asks: Asks::Both,
    ttl: Duration::from_secs(5),
    is_pushed: false,
    promised: "",
};

const CASES: [Case; 8] = [
    AWAKE,
    Case {
        name: "the same, useCachedMetrics",
        asks: Asks::CachedMetrics,
        ..AWAKE
    },
    Case {
        name: "the same, --cache-ttl-seconds 16",
        promised: "at most 0.5",
        ttl: Duration::from_secs(16),
        ..AWAKE
    },
    Case {
        name: "ten objects on one queue, awake",
        objects_per_queue: 10,
        ..AWAKE
    },
    Case {
        name: "the same, --cache-ttl-seconds 10",
        promised: "at most 0.1",
        objects_per_queue: 10,
        ttl: Duration::from_secs(10),
        ..AWAKE
    },
    Case {
        name: "the same, useCachedMetrics",
        objects_per_queue: 10,
        asks: Asks::CachedMetrics,
        ..AWAKE
    },
    Case {
        name: "one object, asleep, external",
        asks: Asks::PollsOnly,
        ..AWAKE
    },
    Case {
        name: "one object, asleep, external-push",
        asks: Asks::PollsOnly,
        is_pushed: true,
        ..AWAKE
    },
];

pub(crate) async fn requests() {
    let mut cases = JoinSet::new();
    for (place, case) in CASES.into_iter().enumerate() {
        cases.spawn(async move { (place, keda(case).await, sluice(case).await) });
    }
    let mut counted = cases.join_all().await;
    counted.sort_by_key(|(place, ..)| *place);
    for (place, theirs, mine) in counted {
        let dollars = |per_minute: f64| per_minute * MINUTES_A_MONTH * DOLLARS_A_REQUEST;
        let figure = format!(
            "{:.2} ({mine:.2} / {theirs:.2} a minute, ${:.3} / ${:.3} a month)",
            mine / theirs,
            dollars(mine),
            dollars(theirs)
        );
        let case = &CASES[place];
        let what = format!("requests a queue over aws-sqs-queue: {}", case.name);
        row(&what, &figure, case.promised);
    }
    minutes().await;
    assert_all_answered();
}

/// What KEDA's own scaler would ask, with AWS's SDK.
async fn keda(case: Case) -> f64 {
    let queues = OBJECTS / case.objects_per_queue;
    let sqs = given_sqs(queues).await;
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("any", "any", None, None, "bench"))
        .endpoint_url(&sqs.endpoint)
        .build();
    let client = aws_sdk_sqs::Client::from_conf(config);
    let mut asking = JoinSet::new();
    for object in 0..OBJECTS {
        let queue = name(object % queues);
        let ask = {
            let client = client.clone();
            move || {
                let request = client.get_queue_attributes().queue_url(&queue);
                async move {
                    request.send().await.expect("counts");
                }
            }
        };
        asking.spawn(every(SPEED.of(POLLS_EVERY), ask.clone()));
        if case.asks == Asks::Both {
            asking.spawn(every(SPEED.of(AUTOSCALER_ASKS_EVERY), ask));
        }
    }
    per_queue_minute(&sqs, queues).await
}

/// What this scaler asks when KEDA asks it.
async fn sluice(case: Case) -> f64 {
    let queues = OBJECTS / case.objects_per_queue;
    let sqs = given_sqs(queues).await;
    if case.asks != Asks::PollsOnly {
        sqs.fill(queues, 3);
    }
    let flag = |name, time| format!("--{name}-seconds={}", SPEED.of(time).as_secs_f64());
    let flags = [
        flag("cache-ttl", case.ttl),
        flag("push-interval", Duration::from_secs(1)),
    ];
    let scaler = given_scaler("127.0.0.1:0", &[&flags[0], &flags[1]]).await;
    let (client, (took, _times)) = (scaler.client(), unbounded_channel());
    let mut asking = JoinSet::new();
    for object in 0..OBJECTS {
        let queue = object % queues;
        let asked = Asked {
            reference: sqs.reference(object, queue),
            request: sqs.metrics_request(object, queue),
        };
        if case.is_pushed {
            let (client, reference) = (client.clone(), asked.reference.clone());
            asking.spawn(async move { told(&mut open(client, reference).await, true).await });
        }
        asking.spawn(ask(client.clone(), asked, (case.asks, SPEED), took.clone()));
    }
    per_queue_minute(&sqs, queues).await
}

async fn per_queue_minute(sqs: &Sqs, queues: usize) -> f64 {
    sleep(SPEED.of(SETTLED_AFTER)).await;
    let before = sqs.asked();
    sleep(SPEED.of(OVER)).await;
    let asked = (sqs.asked() - before) as f64;
    asked / queues as f64 / (OVER.as_secs_f64() / 60.0)
}

/// Triggers of the law of one process: those with messages may read `CloudWatch`.
const LAW_QUEUES: usize = 300;

/// In real time: long enough for a first call about each queue, and too short for a second one.
const MINUTES_SEEN_FOR: Duration = Duration::from_secs(40);

/// What `CloudWatch` is asked about queues with messages and about empty ones.
async fn minutes() {
    for (what, messages, promised) in [
        ("with messages", 5, "500 metrics a call"),
        ("that are empty", 0, "0"),
    ] {
        let sqs = given_sqs(LAW_QUEUES).await;
        sqs.fill(LAW_QUEUES, messages);
        let flags = [
            "--cloudwatch=on",
            "--cloudwatch-endpoint=trigger",
            "--cloudwatch-dollars-per-month=10000",
        ];
        let scaler = given_scaler("127.0.0.1:0", &flags).await;
        let (client, (took, _times)) = (scaler.client(), unbounded_channel());
        let mut asking = JoinSet::new();
        for queue in 0..LAW_QUEUES {
            let asked = under_law(&sqs, queue);
            let pace = (Asks::Both, Speed(1.0));
            asking.spawn(ask(client.clone(), asked, pace, took.clone()));
        }
        sleep(MINUTES_SEEN_FOR).await;
        let asked = scaler.counted("sluice_cloudwatch_metrics_requested_total ");
        let calls = sqs.control.requests("GetMetricData");
        row(
            &format!("CloudWatch about {LAW_QUEUES} queues {what}"),
            &format!("{} metrics, {calls} calls", asked.await),
            promised,
        );
    }
}

fn under_law(sqs: &Sqs, queue: usize) -> Asked {
    let mut reference = sqs.reference(queue, queue);
    let key = ("targetWaitSeconds".to_owned(), "60".to_owned());
    reference.scaler_metadata.extend([key]);
    Asked {
        request: GetMetricsRequest {
            scaled_object_ref: Some(reference.clone()),
            ..sqs.metrics_request(queue, queue)
        },
        reference,
    }
}
