//! A local SQS, a scaler in front of it and KEDA's client, on free ports of loopback.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use sluice::{
    cache::CacheSettings,
    grpc::{
        ScalerSettings,
        proto::{
            GetMetricsRequest, GetMetricsResponse, ScaledObjectRef,
            external_scaler_client::ExternalScalerClient,
        },
    },
    http::StatusPage,
    local::{Control, FaultAction, FaultRule, LocalServer},
    queue::{MinuteFeed, MinuteSettings, SqsSource},
    service::{Sensors, Service, ServiceSettings},
    tls::TlsFeed,
    watchers::WatchSettings,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

pub(crate) use crate::planted::secrets::{SECRET, assert_no_secret, looked_at};

pub(crate) const QUEUE: &str = "orders";
pub(crate) const METRIC: &str = "aws-sqs-orders";

pub(crate) const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// An SQS with one queue, and what a trigger for it says.
pub(crate) struct Sqs {
    pub(crate) control: Control,
    pub(crate) metadata: HashMap<String, String>,
    stop: CancellationToken,
}

impl Drop for Sqs {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn given_sqs() -> Sqs {
    let server = LocalServer::bind(LOOPBACK).await.expect("a free port");
    let (control, endpoint) = (server.control(), server.endpoint());
    let url = control.create_queue(QUEUE, &[]).expect("a valid name");
    let stop = CancellationToken::new();
    tokio::spawn(server.serve(stop.clone()));
    let metadata = pairs(&[
        ("queueURL", &url),
        ("awsRegion", "eu-west-1"),
        ("awsEndpoint", &endpoint),
        ("awsAccessKeyIDFromEnv", "AKIALOCAL"),
        ("awsSecretAccessKeyFromEnv", SECRET),
    ]);
    Sqs {
        control,
        metadata,
        stop,
    }
}

impl Sqs {
    /// The trigger's metadata with `changes` on top; an empty value takes a key away.
    pub(crate) fn metadata(&self, changes: &[(&str, &str)]) -> HashMap<String, String> {
        let mut metadata = self.metadata.clone();
        metadata.extend(pairs(changes));
        metadata
    }

    pub(crate) fn send(&self, messages: usize) {
        for _ in 0..messages {
            self.control.send(QUEUE, "{}").expect("the queue exists");
        }
    }

    /// Lets SQS report these counts, whatever is true.
    pub(crate) fn report(&self, visible: i64, in_flight: i64, delayed: i64) {
        self.control.clear_faults();
        for (name, count) in [
            ("ApproximateNumberOfMessages", visible),
            ("ApproximateNumberOfMessagesNotVisible", in_flight),
            ("ApproximateNumberOfMessagesDelayed", delayed),
        ] {
            self.report_text(name, &count.to_string());
        }
    }

    pub(crate) fn report_text(&self, attribute: &str, value: &str) {
        self.fault(FaultAction::AttributeValue {
            name: attribute.to_owned(),
            value: value.to_owned(),
        });
    }

    pub(crate) fn fault(&self, action: FaultAction) {
        self.control
            .set_fault(FaultRule::on("GetQueueAttributes", action));
    }

    pub(crate) fn asked(&self) -> u64 {
        self.control.requests("GetQueueAttributes")
    }
}

/// A scaler that runs, and KEDA's client for it.
pub(crate) struct Scaler {
    pub(crate) grpc: SocketAddr,
    pub(crate) client: ExternalScalerClient<Channel>,
    pub(crate) channel: Channel,
    pub(crate) http: SocketAddr,
}

/// Settings on free ports.
pub(crate) fn given_settings() -> ServiceSettings {
    ServiceSettings {
        grpc_listen: LOOPBACK,
        http_listen: LOOPBACK,
        cache: CacheSettings::default(),
        minutes: MinuteSettings::default(),
        scaler: ScalerSettings {
            watch: WatchSettings {
                interval: Duration::from_millis(100),
                ..WatchSettings::default()
            },
            ..ScalerSettings::default()
        },
        status_page: StatusPage::On,
        connection_age: None,
        drain_deadline: Duration::from_secs(5),
    }
}

/// The cache off, as for comparisons with KEDA's own scaler.
pub(crate) fn given_settings_without_cache() -> ServiceSettings {
    given_settings_with(CacheSettings {
        ttl: Duration::ZERO,
        staleness_bound: Duration::ZERO,
        failure_memory: Duration::ZERO,
        ..CacheSettings::default()
    })
}

pub(crate) fn given_settings_with(cache: CacheSettings) -> ServiceSettings {
    ServiceSettings {
        cache,
        ..given_settings()
    }
}

pub(crate) async fn given_scaler(settings: ServiceSettings) -> Scaler {
    let source = SqsSource::from_environment(settings.cache.fetch_deadline).await;
    given_scaler_with(settings, Sensors::of_counts(source))
        .await
        .0
}

/// A scaler with these sensors, and what it knows of minutes.
pub(crate) async fn given_scaler_with(
    settings: ServiceSettings,
    sensors: Sensors<SqsSource>,
) -> (Scaler, MinuteFeed) {
    let service = Service::bind(settings, sensors).await.expect("free ports");
    let minutes = service.minutes();
    let (grpc, http) = (
        service.grpc_address().unwrap(),
        service.http_address().unwrap(),
    );
    // The server ends with the runtime of its test.
    tokio::spawn(service.run(CancellationToken::new()));
    let channel = connect(grpc).await;
    let client = ExternalScalerClient::new(channel.clone());
    let scaler = Scaler {
        grpc,
        client,
        channel,
        http,
    };
    (scaler, minutes)
}

/// A scaler that speaks TLS, and where.
pub(crate) async fn given_secured_scaler(tls: TlsFeed) -> (SocketAddr, SocketAddr) {
    let settings = given_settings();
    let source = SqsSource::from_environment(settings.cache.fetch_deadline).await;
    let service = Service::bind(settings, Sensors::of_counts(source)).await;
    let service = service.expect("free ports").secured(Some(tls));
    let addresses = (
        service.grpc_address().unwrap(),
        service.http_address().unwrap(),
    );
    tokio::spawn(service.run(CancellationToken::new()));
    addresses
}

/// KEDA's client for a scaler that runs somewhere.
pub(crate) async fn scaler_at(grpc: SocketAddr, http: SocketAddr) -> Scaler {
    let channel = connect(grpc).await;
    Scaler {
        grpc,
        client: ExternalScalerClient::new(channel.clone()),
        channel,
        http,
    }
}

/// Waits until it is so, and not for ever.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it has not come about in ten seconds");
}

