//! Who may ask for what, from outside: what is refused, with which words, and that nobody is asked.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sluice::{
    access::{Access, OwnAccount},
    grpc::Limits,
    queue::{AwsConfig, LoopbackEndpoints, SqsSource},
    service::{Sensors, ServiceSettings},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tonic::Code;

use crate::{process::given_process_in, support::*};

const READER: &str = "arn:aws:iam::222222222222:role/reader";
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A file of rules.
struct RulesFile(PathBuf);

impl RulesFile {
    fn given(text: &str) -> Self {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("sluice-access-{}-{number}.toml", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(text);
        file
    }

    /// All at once, as Kubernetes does: a look between emptying and writing would find no rules.
    fn write(&self, text: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for RulesFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

async fn given_guarded_scaler(access: Access, settings: ServiceSettings) -> Scaler {
    let source = SqsSource::from_environment(settings.cache.fetch_deadline).await;
    let sensors = Sensors {
        access,
        ..Sensors::of_counts(source)
    };
    given_scaler_with(settings, sensors).await.0
}

fn given_access(file: Option<&RulesFile>, loopback: LoopbackEndpoints) -> Access {
    let known = (OwnAccount::known("111111111111"), true);
    let access = Access::load(file.map(|file| file.0.clone()), loopback, known);
    access.unwrap().looking_each(LOOK_INTERVAL)
}

#[tokio::test]
async fn a_refusal_says_which_rule_and_nobody_is_asked_and_the_spec_is_still_told() {
    let sqs = given_sqs().await;
    let access = given_access(None, LoopbackEndpoints::Refused);
    let scaler = given_guarded_scaler(access, given_settings()).await;
    let text = format!(
        "namespace \"shop\" may not ask for queue {:?}: awsEndpoint {:?} is this machine, which only \
         --loopback-endpoints allows",
        sqs.metadata["queueURL"], sqs.metadata["awsEndpoint"]
    );
    let denied = Code::PermissionDenied;
    assert_status(scaler.value(&sqs.metadata).await, denied, &[&text]);
    assert_status(scaler.is_active(&sqs.metadata).await, denied, &[&text]);
    let request = reference(&sqs.metadata);
    let stream = scaler.client.clone().stream_is_active(request).await;
    assert_status(stream, denied, &[&text]);
    let (metric, target, _) = scaler.spec(&sqs.metadata).await.unwrap();
    assert_eq!((metric.as_str(), target), (METRIC, 5));
    assert_eq!(sqs.asked(), 0);
}

#[tokio::test]
async fn rules_that_change_are_obeyed_without_a_restart_and_bad_ones_are_not() {
    let (sqs, file) = (given_sqs().await, RulesFile::given(""));
    let access = given_access(Some(&file), LoopbackEndpoints::Allowed);
    let scaler = given_guarded_scaler(access, given_settings()).await;
    let refusal = "no rule names namespace \"shop\"";
    let ask = async || scaler.value(&sqs.metadata).await;
    assert_status(ask().await, Code::PermissionDenied, &[refusal]);
    file.write("[[allow]]\nnamespaces = [\"shop\"]\nqueues = [\"orders\"]");
    eventually(async || ask().await.is_ok()).await;
    file.write("[[allow]]\nnamespace = [\"shop\"]");
    tokio::time::sleep(4 * LOOK_INTERVAL).await;
    assert_eq!(ask().await.unwrap(), 0);
    file.write("[[allow]]\nnamespaces = [\"shop\"]\nqueues = [\"payments\"]");
    eventually(async || ask().await.is_err()).await;
    let refusal = "queue \"orders\" is none of those that rule 1 allows: payments";
    assert_status(ask().await, Code::PermissionDenied, &[refusal]);
}

/// Against a server that answers everything by sending its client elsewhere.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = given_sqs().await;
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = elsewhere.metadata["awsEndpoint"].clone();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let answer = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let scaler = given_scaler(given_settings()).await;
    let metadata = elsewhere.metadata(&[("awsEndpoint", &format!("http://{address}"))]);
    assert_status(scaler.value(&metadata).await, Code::Unavailable, &["307"]);
    assert!(asked.load(Ordering::Relaxed) > 0);
    assert_eq!(elsewhere.asked(), 0);
}

/// The name looks like anything; it resolves to this machine.
#[tokio::test]
async fn an_endpoint_that_resolves_to_this_machine_is_refused_even_where_a_rule_allows_its_name() {
    let sqs = given_sqs().await;
    let aws = AwsConfig::from_environment().await;
    let source = SqsSource::new(
        aws.guarded(LoopbackEndpoints::Refused),
        Duration::from_secs(5),
    );
    let scaler = given_scaler_with(given_settings(), Sensors::of_counts(source))
        .await
        .0;
    let by_name = sqs.metadata["awsEndpoint"].replace("127.0.0.1", "localhost");
    let metadata = sqs.metadata(&[("awsEndpoint", &by_name)]);
    assert_status(
        scaler.value(&metadata).await,
        Code::Unavailable,
        &["which no trigger may name"],
    );
    assert_eq!(sqs.asked(), 0);
}

#[tokio::test]
async fn a_role_is_assumed_once_for_an_object_and_its_credentials_are_used() {
    let (sqs, rules) = (
        given_sqs().await,
        RulesFile::given(&format!(
            "[[allow]]\nnamespaces = [\"shop\"]\nroles = [{{ arn = \"{READER}\", external_id = \"{SECRET}\" }}]"
        )),
    );
    let process = given_process_in(
        &[
            ("AWS_ENDPOINT_URL", &sqs.metadata["awsEndpoint"]),
            ("AWS_ACCESS_KEY_ID", "AKIALOCAL"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ],
        &["--access-file", rules.path(), "--cache-ttl-seconds", "0"],
    )
    .await;
    let scaler = process.scaler().await;
    sqs.report(7, 0, 0);
    let metadata = given_role(&sqs, SECRET);
    for _ in 0..3 {
        assert_eq!(scaler.value(&metadata).await.unwrap(), 7);
    }
    assert_eq!(sqs.control.requests("AssumeRole"), 1);
    let guessed = given_role(&sqs, "guessed");
    let refusal = "awsExternalId is not the one that rule 1 asks for";
    assert_status(
        scaler.value(&guessed).await,
        Code::PermissionDenied,
        &[refusal],
    );
    assert_eq!(sqs.control.requests("AssumeRole"), 1);
}

fn given_role(sqs: &Sqs, external_id: &str) -> HashMap<String, String> {
    sqs.metadata(&[
        ("awsRoleArn", READER),
        ("awsExternalId", external_id),
        ("awsAccessKeyIDFromEnv", ""),
        ("awsSecretAccessKeyFromEnv", ""),
    ])
}

/// An STS that notes what it is asked, and refuses.
#[tokio::test]
async fn a_role_is_assumed_in_the_name_of_the_object_with_its_external_id() {
    let sqs = given_sqs().await;
    let rules = RulesFile::given(&format!(
        "[[allow]]\nnamespaces = [\"shop\"]\nroles = [\"{READER}\"]"
    ));
    let sts = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = format!("http://{}", sts.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = sts.accept().await.unwrap();
        let mut request = vec![0; 16_384];
        let mut length = 0;
        while !String::from_utf8_lossy(&request[..length]).contains("RoleSessionName") {
            length += stream.read(&mut request[length..]).await.unwrap();
        }
        let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(refusal.as_bytes()).await;
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let process = given_process_in(
        &[
            ("AWS_ENDPOINT_URL_STS", &address),
            ("AWS_ACCESS_KEY_ID", "AKIALOCAL"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ],
        &["--access-file", rules.path()],
    )
    .await;
    let scaler = process.scaler().await;
    let answer = scaler.value(&given_role(&sqs, "for-shop")).await;
    assert_status(
        answer,
        Code::Unavailable,
        &["cannot read attributes of queue"],
    );
    let request = asked.await.unwrap();
    for expected in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Freader",
        "RoleSessionName=sluice%40shop.worker",
        "ExternalId=for-shop",
    ] {
        assert!(request.contains(expected), "{expected} is not in {request}");
    }
}

/// The queue is at AWS, which is never asked: the rules end it before.
#[tokio::test]
async fn a_queue_of_another_account_is_refused_once_the_own_one_is_known() {
    let sqs = given_sqs().await;
    let foreign = pairs(&[
        (
            "queueURL",
            "https://sqs.eu-west-1.amazonaws.com/222222222222/orders",
        ),
        ("awsRegion", "eu-west-1"),
    ]);
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIALOCAL"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    let sts = &sqs.metadata["awsEndpoint"];
    let told = [&keys[..], &[("AWS_ENDPOINT_URL_STS", sts)]].concat();
    let process = given_process_in(&told, &["--rpc-deadline-seconds", "10"]).await;
    let answer = process.scaler().await.value(&foreign).await;
    let refusal = "account 222222222222 of the queue is none of those that the default allows: own (000000000000)";
    assert_status(answer, Code::PermissionDenied, &[refusal]);
    assert_eq!(sqs.control.requests("GetCallerIdentity"), 1);

    let silent = [&keys[..], &[("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")]].concat();
    let process = given_process_in(&silent, &["--rpc-deadline-seconds", "10"]).await;
    let answer = process.scaler().await.value(&foreign).await;
    let parts = [
        "cannot tell whether the queue is of the scaler's own account: GetCallerIdentity: ",
        "--aws-account says which account that is",
    ];
    assert_status(answer, Code::Unavailable, &parts);

    let said = ["--aws-account", "111111111111"];
    let process = given_process_in(&silent, &said).await;
    let answer = process.scaler().await.value(&foreign).await;
    assert_status(answer, Code::PermissionDenied, &["own (111111111111)"]);
}

#[tokio::test]
async fn a_namespace_beyond_its_share_is_refused_and_the_others_are_not() {
    let sqs = given_sqs().await;
    let mut settings = given_settings();
    settings.scaler.limits = Limits {
        namespace_triggers_max: 2,
        ..Limits::default()
    };
    let scaler = given_scaler(settings).await;
    let ask = async |namespace: &str, length: &str| {
        let mut request = reference(&sqs.metadata(&[("queueLength", length)]));
        request.namespace = namespace.to_owned();
        scaler.client.clone().is_active(request).await
    };
    for length in ["1", "2"] {
        ask("shop", length).await.unwrap();
    }
    let text = "namespace \"shop\" has 2 triggers within the last hour already";
    assert_status(ask("shop", "3").await, Code::ResourceExhausted, &[text]);
    ask("other", "3").await.unwrap();
    ask("shop", "1").await.unwrap();
}

#[tokio::test]
async fn an_oversized_request_is_refused_and_the_connection_goes_on() {
    let sqs = given_sqs().await;
    let scaler = given_scaler(given_settings()).await;
    let metadata = sqs.metadata(&[("note", &"x".repeat(300 << 10))]);
    let too_large = ["decoded message length too large"];
    assert_status(
        scaler.is_active(&metadata).await,
        Code::OutOfRange,
        &too_large,
    );
    let metadata = sqs.metadata(&[("note", &"x".repeat(100 << 10))]);
    let too_large = ["bytes of metadata, at most 65536 are taken"];
    assert_status(
        scaler.is_active(&metadata).await,
        Code::InvalidArgument,
        &too_large,
    );
    assert!(!scaler.is_active(&sqs.metadata).await.unwrap());
}

#[tokio::test]
async fn streams_beyond_those_of_a_trigger_are_refused_and_the_open_ones_go_on() {
    let sqs = given_sqs().await;
    let mut settings = given_settings();
    settings.scaler.limits.trigger_streams_max = 2;
    let scaler = given_scaler(settings).await;
    let open = async || {
        let request = reference(&sqs.metadata);
        scaler.client.clone().stream_is_active(request).await
    };
    let mut first = open().await.unwrap().into_inner();
    assert!(!first.message().await.unwrap().unwrap().result);
    let second = open().await.unwrap();
    let text = "the trigger has 2 open streams already";
    assert_status(open().await, Code::ResourceExhausted, &[text]);
    drop(second);
    eventually(async || open().await.is_ok()).await;
    sqs.send(1);
    assert!(first.message().await.unwrap().unwrap().result);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_the_others_go_on() {
    let sqs = given_sqs().await;
    let mut settings = given_settings();
    settings.scaler.limits.connections_max = 2;
    let (addresses, scaler) = {
        let scaler = given_scaler(settings).await;
        (scaler.grpc, scaler)
    };
    let idle = tokio::net::TcpStream::connect(addresses).await.unwrap();
    eventually(async || {
        scaler
            .page("/metrics")
            .await
            .1
            .contains("sluice_connections 2")
    })
    .await;
    let mut third = tokio::net::TcpStream::connect(addresses).await.unwrap();
    let end = third.read(&mut [0; 1]).await;
    assert!(matches!(end, Ok(0) | Err(_)), "closed at once: {end:?}");
    assert!(!scaler.is_active(&sqs.metadata).await.unwrap());
    let (_, page) = scaler.page("/metrics").await;
    assert!(page.contains("sluice_connections_refused_total{reason=\"too many\"} 1"));
    drop(idle);
}
