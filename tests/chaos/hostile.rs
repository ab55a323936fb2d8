//! Clients that abuse HTTP/2, each in its way, while KEDA goes on asking: they are refused or stopped, KEDA is answered all
//! the time, and the memory they cost has a bound.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::{HeaderValue, Request};
use prost::Message as _;
use sluice::grpc::proto::ScaledObjectRef;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::keda::{Keda, object};
use crate::resources::Resources;
use crate::scaler::{Keys, Scaler};
use crate::world::{BACKLOG, World};

/// What is given up on.
const PATIENCE: Duration = Duration::from_mins(1);
/// What any abuse here may cost for as long as it lasts. A stream that is open costs some kibibytes.
const GROWTH_MAX_KIBIBYTES: f64 = 192.0 * 1024.0;
/// KEDA is still asked for so long.
const AFTERWARDS: Duration = Duration::from_secs(1);
const STREAMS: usize = 5_000;
const RESETS: usize = 20_000;
const REQUEST_BYTES_MAX: usize = 256 << 10;

/// A scaler that is asked by KEDA all the time.
struct Target {
    world: World,
    scaler: Scaler,
    before: Resources,
    keda: JoinHandle<usize>,
    stop: Arc<AtomicBool>,
}

impl Target {
    async fn given() -> Self {
        let world = World::start().await;
        let scaler = Scaler::start(&world, Keys::Fixed).await;
        let stop = Arc::new(AtomicBool::new(false));
        let object = object("worker", &world.queue_url, &[]);
        let mut keda = Keda::of(scaler.grpc);
        assert_eq!(keda.poll(&object).await.value, Ok(f64::from(BACKLOG)));
        let before = Resources::of(scaler.id());
        let keda = tokio::spawn(poll_until(Arc::clone(&stop), keda, object));
        Self {
            world,
            scaler,
            before,
            keda,
            stop,
        }
    }

    /// Every poll was answered as ever, and the process is about as small as it was.
    async fn assert_unharmed(self, abuse: &str) {
        let after = Resources::of(self.scaler.id());
        sleep(AFTERWARDS).await;
        self.stop.store(true, Ordering::Relaxed);
        let polls = self.keda.await.expect("KEDA is answered all the time");
        assert!(polls > 0);
        let grown = after.resident_kibibytes - self.before.resident_kibibytes;
        println!(
            "{abuse}: {polls} polls answered meanwhile; {:.0} MiB resident before, {:+.1} MiB now",
            self.before.resident_kibibytes / 1024.0,
            grown / 1024.0
        );
        assert!(grown < GROWTH_MAX_KIBIBYTES, "{abuse}: {grown} KiB more");
    }
}

async fn poll_until(stop: Arc<AtomicBool>, mut keda: Keda, object: ScaledObjectRef) -> usize {
    let mut polls = 0;
    while !stop.load(Ordering::Relaxed) {
        let poll = keda.poll(&object).await;
        assert_eq!(poll.active, Ok(true), "poll {polls}");
        assert_eq!(poll.value, Ok(f64::from(BACKLOG)), "poll {polls}");
        polls += 1;
        sleep(Duration::from_millis(100)).await;
    }
    polls
}

/// A connection without any manners, and how it ends.
async fn given_connection(
    address: SocketAddr,
) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let socket = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    let end = tokio::spawn(connection);
    (client.ready().await.unwrap(), end)
}

fn call(method: &str) -> http::request::Builder {
    Request::post(format!(
        "http://sluice/externalscaler.ExternalScaler/{method}"
    ))
    .header("content-type", "application/grpc")
    .header("te", "trailers")
}

/// A message as gRPC frames it.
fn framed(object: &ScaledObjectRef) -> Bytes {
    let body = object.encode_to_vec();
    let mut frame = BytesMut::with_capacity(5 + body.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(body.len()).unwrap());
    frame.put_slice(&body);
    frame.freeze()
}

async fn open(
    client: &mut SendRequest<Bytes>,
    method: &str,
) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
    *client = client.clone().ready().await?;
    client.send_request(call(method).body(()).unwrap(), false)
}