pub(crate) async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a valid address");
    endpoint.connect().await.expect("the scaler listens")
}

impl Scaler {
    pub(crate) async fn metrics(
        &self,
        metadata: &HashMap<String, String>,
    ) -> Result<GetMetricsResponse, Status> {
        let request = GetMetricsRequest {
            scaled_object_ref: Some(reference(metadata)),
            metric_name: METRIC.to_owned(),
        };
        self.client
            .clone()
            .get_metrics(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// The one value of the metric.
    pub(crate) async fn value(&self, metadata: &HashMap<String, String>) -> Result<i64, Status> {
        let response = self.metrics(metadata).await?;
        assert_eq!(response.metric_values.len(), 1);
        let value = &response.metric_values[0];
        assert_eq!(value.metric_name, METRIC);
        // KEDA reads the float and, before v2.17, the whole number.
        assert_eq!(
            value.metric_value.to_string(),
            value.metric_value_float.to_string()
        );
        Ok(value.metric_value)
    }

    pub(crate) async fn is_active(
        &self,
        metadata: &HashMap<String, String>,
    ) -> Result<bool, Status> {
        let response = self.client.clone().is_active(reference(metadata)).await?;
        Ok(response.into_inner().result)
    }

    /// The name and target of the one metric.
    pub(crate) async fn spec(
        &self,
        metadata: &HashMap<String, String>,
    ) -> Result<(String, i64, f64), Status> {
        let response = self
            .client
            .clone()
            .get_metric_spec(reference(metadata))
            .await?
            .into_inner();
        assert_eq!(response.metric_specs.len(), 1);
        let spec = &response.metric_specs[0];
        Ok((
            spec.metric_name.clone(),
            spec.target_size,
            spec.target_size_float,
        ))
    }

    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        http_get(self.http, path)
            .await
            .expect("the pages are served")
    }
}

pub(crate) fn reference(metadata: &HashMap<String, String>) -> ScaledObjectRef {
    ScaledObjectRef {
        name: "worker".to_owned(),
        namespace: "shop".to_owned(),
        scaler_metadata: metadata
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(owned)
            .collect(),
    }
}

/// That of one of many objects, all with the same metadata.
pub(crate) fn reference_of(object: usize, metadata: &HashMap<String, String>) -> ScaledObjectRef {
    let mut reference = reference(metadata);
    reference.name = format!("worker-{object}");
    reference
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

pub(crate) fn assert_status<T: std::fmt::Debug>(
    answer: Result<T, Status>,
    code: Code,
    parts: &[&str],
) {
    let status = answer.expect_err("an error");
    assert_no_secret(format!("{status:?}"));
    assert_eq!(status.code(), code, "{status:?}");
    for part in parts {
        assert!(
            status.message().contains(part),
            "{part:?} is not in {:?}",
            status.message()
        );
    }
}

/// The status and the body of a page.
pub(crate) async fn http_get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    http_get_as(address, path, "*/*").await
}

/// The same for one who accepts this.
pub(crate) async fn http_get_as(
    address: SocketAddr,
    path: &str,
    accept: &str,
) -> std::io::Result<(u16, String)> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: sluice\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    assert_no_secret(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Ok((status, body.to_owned()))
}
