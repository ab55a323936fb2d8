//! What one minute of a queue's metrics said, whoever measured it.

use std::time::Duration;

/// One minute of a queue. A value that is absent is not known, which is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Minute {
    /// When the minute began, since the Unix epoch.
    pub from: Duration,
    /// Messages sent, without those that a redrive policy moved here.
    pub sent: Option<f64>,
    /// Messages received, each time anew.
    pub received: Option<f64>,
    /// Messages deleted.
    pub deleted: Option<f64>,
    /// The age of the oldest message; on standard queues, one received three times is not counted.
    pub oldest_age: Option<Duration>,
    /// Message groups of a FIFO queue that have a message in flight.
    pub groups_in_flight: Option<f64>,
}
