//! What CloudWatch says of one minute of a queue. It comes one to three minutes late, and not always.

use std::time::Duration;

/// No queue has more messages: all of SQS has fewer in a day.
const COUNTABLE: std::ops::RangeInclusive<f64> = 0.0..=1e15;

/// One minute of a queue. A value that is absent is not known, which is not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Minute {
    /// Its first moment, since the Unix epoch.
    pub from: Duration,
    /// `NumberOfMessagesSent`, summed up.
    pub sent: Option<f64>,
    /// `NumberOfMessagesReceived`, summed up; a message received twice counts twice.
    pub received: Option<f64>,
    /// `NumberOfMessagesDeleted`, summed up.
    pub deleted: Option<f64>,
    /// `ApproximateAgeOfOldestMessage`, its maximum. Blind to messages received three times or more.
    pub oldest_age: Option<Duration>,
    /// `ApproximateNumberOfMessagesVisible`, on average; only asked for to catch up, and beside
    /// `quiet_visible`.
    pub visible: Option<f64>,
    /// `ApproximateNumberOfMessagesNotVisible`, on average; only asked for to catch up.
    pub in_flight: Option<f64>,
    /// `ApproximateNumberOfGroupsWithInflightMessages` of a FIFO queue, its maximum.
    pub groups_in_flight: Option<f64>,
    /// `ApproximateNumberOfNoisyGroups` of a fair queue, its maximum: groups that hold more than their
    /// share of what is in flight. SQS hands out the messages of the others first.
    pub noisy_groups: Option<f64>,
    /// `ApproximateNumberOfMessagesVisibleInQuietGroups`, on average: those of the other groups.
    pub quiet_visible: Option<f64>,
    /// `ApproximateNumberOfMessagesNotVisibleInQuietGroups`, on average.
    pub quiet_in_flight: Option<f64>,
    /// `ApproximateAgeOfOldestMessageInQuietGroups`, its maximum.
    pub quiet_oldest_age: Option<Duration>,
}

impl Minute {
    /// How long a minute is.
    pub const LENGTH: Duration = Duration::from_mins(1);

    /// The same without numbers that nothing can be counted by: below zero, infinite, or not a number.
    #[must_use]
    pub(super) fn believed(self) -> Self {
        let countable = |number: Option<f64>| number.filter(|number| COUNTABLE.contains(number));
        Self {
            sent: countable(self.sent),
            received: countable(self.received),
            deleted: countable(self.deleted),
            visible: countable(self.visible),
            in_flight: countable(self.in_flight),
            groups_in_flight: countable(self.groups_in_flight),
            noisy_groups: countable(self.noisy_groups),
            quiet_visible: countable(self.quiet_visible),
            quiet_in_flight: countable(self.quiet_in_flight),
            ..self
        }
    }

    /// The first moment that is not in it any more.
    pub fn until(&self) -> Duration {
        self.from + Self::LENGTH
    }
}
