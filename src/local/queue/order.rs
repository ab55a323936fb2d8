//! Which visible message is handed out next.

use std::{sync::Arc, time::Duration};

use super::{
    QueueKind,
    groups::Groups,
    message::{Message, MessageKey},
    tenants::Tenants,
};

#[derive(Debug)]
pub(super) enum Order {
    /// Oldest first, but for noisy groups; SQS promises only its best effort.
    Standard(Tenants),
    Fifo(Groups),
}

impl Order {
    pub(super) fn of(kind: QueueKind) -> Self {
        match kind {
            QueueKind::Standard => Self::Standard(Tenants::default()),
            QueueKind::Fifo => Self::Fifo(Groups::default()),
        }
    }

    /// Notes a message that is not visible yet: in a FIFO queue it holds back those sent after it.
    pub(super) fn hold(&mut self, key: MessageKey, group: Option<&Arc<str>>) {
        match (self, group) {
            (Self::Standard(tenants), group) => tenants.hold(group),
            (Self::Fifo(groups), Some(group)) => groups.hold(key, group),
            (Self::Fifo(_), None) => {}
        }
    }

    pub(super) fn show<P>(&mut self, key: MessageKey, message: &Message<P>) {
        match (self, message.group.as_ref()) {
            (Self::Standard(tenants), _) => tenants.show(key, message),
            (Self::Fifo(groups), Some(group)) => groups.show(key, group),
            (Self::Fifo(_), None) => {}
        }
    }

    /// Takes the next message; `current` is the group that this same receive is being served from.
    pub(super) fn take_next(&mut self, current: Option<&str>) -> Option<MessageKey> {
        match self {
            Self::Standard(tenants) => tenants.take_next(),
            Self::Fifo(groups) => groups.take_next(current),
        }
    }

    /// Notes that a message in flight came back or is gone, so that its group may go on.
    pub(super) fn land(&mut self, group: Option<&Arc<str>>, now: Duration) {
        match (self, group) {
            (Self::Standard(tenants), group) => tenants.land(group, now),
            (Self::Fifo(groups), Some(group)) => groups.land(group),
            (Self::Fifo(_), None) => {}
        }
    }

    /// Forgets a message that is visible or delayed.
    pub(super) fn remove<P>(&mut self, key: MessageKey, message: &Message<P>) {
        match (self, message.group.as_ref()) {
            (Self::Standard(tenants), _) => tenants.remove(key, message),
            (Self::Fifo(groups), Some(group)) => groups.remove(key, group),
            (Self::Fifo(_), None) => {}
        }
    }

    /// Notes that a message is gone for good, after it landed or was removed.
    pub(super) fn forget(&mut self, group: Option<&Arc<str>>) {
        if let Self::Standard(tenants) = self {
            tenants.forget(group);
        }
    }

    /// Finds out which groups of a standard queue are noisy by now.
    pub(super) fn measure(&mut self, now: Duration) {
        if let Self::Standard(tenants) = self {
            tenants.measure(now);
        }
    }

    pub(super) fn groups_in_flight(&self) -> u64 {
        match self {
            Self::Standard(_) => 0,
            Self::Fifo(groups) => groups.in_flight(),
        }
    }
}
