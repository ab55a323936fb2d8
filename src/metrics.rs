//! What Sluice counts of itself, in OpenMetrics text. A leaf: it knows nothing of what it counts.

mod calls;
mod labels;
mod plain_text;
mod spending;
mod tasks;

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

use self::{
    calls::{CallMeter, CallMeters, MethodLabel, RPC_SECONDS, RpcLabels},
    labels::{CacheLabels, CertificateLabels, RefusalLabels, RequestLabels, SqsLabels},
    spending::SqsSpending,
    tasks::Tasks,
};

pub use self::{
    calls::Call,
    labels::{CacheAnswer, SqsOutcome},
};

/// All metrics, shared by whoever counts. `Default` gives a set that nobody reads.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    rpcs: Family<RpcLabels, Counter>,
    rpc_seconds: Family<MethodLabel, Histogram, fn() -> Histogram>,
    calls: CallMeters,
    open_streams: Family<MethodLabel, Gauge>,
    cache_answers: Family<CacheLabels, Counter>,
    fresh_answers: Counter,
    sqs_requests: Family<SqsLabels, Counter>,
    spending: SqsSpending,
    looks: Family<RequestLabels, Counter>,
    watched_queues: Gauge,
    wakes: Counter,
    cloudwatch_requests: Family<RequestLabels, Counter>,
    cloudwatch_asked: Counter,
    cloudwatch_budget_refusals: Counter,
    cloudwatch_cost: Gauge<f64, AtomicU64>,
    connections: Gauge,
    connections_refused: Family<RefusalLabels, Counter>,
    certificate_loads: Family<RequestLabels, Counter>,
    /// Without a value while there is no certificate.
    certificate_expiry: Family<CertificateLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let rpc_seconds: fn() -> Histogram = || Histogram::new(RPC_SECONDS);
        let (rpcs, cache_answers) = (Family::default(), Family::default());
        let rpc_seconds = Family::new_with_constructor(rpc_seconds);
        let meter = |call: Call| CallMeter {
            answered_ok: rpcs.get_or_create_owned(&RpcLabels::new(call, tonic::Code::Ok)),
            seconds: rpc_seconds.get_or_create_owned(&MethodLabel {
                method: call.name(),
            }),
        };
        let fresh = CacheLabels {
            answer: CacheAnswer::Fresh,
        };
        let mut metrics = Self {
            registry: Registry::with_prefix("sluice"),
            calls: CallMeters {
                is_active: meter(Call::IsActive),
                get_metric_spec: meter(Call::GetMetricSpec),
                get_metrics: meter(Call::GetMetrics),
            },
            rpcs,
            rpc_seconds,
            open_streams: Family::default(),
            fresh_answers: cache_answers.get_or_create_owned(&fresh),
            cache_answers,
            sqs_requests: Family::default(),
            spending: SqsSpending::default(),
            looks: Family::default(),
            watched_queues: Gauge::default(),
            wakes: Counter::default(),
            cloudwatch_requests: Family::default(),
            cloudwatch_asked: Counter::default(),
            cloudwatch_budget_refusals: Counter::default(),
            cloudwatch_cost: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Family::default(),
            certificate_loads: Family::default(),
            certificate_expiry: Family::default(),
        };
        metrics.register();
        metrics.register_connections();
        metrics.register_watchers();
        metrics.register_cloudwatch();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", version);
        registry.register(
            "rpcs",
            "Unary calls answered, by gRPC status code",
            self.rpcs.clone(),
        );
        registry.register_with_unit(
            "rpc_duration",
            "Time to answer a unary call",
            Unit::Seconds,
            self.rpc_seconds.clone(),
        );
        registry.register(
            "open_streams",
            "Streams that KEDA holds open",
            self.open_streams.clone(),
        );
        registry.register(
            "cache_answers",
            "Observations given, by where they came from",
            self.cache_answers.clone(),
        );
        registry.register(
            "sqs_requests",
            "GetQueueAttributes calls, each with its retries, by outcome",
            self.sqs_requests.clone(),
        );
        registry.register_collector(Box::new(self.spending.clone()));
        registry.register_collector(Box::new(Tasks));
    }

    fn register_connections(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "connections",
            "Connections to the gRPC port",
            self.connections.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections to the gRPC port that were closed at once, by reason",
            self.connections_refused.clone(),
        );
        registry.register(
            "tls_certificate_loads",
            "Changes of the certificate's files that were taken, or could not be",
            self.certificate_loads.clone(),
        );
        registry.register_with_unit(
            "tls_certificate_expiry_timestamp",
            "When the certificate of the gRPC port expires, since the Unix epoch",
            Unit::Seconds,
            self.certificate_expiry.clone(),
        );
    }

    fn register_watchers(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "looks",
            "Looks at queues that push streams wait for, by outcome",
            self.looks.clone(),
        );
        registry.register(
            "watched_queues",
            "Queues that push streams are open for",
            self.watched_queues.clone(),
        );
        registry.register(
            "wakes",
            "Changes from inactive to active that were pushed",
            self.wakes.clone(),
        );
    }

    fn register_cloudwatch(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "cloudwatch_requests",
            "GetMetricData calls, each with its retries, by outcome",
            self.cloudwatch_requests.clone(),
        );
        registry.register(
            "cloudwatch_metrics_requested",
            "Metrics that GetMetricData was asked for: what AWS charges for",
            self.cloudwatch_asked.clone(),
        );
        registry.register(
            "cloudwatch_budget_refusals",
            "Queues not asked for because the budget was used up, once a minute each",
            self.cloudwatch_budget_refusals.clone(),
        );
        registry.register(
            "cloudwatch_dollars_per_month",
            "What a month of GetMetricData would cost if all of it were like the last hour",
            self.cloudwatch_cost.clone(),
        );
    }

    /// Counts a call that has been answered with `code` since `started`.
    pub fn rpc_answered(&self, call: Call, code: tonic::Code, started: Instant) {
        let meter = self.calls.of(call);
        match code {
            tonic::Code::Ok => meter.answered_ok.inc(),
            code => self.rpcs.get_or_create(&RpcLabels::new(call, code)).inc(),
        };
        meter.seconds.observe(started.elapsed().as_secs_f64());
    }

    /// Counts a stream as open until the guard is dropped.
    pub fn stream_opened(&self, method: &'static str) -> Counted {
        let streams = &self.open_streams;
        Counted::one_more_of(streams.get_or_create_owned(&MethodLabel { method }))
    }

    /// Counts an observation that the cache gave, or could not give.
    pub fn cache_answered(&self, answer: CacheAnswer) {
        match answer {
            CacheAnswer::Fresh => self.fresh_answers.inc(),
            answer => self
                .cache_answers
                .get_or_create(&CacheLabels { answer })
                .inc(),
        };
    }

    /// Counts a request to SQS.
    pub fn queue_asked(&self, outcome: SqsOutcome) {
        self.sqs_requests
            .get_or_create(&SqsLabels { outcome })
            .inc();
        self.spending.note(Instant::now());
    }

    /// Counts a look at a queue that somebody waits for.
    pub fn looked<T, E>(&self, outcome: &Result<T, E>) {
        self.looks.get_or_create(&RequestLabels::of(outcome)).inc();
    }

    /// Counts a queue as watched until the guard is dropped.
    pub fn queue_watched(&self) -> Counted {
        Counted::one_more_of(self.watched_queues.clone())
    }

    /// Counts a workload that is woken.
    pub fn woken(&self) {
        self.wakes.inc();
    }

    /// Counts a call to `CloudWatch`.
    pub fn minutes_called<T, E>(&self, outcome: &Result<T, E>) {
        let labels = RequestLabels::of(outcome);
        self.cloudwatch_requests.get_or_create(&labels).inc();
    }

    /// Counts metrics that `CloudWatch` is asked for.
    pub fn minutes_asked(&self, metrics: u32) {
        self.cloudwatch_asked.inc_by(metrics.into());
    }

    /// Counts a queue that `CloudWatch` is not asked for, because of the budget.
    pub fn minutes_refused(&self) {
        self.cloudwatch_budget_refusals.inc();
    }

    /// Tells what a month costs at the present pace.
    pub fn minutes_cost(&self, dollars_per_month: f64) {
        self.cloudwatch_cost.set(dollars_per_month);
    }

    /// Adds metrics that somebody else writes when they are asked for.
    pub fn include(&mut self, collector: impl Collector) {
        self.registry.register_collector(Box::new(collector));
    }

    /// Counts a connection as open until the guard is dropped.
    pub fn connection_opened(&self) -> Counted {
        Counted::one_more_of(self.connections.clone())
    }

    /// Counts a connection that was not taken.
    pub fn connection_refused(&self, reason: &'static str) {
        let labels = RefusalLabels { reason };
        self.connections_refused.get_or_create(&labels).inc();
    }

    /// Counts a change of the certificate's files.
    pub fn certificate_loaded<T, E>(&self, outcome: &Result<T, E>) {
        let labels = RequestLabels::of(outcome);
        self.certificate_loads.get_or_create(&labels).inc();
    }

    /// Tells when the certificate expires, since the Unix epoch.
    pub fn certificate_expires(&self, at: Duration) {
        let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
        let labels = CertificateLabels {
            certificate: "server",
        };
        self.certificate_expiry.get_or_create(&labels).set(seconds);
    }

    /// Everything in OpenMetrics text.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }

    /// The same in the older text format, for who does not ask for OpenMetrics.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn plain_text(&self) -> Result<String, std::fmt::Error> {
        Ok(plain_text::of(&self.text()?))
    }
}

/// Something that is counted; dropping it takes it off the gauge.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    fn one_more_of(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