/// The status of a call that ends with its headers.
async fn grpc_status(answer: ResponseFuture) -> String {
    let answer = timeout(PATIENCE, answer).await.expect("an answer").unwrap();
    let status = answer.headers().get("grpc-status");
    status.map_or_else(
        || format!("HTTP {}", answer.status().as_u16()),
        |status| status.to_str().unwrap().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_streams_and_resets_them_at_once_is_sent_away() {
    let target = Target::given().await;
    let (mut client, end) = given_connection(target.scaler.grpc).await;
    let mut opened = 0;
    while opened < RESETS
        && let Ok((_, mut stream)) = open(&mut client, "IsActive").await
    {
        stream.send_reset(Reason::CANCEL);
        opened += 1;
    }
    drop(client);
    let end = timeout(PATIENCE, end).await.expect("an end").unwrap();
    println!("rapid reset: {opened} streams, then {end:?}");
    let end = end.expect_err("it is sent away");
    // A socket that is closed while frames still come may lose what it said last.
    let is_told_why = end.reason() == Some(Reason::ENHANCE_YOUR_CALM);
    assert!(is_told_why || end.is_io(), "{end}");
    assert!(opened < RESETS, "nothing stopped it");
    target.assert_unharmed("rapid reset").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_too_large_are_refused_and_the_connection_goes_on() {
    let target = Target::given().await;
    let (client, _end) = given_connection(target.scaler.grpc).await;
    for _ in 0..100 {
        let mut request = call("IsActive").body(()).unwrap();
        let huge = HeaderValue::from_str(&"x".repeat(20 << 10)).unwrap();
        request.headers_mut().insert("note", huge);
        let mut client = client.clone().ready().await.unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        assert_eq!(grpc_status(answer).await, "HTTP 431");
    }
    target.assert_unharmed("headers of 20 KiB").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_says_it_is_huge_is_refused_before_it_comes() {
    let target = Target::given().await;
    let (mut client, _end) = given_connection(target.scaler.grpc).await;
    for _ in 0..100 {
        let (answer, mut stream) = open(&mut client, "GetMetrics").await.unwrap();
        let frame = Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff, 0x0a]);
        stream.send_data(frame, false).unwrap();
        assert_eq!(grpc_status(answer).await, OUT_OF_RANGE);
    }
    let (answer, mut stream) = open(&mut client, "IsActive").await.unwrap();
    let mut large = object("worker", &target.world.queue_url, &[]);
    let note = "x".repeat(REQUEST_BYTES_MAX);
    large.scaler_metadata.insert("note".to_owned(), note);
    stream.send_data(framed(&large), true).unwrap();
    assert_eq!(grpc_status(answer).await, OUT_OF_RANGE);
    target.assert_unharmed("messages of 4 GiB, announced").await;
}

/// How gRPC numbers what a status means.
const OUT_OF_RANGE: &str = "11";
const RESOURCE_EXHAUSTED: &str = "8";
const CANCELLED: &str = "1";

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_never_come_as_a_whole_are_ended() {
    let target = Target::given().await;
    let (mut client, _end) = given_connection(target.scaler.grpc).await;
    let (mut waiting, mut open_ones) = (Vec::new(), Vec::new());
    // So many at once are too much for the connection, which is closed: perhaps before all are open.
    while waiting.len() < STREAMS
        && let Ok((answer, mut stream)) = open(&mut client, "IsActive").await
        && stream.send_data(Bytes::from_static(&[0]), false).is_ok()
    {
        waiting.push(answer);
        // Dropped, it would be reset.
        open_ones.push(stream);
    }
    assert!(!waiting.is_empty(), "none was taken");
    let (mut cancelled, mut cut_off) = (0, 0);
    for answer in waiting {
        match timeout(PATIENCE, answer).await.expect("an end") {
            Ok(answer) => {
                assert_eq!(answer.headers()["grpc-status"], CANCELLED);
                cancelled += 1;
            }
            Err(_) => cut_off += 1,
        }
    }
    println!("{cancelled} requests that never end were cancelled, {cut_off} cut off");
    target
        .assert_unharmed("5,000 requests that never end")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_has_its_few_streams_however_many_are_opened() {
    let target = Target::given().await;
    let (mut client, _end) = given_connection(target.scaler.grpc).await;
    let object = object("greedy", &target.world.queue_url, &[]);
    let (mut refused, mut kept) = (0, Vec::new());
    for _ in 0..STREAMS {
        let (answer, mut stream) = open(&mut client, "StreamIsActive").await.unwrap();
        stream.send_data(framed(&object), true).unwrap();
        match timeout(PATIENCE, answer).await.expect("an answer") {
            Ok(answer) if answer.headers().contains_key("grpc-status") => {
                assert_eq!(answer.headers()["grpc-status"], RESOURCE_EXHAUSTED);
                refused += 1;
            }
            answer => kept.push(answer.unwrap().into_body()),
        }
    }
    assert_eq!((kept.len(), refused), (64, STREAMS - 64));
    target.assert_unharmed("5,000 streams of one trigger").await;
}
