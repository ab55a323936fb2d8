//! The spans of a trace: KEDA's call, the look at its queue, the request to AWS, the decision. They are
//! made for traces alone: the log never shows them, and where nobody collects them they cost a flag that
//! is read. Knows nothing of RPCs, caches or AWS; only `otlp.rs`, a cargo feature, names OpenTelemetry.

#[cfg(feature = "otlp")]
mod otlp;

use tracing::{Level, Metadata, Span, field::Empty, span};

use crate::scaling::{QueueRef, ScalingDecision};

#[cfg(feature = "otlp")]
pub use self::otlp::Traces;

/// What tells spans of a trace from all others.
const TARGET: &str = "traces";

/// What KEDA's contract is called.
const SERVICE: &str = "externalscaler.ExternalScaler";

/// Status codes of gRPC that are a fault of the server, by OpenTelemetry's account: unknown, deadline
/// exceeded, unimplemented, internal, unavailable and data loss.
const FAULTS: [i32; 6] = [2, 4, 12, 13, 14, 15];

/// Where traces go: nowhere, without the cargo feature `otlp`.
#[cfg(not(feature = "otlp"))]
#[derive(Debug)]
pub struct Traces;

#[cfg(not(feature = "otlp"))]
#[allow(
    clippy::unused_self,
    clippy::unused_async,
    reason = "as where there is something"
)]
impl Traces {
    pub(crate) fn from_environment() -> Self {
        Self
    }

    pub(crate) fn layer(&self) -> Option<tracing_subscriber::layer::Identity> {
        None
    }

    pub(crate) fn announce(&self) {}

    /// Sends what is left; nothing is.
    pub async fn end(self) {}
}

/// KEDA's call of `method` about the object of this namespace and name. It belongs to the trace that
/// `header`, which gives a header of the call by its name, tells of.
pub fn call<'a>(
    method: &'static str,
    (namespace, name): (&str, &str),
    header: impl Fn(&str) -> Option<&'a str>,
) -> Span {
    let span = span!(
        target: TARGET,
        Level::TRACE,
        "call",
        otel.name = %format_args!("{SERVICE}/{method}"),
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = SERVICE,
        rpc.method = method,
        rpc.grpc.status_code = Empty,
        k8s.namespace.name = namespace,
        keda.scaledobject.name = name,
    );
    #[cfg(feature = "otlp")]
    otlp::follow(&span, header);
    #[cfg(not(feature = "otlp"))]
    let _ = header;
    span
}

/// Notes with which status code of gRPC a call was answered.
pub fn answered(call: &Span, code: i32) {
    call.record("rpc.grpc.status_code", code);
    if FAULTS.contains(&code) {
        call.record("otel.status_code", "ERROR");
    }
}

/// A look at what is known of `queue`.
pub fn look(queue: &QueueRef) -> Span {
    span!(
        target: TARGET,
        Level::TRACE,
        "look",
        messaging.system = "aws_sqs",
        messaging.destination.name = queue.name,
        cloud.region = queue.region,
        cache = Empty,
        joined = Empty,
    )
}

/// Notes where the answer to a look came from: `hit`, `miss`, `stale` or `failed`.
pub fn looked(look: &Span, cache: &'static str) {
    look.record("cache", cache);
}

/// Notes that a look waits for the fetch that another one has started.
pub fn joined(look: &Span, fetch: &Span) {
    look.record("joined", true);
    look.follows_from(fetch);
}

/// The request to AWS that a look has started; none where the look is part of no trace, since who watches
/// queues all day would fill the collector.
pub fn fetch(look: &Span, queue: &QueueRef) -> Span {
    if look.is_disabled() {
        return Span::none();
    }
    span!(
        target: TARGET,
        parent: look,
        Level::TRACE,
        "fetch",
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        messaging.system = "aws_sqs",
        messaging.destination.name = queue.name,
        cloud.region = queue.region,
    )
}

/// Notes that a fetch failed.
pub fn failed(fetch: &Span, error: &dyn std::fmt::Display) {
    fetch.record("otel.status_code", "ERROR");
    fetch.record("otel.status_description", tracing::field::display(error));
}

/// The decision for a trigger about `queue`.
pub fn decision(queue: &QueueRef) -> Span {
    span!(
        target: TARGET,
        Level::TRACE,
        "decide",
        messaging.destination.name = queue.name,
        bound_by = Empty,
        metric_value = Empty,
        replicas = Empty,
        active = Empty,
    )
}

/// Notes what was decided, and whether KEDA is told that there is work.
pub fn decided(span: &Span, decision: &ScalingDecision, is_active: bool) {
    if span.is_disabled() {
        return;
    }
    span.record("bound_by", decision.bound_by.name());
    span.record("metric_value", decision.metric_value);
    span.record("replicas", decision.replicas());
    span.record("active", is_active);
}

/// Whether a span is part of a trace: ours, and of the SDK of AWS the request and its attempts.
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "nothing asks"))]
fn is_of_a_trace(metadata: &Metadata<'_>) -> bool {
    let (target, name) = (metadata.target(), metadata.name());
    let is_request = target.starts_with("aws_sdk_") && name.starts_with("SQS.");
    let is_attempt = target.starts_with("aws_smithy_runtime::") && name == "try_attempt";
    metadata.is_span() && (target == TARGET || is_request || is_attempt)
}
