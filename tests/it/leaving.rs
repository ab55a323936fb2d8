//! Callers who leave in the middle of a slow look, by cancelling or by their deadline: the look goes on for the others, or is
//! given up, and nothing of those who left stays.

use std::time::Duration;

use sluice::{
    cache::CacheSettings,
    grpc::{
        ScalerSettings,
        proto::{ScaledObjectRef, external_scaler_client::ExternalScalerClient},
    },
    local::FaultAction,
    service::ServiceSettings,
};
use tokio::{runtime::Handle, task::JoinSet, time::timeout};
use tonic::{Code, Request, transport::Channel};

use crate::support::*;

const CALLERS: usize = 100;
const SLOW: Duration = Duration::from_secs(2);
/// They leave long before the look has ended.
const PATIENCE: Duration = Duration::from_millis(100);

/// Each question is a look of its own, unless one is under way, and a call may wait longer than a look takes.
async fn given_patient_scaler(fetch_deadline: Duration) -> Scaler {
    let settings = given_settings_without_cache();
    let cache = CacheSettings {
        fetch_deadline,
        ..settings.cache
    };
    let scaler = ScalerSettings {
        rpc_deadline: Duration::from_secs(10),
        ..settings.scaler
    };
    given_scaler(ServiceSettings {
        cache,
        scaler,
        ..settings
    })
    .await
}

/// How a caller leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    Cancels,
    HasADeadline,
}

impl Leaving {
    /// Asks, and leaves while the look is under way.
    async fn ask(self, mut client: ExternalScalerClient<Channel>, object: ScaledObjectRef) {
        let mut request = Request::new(object);
        match self {
            Self::Cancels => {
                let answer = timeout(PATIENCE, client.is_active(request)).await;
                assert!(answer.is_err(), "answered before it left: {answer:?}");
            }
            Self::HasADeadline => {
                request.set_timeout(PATIENCE);
                let code = client.is_active(request).await.unwrap_err().code();
                let has_passed = matches!(code, Code::Cancelled | Code::DeadlineExceeded);
                assert!(has_passed, "{code:?}");
            }
        }
    }
}

async fn all_ask_and_leave(scaler: &Scaler, sqs: &Sqs, leaving: Leaving) {
    // Each asks for an object of its own: what one poll was told stays for its second question.
    let objects = (0..CALLERS).map(|number| reference_of(number, &sqs.metadata));
    let calls = objects.map(|object| leaving.ask(scaler.client.clone(), object));
    calls.collect::<JoinSet<_>>().join_all().await;
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn callers_who_leave_a_slow_look_take_nothing_from_the_others_and_leave_nothing_behind() {
    for leaving in [Leaving::Cancels, Leaving::HasADeadline] {
        let sqs = given_sqs().await;
        let scaler = given_patient_scaler(Duration::from_secs(5)).await;
        sqs.report(7, 0, 0);
        // The connections are there.
        assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 7);
        let (tasks_before, asked_before) = (tasks(), sqs.asked());
        sqs.fault(FaultAction::Latency(SLOW));
        let (stays, ()) = tokio::join!(
            scaler.value(&sqs.metadata),
            all_ask_and_leave(&scaler, &sqs, leaving)
        );
        assert_eq!(stays.unwrap(), 7, "{leaving:?}");
        assert_eq!(sqs.asked() - asked_before, 1, "{leaving:?}");
        eventually(async || tasks() <= tasks_before).await;
    }
}

#[tokio::test]
async fn a_look_that_everybody_has_left_is_given_up_and_the_next_one_is_answered() {
    for leaving in [Leaving::Cancels, Leaving::HasADeadline] {
        let sqs = given_sqs().await;
        let scaler = given_patient_scaler(Duration::from_secs(1)).await;
        sqs.report(7, 0, 0);
        assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 7);
        let tasks_before = tasks();
        sqs.fault(FaultAction::Hang);
        all_ask_and_leave(&scaler, &sqs, leaving).await;
        eventually(async || tasks() <= tasks_before).await;
        sqs.report(9, 0, 0);
        assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 9, "{leaving:?}");
    }
}

#[tokio::test]
async fn streams_that_are_left_in_the_middle_of_a_look_end() {
    let sqs = given_sqs().await;
    let scaler = given_patient_scaler(Duration::from_secs(5)).await;
    sqs.report(0, 0, 0);
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 0);
    let tasks_before = tasks();
    sqs.fault(FaultAction::Latency(SLOW));
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut client = scaler.client.clone();
        let opened = client.stream_is_active(reference(&sqs.metadata));
        streams.push(timeout(SLOW / 4, opened).await);
    }
    drop(streams);
    eventually(async || tasks() <= tasks_before).await;
    assert!(!scaler.is_active(&sqs.metadata).await.unwrap());
}
