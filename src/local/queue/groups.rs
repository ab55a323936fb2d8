//! Message groups of a FIFO queue: in order within a group, and one receive at a time for each group.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::message::MessageKey;

#[derive(Debug, Default)]
pub(super) struct Groups {
    by_name: HashMap<Arc<str>, Group>,
    /// The groups that may be served, by their oldest message.
    ready: BTreeMap<MessageKey, Arc<str>>,
    in_flight: u64,
}

#[derive(Debug, Default)]
struct Group {
    waiting: BTreeMap<MessageKey, Waiting>,
    in_flight: u64,
    listed: Option<MessageKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Delayed,
    Visible,
}

impl Group {
    /// The message to hand out next, unless it is still delayed.
    fn head(&self) -> Option<MessageKey> {
        let (key, waiting) = self.waiting.first_key_value()?;
        (*waiting == Waiting::Visible).then_some(*key)
    }

    /// The place among the ready groups: none while one of its messages is in flight.
    fn place(&self) -> Option<MessageKey> {
        if self.in_flight == 0 {
            self.head()
        } else {
            None
        }
    }
}

impl Groups {
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub(super) fn hold(&mut self, key: MessageKey, group: &Arc<str>) {
        self.set(key, group, Waiting::Delayed);
    }

    pub(super) fn show(&mut self, key: MessageKey, group: &Arc<str>) {
        self.set(key, group, Waiting::Visible);
    }

    /// Goes on with `current` as long as it has messages, then takes the group that waits longest.
    pub(super) fn take_next(&mut self, current: Option<&str>) -> Option<MessageKey> {
        let name = current
            .and_then(|name| self.by_name.get_key_value(name))
            .filter(|(_, group)| group.head().is_some())
            .or_else(|| {
                let (_, name) = self.ready.first_key_value()?;
                self.by_name.get_key_value(name)
            })
            .map(|(name, _)| Arc::clone(name))?;
        let group = self.by_name.get_mut(&name)?;
        let (key, _) = group.waiting.pop_first()?;
        if group.in_flight == 0 {
            self.in_flight += 1;
        }
        group.in_flight += 1;
        self.relist(&name);
        Some(key)
    }

    pub(super) fn land(&mut self, name: &Arc<str>) {
        if let Some(group) = self.by_name.get_mut(name) {
            group.in_flight = group.in_flight.saturating_sub(1);
            if group.in_flight == 0 {
                self.in_flight = self.in_flight.saturating_sub(1);
            }
        }
        self.relist(name);
    }

    pub(super) fn remove(&mut self, key: MessageKey, name: &Arc<str>) {
        if let Some(group) = self.by_name.get_mut(name) {
            group.waiting.remove(&key);
        }
        self.relist(name);
    }

    fn set(&mut self, key: MessageKey, name: &Arc<str>, waiting: Waiting) {
        let group = self.by_name.entry(Arc::clone(name)).or_default();
        group.waiting.insert(key, waiting);
        self.relist(name);
    }

    /// Puts the group where it belongs among the ready ones, and forgets it when nothing is left of it.
    fn relist(&mut self, name: &Arc<str>) {
        let Some(group) = self.by_name.get_mut(name) else {
            return;
        };
        let place = group.place();
        if group.listed != place {
            if let Some(listed) = group.listed {
                self.ready.remove(&listed);
            }
            if let Some(place) = place {
                self.ready.insert(place, Arc::clone(name));
            }
            group.listed = place;
        }
        if group.waiting.is_empty() && group.in_flight == 0 {
            self.by_name.remove(name);
        }
    }
}
