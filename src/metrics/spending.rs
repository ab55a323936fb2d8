//! What the requests to SQS cost, told from the last hour.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, metrics::MetricType};
use tokio::time::Instant;

/// AWS takes $0.40 for a million requests to standard queues, after a million that are free; what is
/// told here leaves the free ones out. FIFO queues take a quarter more.
const DOLLARS_PER_REQUEST: f64 = 0.4 / 1e6;

const MONTH: Duration = Duration::from_hours(31 * 24);

/// The pace is that of so long, by steps of a minute.
const PACE_OVER: Duration = Duration::from_hours(1);
const STEP: Duration = Duration::from_mins(1);
/// A shorter time says nothing of an hour.
const PACE_OVER_MIN: Duration = Duration::from_mins(5);

/// Requests of the last hour; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct SqsSpending {
    started: Instant,
    requests: Arc<Mutex<VecDeque<(u64, f64)>>>,
}

impl Default for SqsSpending {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            requests: Arc::default(),
        }
    }
}

impl SqsSpending {
    /// Counts a request.
    pub(super) fn note(&self, now: Instant) {
        let step = self.step(now);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match requests.back_mut() {
            Some((last, count)) if *last == step => *count += 1.0,
            _ => requests.push_back((step, 1.0)),
        }
        let oldest = self.oldest(now);
        while requests.front().is_some_and(|(step, _)| *step < oldest) {
            requests.pop_front();
        }
    }

    /// What a month would cost if all of it were like the last hour.
    fn dollars_per_month(&self, now: Instant) -> f64 {
        let (requests, oldest) = (
            self.requests.lock().unwrap_or_else(PoisonError::into_inner),
            self.oldest(now),
        );
        let recent = requests.iter().filter(|(step, _)| *step >= oldest);
        let requests: f64 = recent.map(|(_, count)| count).sum();
        let over = now.saturating_duration_since(self.started);
        let over = over.clamp(PACE_OVER_MIN, PACE_OVER);
        requests * DOLLARS_PER_REQUEST * MONTH.div_duration_f64(over)
    }

    fn step(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_secs() / STEP.as_secs()
    }

    fn oldest(&self, now: Instant) -> u64 {
        self.step(now)
            .saturating_sub(PACE_OVER.as_secs() / STEP.as_secs())
    }
}

impl Collector for SqsSpending {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help =
            "What a month of requests to SQS would cost if all of it were like the last hour";
        encoder
            .encode_descriptor("sqs_dollars_per_month", help, None, MetricType::Gauge)?
            .encode_gauge(&self.dollars_per_month(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_a_second_is_a_dollar_a_month_and_stops_to_be_when_none_come() {
        let spending = SqsSpending::default();
        for _ in 0..2 * 3_600 {
            advance(Duration::from_secs(1)).await;
            spending.note(Instant::now());
        }
        let told = spending.dollars_per_month(Instant::now());
        assert!((1.0..1.2).contains(&told), "{told}");
        assert!(spending.requests.lock().unwrap().len() <= 62);
        advance(Duration::from_hours(2)).await;
        let told = spending.dollars_per_month(Instant::now());
        assert!(told.abs() < f64::EPSILON, "{told}");
    }
}
