//! Which messages count towards the age of the oldest message, ordered by since when.

use std::{collections::BTreeSet, time::Duration};

use super::message::MessageKey;

/// A standard queue counts a message until it is received more than this often (SQS, "Available
/// `CloudWatch` metrics": a message that fails again and again would otherwise hide the others).
pub(super) const COUNTED_RECEIVES_MAX: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Ages {
    since: BTreeSet<(Duration, MessageKey)>,
}

impl Ages {
    pub(super) fn add(&mut self, since: Duration, key: MessageKey) {
        self.since.insert((since, key));
    }

    pub(super) fn remove(&mut self, since: Duration, key: MessageKey) {
        self.since.remove(&(since, key));
    }

    /// All of them, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Duration, MessageKey)> {
        self.since.iter().copied()
    }

    pub(super) fn oldest(&self) -> Option<Duration> {
        self.since.first().map(|(since, _)| *since)
    }
}
