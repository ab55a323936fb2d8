//! Traces to a collector of OpenTelemetry over gRPC, where its environment variables name one. The only
//! file that names OpenTelemetry. Nothing that answers waits for the collector: spans queue up, 2,048 at
//! most, and those beyond are dropped.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{
    ExporterBuildError, WithTonicConfig, tonic_types::transport::ClientTlsConfig,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tokio::task::spawn_blocking;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, Registry, filter::filter_fn};

use super::is_of_a_trace;

/// What is not sent so long after the drain is given up: a pod that stops has seconds.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// Variables that name a collector, and its protocol; the one for traces alone comes first.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];

/// Where traces go.
#[derive(Debug)]
pub struct Traces(Result<Option<SdkTracerProvider>, TracesError>);

/// Why no traces are sent although a collector is named.
#[derive(Debug, thiserror::Error)]
enum TracesError {
    /// The collector is to be spoken to in a way that this program does not know.
    #[error("{variable}: expected \"grpc\", found {found:?}")]
    Protocol {
        variable: &'static str,
        found: String,
    },
    /// The variables make no exporter.
    #[error("cannot send traces")]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// Where the variables of OpenTelemetry say; nowhere, when they name no collector.
    pub(crate) fn from_environment() -> Self {
        let endpoint = ENDPOINTS.into_iter().find_map(set);
        Self(endpoint.map(|(_, url)| provider(&url)).transpose())
    }

    /// Takes the spans of traces, and no other ones.
    pub(crate) fn layer(&self) -> Option<impl Layer<Registry> + Send + Sync + use<>> {
        let provider = self.0.as_ref().ok()?.as_ref()?;
        let spans = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        Some(spans.with_filter(filter_fn(is_of_a_trace)))
    }

    /// Tells the log where traces go.
    pub(crate) fn announce(&self) {
        match &self.0 {
            Ok(None) => {}
            Ok(Some(_)) => {
                let collector = ENDPOINTS.into_iter().find_map(set).map(|(_, url)| url);
                tracing::info!(collector, "sending traces");
            }
            Err(error) => tracing::warn!("no traces are sent: {}", crate::telemetry::chain(error)),
        }
    }

    /// Sends what is left, as far as the collector takes it soon.
    pub async fn end(self) {
        let Ok(Some(provider)) = self.0 else {
            return;
        };
        let flushed = spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_MAX));
        if let Ok(Err(error)) = flushed.await {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// A variable and its value, if it has one.
fn set(variable: &'static str) -> Option<(&'static str, String)> {
    let value = env::var(variable).ok().filter(|value| !value.is_empty());
    value.map(|value| (variable, value))
}

/// Everything but what is said here is as the variables of OpenTelemetry say: headers, timeouts, sampling,
/// the queue's length.
fn provider(endpoint: &str) -> Result<SdkTracerProvider, TracesError> {
    if let Some((variable, found)) = PROTOCOLS.into_iter().find_map(set)
        && found != "grpc"
    {
        return Err(TracesError::Protocol { variable, found });
    }
    let mut exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic();
    if endpoint.starts_with("https:") {
        exporter = exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots());
    }
    let exporter = Exporter {
        inner: exporter.build()?,
        is_failing: AtomicBool::new(false),
    };
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource());
    Ok(provider.build())
}

/// Who we are, unless the variables say otherwise.
fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name(env!("CARGO_PKG_NAME"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match set("OTEL_SERVICE_NAME") {
        Some((_, name)) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

/// Makes `call` a part of the trace that its headers tell of.
pub(super) fn follow<'a>(call: &Span, header: impl Fn(&str) -> Option<&'a str>) {
    if call.is_disabled() {
        return;
    }
    let remote = TraceContextPropagator::new().extract_with_context(
        &Context::new(),
        &Headers {
            traceparent: header("traceparent"),
            tracestate: header("tracestate"),
        },
    );
    if remote.span().span_context().is_valid() {
        // It fails for a span that has begun already, and this one has not.
        let _ = call.set_parent(remote);
    }
}

/// The headers of the W3C's trace context.
struct Headers<'a> {
    traceparent: Option<&'a str>,
    tracestate: Option<&'a str>,
}

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent,
            "tracestate" => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

/// Tells the log when the collector cannot be reached and when it can again, each once.
#[derive(Debug)]
struct Exporter {
    inner: opentelemetry_otlp::SpanExporter,
    is_failing: AtomicBool,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.inner.export(batch).await;
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_failing => {
                tracing::warn!(%error, "traces are lost: the collector takes none");
            }
            Ok(()) if was_failing => tracing::info!("traces are sent again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
