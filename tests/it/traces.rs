//! Traces, as a collector of OpenTelemetry receives them over gRPC from a real process.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use rustix::process::Signal;
use sluice::{
    grpc::proto::{GetMetricsRequest, external_scaler_client::ExternalScalerClient},
    local::FaultAction,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    process::{Process, given_process_in},
    support::*,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    resources: Arc<Mutex<Vec<String>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_resource in request.into_inner().resource_spans {
            let resource = format!("{:?}", of_resource.resource);
            self.resources.lock().unwrap().push(resource);
            let scopes = of_resource.scope_spans.into_iter();
            let spans = scopes.flat_map(|scope| scope.spans);
            self.spans.lock().unwrap().extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(TraceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        address
    }

    /// The one span of this name with this parent.
    fn child(&self, name: &str, parent: &[u8]) -> Span {
        let mut children = self.children(name, parent);
        assert_eq!(children.len(), 1, "{name}: {}", self.names());
        children.remove(0)
    }

    fn children(&self, name: &str, parent: &[u8]) -> Vec<Span> {
        let spans = self.spans.lock().unwrap();
        let is_child = |span: &&Span| span.name == name && span.parent_span_id == parent;
        spans.iter().filter(is_child).cloned().collect()
    }

    fn names(&self) -> String {
        let spans = self.spans.lock().unwrap();
        let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
        names.join(", ")
    }
}

/// An attribute of a span as text.
fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::BoolValue(is_so) => Some(is_so.to_string()),
        Value::DoubleValue(number) => Some(number.to_string()),
        other => panic!("{other:?}"),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// A scaler that sends its traces there.
async fn given_traced(collector: SocketAddr) -> Process {
    let endpoint = format!("http://{collector}");
    given_process_in(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)], &[]).await
}

/// Asks for the metric, in the caller's trace if there is one.
async fn ask(process: &Process, sqs: &Sqs, traceparent: Option<String>) {
    let mut client = ExternalScalerClient::new(connect(process.grpc).await);
    let mut request = Request::new(GetMetricsRequest {
        scaled_object_ref: Some(reference(&sqs.metadata)),
        metric_name: METRIC.to_owned(),
    });
    if let Some(traceparent) = traceparent {
        let headers = request.metadata_mut();
        headers.insert("traceparent", traceparent.parse().unwrap());
    }
    client.get_metrics(request).await.expect("an answer");
}

/// Ends the process, which sends the rest of its traces, and gives its log.
async fn end(process: Process) -> String {
    process.signal(Signal::TERM);
    let (code, log) = process.ended().await;
    assert_eq!(code, Some(0), "{log}");
    log
}

#[tokio::test]
async fn one_trace_leads_from_the_caller_over_the_decision_to_each_attempt_at_aws() {
    let (sqs, collector) = (given_sqs().await, Collector::default());
    let process = given_traced(collector.start().await).await;
    sqs.report(12, 0, 0);
    sqs.control.set_fault(
        sluice::local::FaultRule::on("GetQueueAttributes", FaultAction::ServerError(500)).times(1),
    );
    ask(&process, &sqs, Some(format!("00-{TRACE}-{CALLER}-01"))).await;
    end(process).await;

    let call = collector.child("externalscaler.ExternalScaler/GetMetrics", &bytes(CALLER));
    let look = collector.child("look", &call.span_id);
    let fetch = collector.child("fetch", &look.span_id);
    let request = collector.child("SQS.GetQueueAttributes", &fetch.span_id);
    let attempts = collector.children("try_attempt", &request.span_id);
    let decision = collector.child("decide", &call.span_id);
    assert_eq!(attempts.len(), 2, "{}", collector.names());
    for span in [&call, &look, &fetch, &request, &attempts[0], &decision] {
        assert_eq!(span.trace_id, bytes(TRACE), "{}", span.name);
    }
    for (span, key, expected) in [
        (&call, "rpc.grpc.status_code", "0"),
        (&call, "k8s.namespace.name", "shop"),
        (&call, "keda.scaledobject.name", "worker"),
        (&look, "cache", "miss"),
        (&look, "messaging.destination.name", QUEUE),
        (&fetch, "cloud.region", "eu-west-1"),
        (&decision, "bound_by", "queue_length"),
        (&decision, "replicas", "3"),
        (&decision, "active", "true"),
    ] {
        assert_eq!(attribute(span, key).as_deref(), Some(expected), "{key}");
    }
    assert_no_secret(format!("{:?}", collector.spans.lock().unwrap()));
    let resources = collector.resources.lock().unwrap().join("");
    assert!(resources.contains("service.name") && resources.contains("\"sluice\""));
}

