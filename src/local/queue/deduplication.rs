//! The five-minute memory of a FIFO queue for messages it has already taken.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::message::MessageKey;

/// How long SQS remembers a deduplication id.
const WINDOW: Duration = Duration::from_mins(5);

#[derive(Debug, Default)]
pub(super) struct Deduplication {
    known: HashMap<String, MessageKey>,
    ends: VecDeque<(Duration, String)>,
}

impl Deduplication {
    /// The key of the original if `id` is known; otherwise `id` is remembered with `key`.
    pub(super) fn check(
        &mut self,
        now: Duration,
        id: Option<String>,
        key: MessageKey,
    ) -> Option<MessageKey> {
        self.forget(now);
        let id = id?;
        if let Some(original) = self.known.get(&id) {
            return Some(*original);
        }
        self.ends.push_back((now + WINDOW, id.clone()));
        self.known.insert(id, key);
        None
    }

    fn forget(&mut self, now: Duration) {
        while let Some((_, id)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            self.known.remove(&id);
        }
    }
}
