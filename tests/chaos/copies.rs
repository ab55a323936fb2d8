//! Two copies behind one address: one is killed under load, and a fresh one must not ask for less than the old one did.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::keda::{Keda, object};
use crate::planted::secrets::SECRET;
use crate::scaler::{Keys, Scaler};
use crate::wire::Wire;
use crate::world::{BACKLOG, QUEUE, World};

const CALLERS: usize = 50;
/// Both look at other moments, between which messages come and go.
const LEAST_OF_OLD: f64 = 0.7;
/// Far above the two seconds that it takes on a quiet machine.
const FAILOVER_MAX: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn when_the_copy_that_serves_is_killed_the_other_answers_the_same() {
    let world = World::start().await;
    let mut first = Scaler::start(&world, Keys::Fixed).await;
    let second = Scaler::start(&world, Keys::Fixed).await;
    let address = Wire::to(vec![first.grpc, second.grpc]).await.address;
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let (mut keda, object) = (
            Keda::of(address),
            object(&format!("worker-{number}"), &world.queue_url, &[]),
        );
        callers.spawn(async move {
            let begun_at = Instant::now();
            let (mut failed_at, mut longest) = (None, Duration::ZERO);
            while begun_at.elapsed() < Duration::from_secs(8) || failed_at.is_some() {
                match keda.value(&object).await {
                    Ok(value) => {
                        assert_eq!(value, f64::from(BACKLOG));
                        let since: Option<Instant> = failed_at.take();
                        longest = longest.max(since.map_or(Duration::ZERO, |at| at.elapsed()));
                    }
                    Err(_) => _ = failed_at.get_or_insert_with(Instant::now),
                }
                assert!(failed_at.is_none_or(|at| at.elapsed() < FAILOVER_MAX));
                sleep(Duration::from_millis(20)).await;
            }
            longest
        });
    }
    sleep(Duration::from_secs(3)).await;
    first.kill().await;
    let longest = callers.join_all().await.into_iter().max();
    println!(
        "SIGKILL under load of {CALLERS} callers: answered again after {:.0?} at most",
        longest.unwrap()
    );
}

/// Twenty messages a second come, and are worked on for half a second each, so that the old copy learns both rates.
fn given_traffic(world: &World) -> JoinSet<()> {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIALOCAL", SECRET, None, None, "test"))
        .endpoint_url(world.endpoint());
    let client = Client::from_conf(config.build());
    let (control, url) = (world.control.clone(), world.queue_url.clone());
    let mut traffic = JoinSet::new();
    traffic.spawn(async move {
        loop {
            control.send(QUEUE, "work").unwrap();
            sleep(Duration::from_millis(50)).await;
        }
    });
    for _ in 0..10 {
        let (client, url) = (client.clone(), url.clone());
        traffic.spawn(async move {
            loop {
                let received = client
                    .receive_message()
                    .queue_url(&url)
                    .wait_time_seconds(1);
                for message in received.send().await.unwrap().messages() {
                    sleep(Duration::from_millis(500)).await;
                    let done = client.delete_message().queue_url(&url);
                    let done = done.receipt_handle(message.receipt_handle().unwrap());
                    done.send().await.unwrap();
                }
            }
        });
    }
    traffic
}

/// The autoscaler goes by the most that was recommended within its window: five minutes, and here a tenth of it.
const WINDOW_SECONDS: usize = 30;

fn most(answers: &[f64]) -> f64 {
    answers.iter().copied().fold(0.0, f64::max)
}

/// A fresh copy knows no rates, and here no CloudWatch tells it any. What was found at work stays for a window of the
/// autoscaler, so what it asks for in that time is no less.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_copy_asks_for_no_less_than_the_old_one() {
    let world = World::start().await;
    let old = Scaler::start(&world, Keys::Fixed).await;
    let keys = [("targetWaitSeconds", "30"), ("maxReplicas", "30")];
    let object = object("worker", &world.queue_url, &keys);
    let mut of_old = Keda::of(old.grpc);
    let target = of_old.target(&object).await;
    let mut traffic = given_traffic(&world);
    for _ in 0..30 {
        assert_ne!(of_old.poll(&object).await.active, Ok(false));
        sleep(Duration::from_secs(1)).await;
    }
    let fresh = Scaler::start(&world, Keys::Fixed).await;
    let mut of_fresh = Keda::of(fresh.grpc);
    let (mut olds, mut freshes) = (Vec::new(), Vec::new());
    while freshes.len() < WINDOW_SECONDS {
        let asked = (of_old.value(&object).await, of_fresh.value(&object).await);
        if let (Ok(old), Ok(fresh)) = asked {
            olds.push(old / target);
            freshes.push(fresh / target);
        }
        sleep(Duration::from_secs(1)).await;
    }
    traffic.abort_all();
    let told = format!("replicas of the old copy {olds:.1?}, of the fresh one {freshes:.1?}");
    println!("{told}");
    assert!(
        freshes.iter().all(|fresh| *fresh <= 30.0),
        "above the cap: {told}"
    );
    let (old, fresh) = (most(&olds), most(&freshes));
    println!("the most of a window: {old:.1} of the old copy, {fresh:.1} of the fresh one");
    assert!(freshes[0] >= LEAST_OF_OLD * olds[0], "{told}");
    assert!(fresh >= LEAST_OF_OLD * old, "{told}");
}
