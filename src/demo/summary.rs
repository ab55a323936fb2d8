//! What a run came to: measured while it goes on, told at its end.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::DemoError;

/// The figures of one run. Times are seconds since the first message was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Messages sent.
    pub messages_sent: u64,
    /// Messages that a worker has finished and deleted.
    pub messages_done: u64,
    /// Until the first message was done: waking up from zero included.
    pub first_message_done_seconds: Option<f64>,
    /// Until all messages were done.
    pub drained_seconds: Option<f64>,
    /// Until no worker was left.
    pub scaled_to_zero_seconds: Option<f64>,
    /// Longest time that a message waited or was worked on, as seen once a tick.
    pub oldest_message_seconds_max: f64,
    /// Workers at once, at most.
    pub replicas_max: usize,
    /// What the workers would have cost: their number, added up over time.
    pub replica_seconds: f64,
    /// Requests that the scaler sent to SQS.
    pub scaler_sqs_requests: u64,
}

/// The same messages under `aws-sqs-queue` untold and with a target wait.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LawSummary {
    /// The target wait.
    pub target_wait_seconds: f64,
    /// With the default `queueLength`.
    pub queue_length: Summary,
    /// With the target wait.
    pub target_wait: Summary,
}

impl fmt::Display for LawSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "as aws-sqs-queue with its default queueLength:\n{}",
            self.queue_length
        )?;
        writeln!(
            formatter,
            "with targetWaitSeconds {}:\n{}",
            self.target_wait_seconds, self.target_wait
        )?;
        let (plain, law) = (&self.queue_length, &self.target_wait);
        writeln!(
            formatter,
            "{:.0} replica-seconds in the place of {:.0}; the oldest message was {:.1} s old, {} s were allowed to wait",
            law.replica_seconds,
            plain.replica_seconds,
            law.oldest_message_seconds_max,
            self.target_wait_seconds
        )
    }
}

/// What is seen of the world in one tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub(super) now: Duration,
    pub(super) since_first_message: Duration,
    pub(super) sent: u64,
    pub(super) done: u64,
    pub(super) visible: u64,
    pub(super) in_flight: u64,
    pub(super) oldest_age: Duration,
    pub(super) pods_alive: usize,
    pub(super) scaler_requests: u64,
}

impl Summary {
    /// Takes note of what is seen, `tick` after the last sight.
    pub(super) fn note(&mut self, sight: &Sight, tick: Duration, all_sent: bool) {
        let now = sight.since_first_message.as_secs_f64();
        self.messages_sent = sight.sent;
        self.messages_done = sight.done;
        self.scaler_sqs_requests = sight.scaler_requests;
        self.replicas_max = self.replicas_max.max(sight.pods_alive);
        let pods = u32::try_from(sight.pods_alive).unwrap_or(u32::MAX);
        self.replica_seconds += f64::from(pods) * tick.as_secs_f64();
        let oldest = sight.oldest_age.as_secs_f64();
        self.oldest_message_seconds_max = self.oldest_message_seconds_max.max(oldest);
        let is_drained = all_sent && sight.done >= sight.sent;
        let first_time = |told: &mut Option<f64>, is_true: bool| {
            if is_true && told.is_none() {
                *told = Some(now);
            }
        };
        first_time(&mut self.first_message_done_seconds, sight.done > 0);
        first_time(&mut self.drained_seconds, is_drained);
        first_time(
            &mut self.scaled_to_zero_seconds,
            is_drained && sight.pods_alive == 0,
        );
    }

    pub(super) fn interrupted(&self) -> DemoError {
        DemoError::Interrupted {
            done: self.messages_done,
            sent: self.messages_sent,
        }
    }

    pub(super) fn not_drained(&self, limit: Duration) -> DemoError {
        DemoError::NotDrained {
            limit,
            done: self.messages_done,
            sent: self.messages_sent,
        }
    }

    /// Whether everything is done and nobody works any more.
    pub(super) fn is_over(&self) -> bool {
        self.scaled_to_zero_seconds.is_some()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |time: Option<f64>| match time {
            Some(time) => format!("{time:.1} s"),
            None => "never".to_owned(),
        };
        let rows = [
            (
                "messages done",
                format!("{} of {}", self.messages_done, self.messages_sent),
            ),
            (
                "first message done after",
                seconds(self.first_message_done_seconds),
            ),
            ("queue drained after", seconds(self.drained_seconds)),
            ("back to zero after", seconds(self.scaled_to_zero_seconds)),
            (
                "oldest message, at most",
                seconds(Some(self.oldest_message_seconds_max)),
            ),
            ("replicas, at most", self.replicas_max.to_string()),
            ("replica-seconds", format!("{:.0}", self.replica_seconds)),
            (
                "requests of the scaler to SQS",
                self.scaler_sqs_requests.to_string(),
            ),
        ];
        rows.iter()
            .try_for_each(|(name, value)| writeln!(formatter, "{name:>31}  {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_added_up_over_time_and_milestones_are_told_once() {
        let mut summary = Summary::default();
        let tick = Duration::from_millis(500);
        let sight = |half_seconds: u64, done: u64, pods_alive: usize| Sight {
            now: Duration::ZERO,
            since_first_message: tick * u32::try_from(half_seconds).unwrap(),
            sent: 10,
            done,
            visible: 0,
            in_flight: 0,
            oldest_age: Duration::from_secs(done),
            pods_alive,
            scaler_requests: 1,
        };
        for (at, (done, pods)) in (1..).zip([(0, 0), (3, 1), (10, 2), (10, 1), (10, 0), (10, 0)]) {
            summary.note(&sight(at, done, pods), tick, true);
        }
        assert_eq!(summary.first_message_done_seconds, Some(1.0));
        assert_eq!(summary.drained_seconds, Some(1.5));
        assert_eq!(summary.scaled_to_zero_seconds, Some(2.5));
        assert_eq!(
            (summary.replicas_max, summary.oldest_message_seconds_max),
            (2, 10.0)
        );
        assert!((summary.replica_seconds - 2.0).abs() < 1e-9);
        assert!(summary.is_over());
    }

    #[test]
    fn a_queue_that_is_empty_before_everything_is_sent_is_not_drained() {
        let mut summary = Summary::default();
        let sight = Sight {
            now: Duration::from_secs(1),
            since_first_message: Duration::from_secs(1),
            sent: 200,
            done: 200,
            visible: 0,
            in_flight: 0,
            oldest_age: Duration::ZERO,
            pods_alive: 0,
            scaler_requests: 0,
        };
        summary.note(&sight, Duration::from_secs(1), false);
        assert!(!summary.is_over());
    }
}
