//! What the consumer counts, and its text in the format of OpenMetrics. It knows no HTTP.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::message::Message;

/// From a cached answer to the longest work that SQS allows.
const HANDLER_BUCKETS: [f64; 14] = [
    0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0,
];
/// From at once to a backlog of an hour and worse.
const WAIT_BUCKETS: [f64; 12] = [
    0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0,
];

/// Shared by all its clones.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    received: Counter,
    done: Counter,
    failed: Counter,
    redelivered: Counter,
    handed_back: Counter,
    cut_short: Counter,
    lost_heartbeats: Counter,
    in_flight: Gauge,
    slots: Gauge,
    busy_slots: Gauge,
    handler: Histogram,
    queue_wait: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix("sluice_worker"),
            received: Counter::default(),
            done: Counter::default(),
            failed: Counter::default(),
            redelivered: Counter::default(),
            handed_back: Counter::default(),
            cut_short: Counter::default(),
            lost_heartbeats: Counter::default(),
            in_flight: Gauge::default(),
            slots: Gauge::default(),
            busy_slots: Gauge::default(),
            handler: Histogram::new(HANDLER_BUCKETS),
            queue_wait: Histogram::new(WAIT_BUCKETS),
        };
        inner.register_counters();
        inner.register_levels();
        Self(Arc::new(inner))
    }
}

impl Inner {
    fn register_counters(&mut self) {
        let counters = [
            ("messages_received", "Messages received", &self.received),
            ("messages_done", "Messages handled and deleted", &self.done),
            (
                "messages_failed",
                "Messages whose handler failed",
                &self.failed,
            ),
            (
                "messages_redelivered",
                "Messages received that had been given out before",
                &self.redelivered,
            ),
            (
                "messages_handed_back",
                "Messages made visible again without being handled to their end",
                &self.handed_back,
            ),
            (
                "messages_cut_short",
                "Messages whose handler was ended with the drain time",
                &self.cut_short,
            ),
            (
                "heartbeats_lost",
                "Messages that could not be kept hidden while they were worked on",
                &self.lost_heartbeats,
            ),
        ];
        for (name, help, counter) in counters {
            self.registry.register(name, help, counter.clone());
        }
    }

    fn register_levels(&mut self) {
        let gauges = [
            (
                "messages_in_flight",
                "Messages held at this moment",
                &self.in_flight,
            ),
            ("slots", "Messages that may be handled at once", &self.slots),
            ("busy_slots", "Handlers at work", &self.busy_slots),
        ];
        for (name, help, gauge) in gauges {
            self.registry.register(name, help, gauge.clone());
        }
        let histograms = [
            ("handler", "How long handlers took", &self.handler),
            (
                "queue_wait",
                "How long messages waited for their first receive",
                &self.queue_wait,
            ),
        ];
        for (name, help, histogram) in histograms {
            self.registry
                .register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
    }
}

/// Counts what it stands for until it is dropped.
#[derive(Debug)]
pub struct Level(Gauge, i64);

impl Level {
    fn raise(gauge: &Gauge, by: usize) -> Self {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        gauge.inc_by(by);
        Self(gauge.clone(), by)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.dec_by(self.1);
    }
}

impl Metrics {
    pub fn received(&self, message: &Message) {
        self.0.received.inc();
        if message.is_redelivered() {
            self.0.redelivered.inc();
        } else if let Some(wait) = message.queue_wait() {
            self.0.queue_wait.observe(wait.as_secs_f64());
        }
    }

    pub fn done(&self) {
        self.0.done.inc();
    }

    pub fn failed(&self) {
        self.0.failed.inc();
    }

    pub fn handed_back(&self) {
        self.0.handed_back.inc();
    }

    pub fn cut_short(&self) {
        self.0.cut_short.inc();
    }

    /// Messages whose handler was ended with the drain time.
    pub fn messages_cut_short(&self) -> u64 {
        self.0.cut_short.get()
    }

    pub fn heartbeat_lost(&self) {
        self.0.lost_heartbeats.inc();
    }

    pub fn handler_took(&self, time: Duration) {
        self.0.handler.observe(time.as_secs_f64());
    }

    pub fn slots(&self, count: usize) {
        self.0.slots.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Messages are held until the answer is dropped.
    pub fn holding(&self, messages: usize) -> Level {
        Level::raise(&self.0.in_flight, messages)
    }

    /// A handler works until the answer is dropped.
    pub fn working(&self) -> Level {
        Level::raise(&self.0.busy_slots, 1)
    }

    /// Quarters of the slots that are busy, in part or whole.
    pub fn busy_quarters(&self) -> u8 {
        let (busy, slots) = (self.0.busy_slots.get(), self.0.slots.get().max(1));
        let quarters = (busy.max(0) * 4 + slots - 1) / slots;
        u8::try_from(quarters).unwrap_or(4)
    }

    /// All of them as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.0.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_receive_counts_its_wait_and_a_second_one_does_not() {
        let metrics = Metrics::default();
        let first = Message {
            receive_count: Some(1),
            sent_at: Some(Duration::from_secs(10)),
            first_received_at: Some(Duration::from_secs(13)),
            ..Message::new("m-1", "")
        };
        metrics.received(&first);
        metrics.received(&Message {
            receive_count: Some(2),
            ..first
        });
        let text = metrics.text();
        for line in [
            "sluice_worker_messages_received_total 2",
            "sluice_worker_messages_redelivered_total 1",
            "sluice_worker_queue_wait_seconds_count 1",
            "sluice_worker_queue_wait_seconds_sum 3.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[test]
    fn a_quarter_that_is_busy_in_part_counts() {
        let metrics = Metrics::default();
        assert_eq!(metrics.busy_quarters(), 0);
        metrics.slots(10);
        let _one = metrics.working();
        assert_eq!(metrics.busy_quarters(), 1);
        let _further: Vec<_> = (0..5).map(|_| metrics.working()).collect();
        assert_eq!(metrics.busy_quarters(), 3);
    }

    #[test]
    fn a_level_falls_again_however_its_holder_ends() {
        let metrics = Metrics::default();
        let holding = metrics.holding(3);
        assert!(
            metrics
                .text()
                .contains("sluice_worker_messages_in_flight 3")
        );
        drop(holding);
        assert!(
            metrics
                .text()
                .contains("sluice_worker_messages_in_flight 0")
        );
    }

    /// Dashboards and alerts may ask for what is in this list.
    #[test]
    fn the_list_of_metrics_for_dashboards_is_what_is_exported() {
        let text = Metrics::default().text();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let mut exported: Vec<String> = types
            .filter_map(|family| family.split_once(' '))
            .map(|(name, kind)| {
                let suffix = if kind == "counter" { "_total" } else { "" };
                format!("{name}{suffix}")
            })
            .collect();
        exported.sort();
        let list = include_str!("../../deploy/observability/metrics/worker.txt");
        let listed: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(exported, listed);
    }
}