#[tokio::test]
async fn an_answer_from_the_cache_is_a_hit_and_a_trace_of_its_own_without_aws() {
    let (sqs, collector) = (given_sqs().await, Collector::default());
    let process = given_traced(collector.start().await).await;
    for _ in 0..2 {
        ask(&process, &sqs, None).await;
    }
    end(process).await;
    let calls = collector.children("externalscaler.ExternalScaler/GetMetrics", &[]);
    let looks = calls
        .iter()
        .map(|call| collector.child("look", &call.span_id));
    let looks: Vec<Span> = looks.collect();
    let caches: Vec<Option<String>> = looks.iter().map(|look| attribute(look, "cache")).collect();
    let expected = ["miss", "hit"].map(|cache| Some(cache.to_owned()));
    assert_eq!(caches, expected);
    assert_ne!(calls[0].trace_id, calls[1].trace_id);
    assert!(collector.children("fetch", &looks[1].span_id).is_empty());
}

#[tokio::test]
async fn a_caller_that_joins_a_request_under_way_is_linked_to_it() {
    let (sqs, collector) = (given_sqs().await, Collector::default());
    let process = Arc::new(given_traced(collector.start().await).await);
    sqs.fault(FaultAction::Latency(Duration::from_millis(500)));
    let first = {
        let (process, sqs) = (Arc::clone(&process), sqs.metadata.clone());
        spawn_ask(process, sqs)
    };
    while sqs.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = spawn_ask(Arc::clone(&process), sqs.metadata.clone());
    first.await.unwrap();
    second.await.unwrap();
    end(Arc::into_inner(process).expect("nobody else asks")).await;

    let spans = collector.spans.lock().unwrap().clone();
    let fetches: Vec<&Span> = spans.iter().filter(|span| span.name == "fetch").collect();
    let looks = spans.iter().filter(|span| span.name == "look");
    let joined: Vec<&Span> = looks
        .filter(|look| attribute(look, "joined").as_deref() == Some("true"))
        .collect();
    assert_eq!((fetches.len(), joined.len()), (1, 1));
    assert_eq!(joined[0].links.len(), 1);
    assert_eq!(joined[0].links[0].span_id, fetches[0].span_id);
    assert_eq!(joined[0].links[0].trace_id, fetches[0].trace_id);
    assert_ne!(joined[0].trace_id, fetches[0].trace_id);
}

fn spawn_ask(
    process: Arc<Process>,
    metadata: std::collections::HashMap<String, String>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut client = ExternalScalerClient::new(connect(process.grpc).await);
        client
            .is_active(reference(&metadata))
            .await
            .expect("an answer");
    })
}

#[tokio::test]
async fn a_collector_that_is_not_there_or_never_answers_changes_no_answer_and_holds_up_no_end() {
    let sqs = given_sqs().await;
    let absent = TcpListener::bind(LOOPBACK).await.unwrap();
    let nowhere = absent.local_addr().unwrap();
    drop(absent);
    let process = given_traced(nowhere).await;
    ask(&process, &sqs, None).await;
    let log = end(process).await;
    assert!(log.contains("traces are lost"), "{log}");

    // It takes connections and says nothing.
    let silent = TcpListener::bind(LOOPBACK).await.unwrap();
    let process = given_traced(silent.local_addr().unwrap()).await;
    ask(&process, &sqs, None).await;
    let log = end(process).await;
    assert!(log.contains("the last traces could not be sent"), "{log}");
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_said_and_changes_no_answer() {
    let sqs = given_sqs().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ];
    let process = given_process_in(&variables, &[]).await;
    ask(&process, &sqs, None).await;
    let log = end(process).await;
    let said = "OTEL_EXPORTER_OTLP_PROTOCOL: expected \"grpc\", found \"http/protobuf\"";
    assert!(log.contains(said), "{log}");
}
