//! Which visible message is handed out next.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    QueueKind,
    groups::Groups,
    message::{Message, MessageKey},
};

#[derive(Debug)]
pub(super) enum Order {
    /// Oldest first; SQS promises only its best effort.
    Standard(BTreeSet<(u64, MessageKey)>),
    Fifo(Groups),
}

impl Order {
    pub(super) fn of(kind: QueueKind) -> Self {
        match kind {
            QueueKind::Standard => Self::Standard(BTreeSet::new()),
            QueueKind::Fifo => Self::Fifo(Groups::default()),
        }
    }

    /// Notes a message that is not visible yet: in a FIFO queue it holds back those sent after it.
    pub(super) fn hold(&mut self, key: MessageKey, group: Option<&Arc<str>>) {
        if let (Self::Fifo(groups), Some(group)) = (self, group) {
            groups.hold(key, group);
        }
    }

    pub(super) fn show<P>(&mut self, key: MessageKey, message: &Message<P>) {
        match (self, message.group.as_ref()) {
            (Self::Standard(visible), _) => {
                visible.insert((message.rank.max(key.0), key));
            }
            (Self::Fifo(groups), Some(group)) => groups.show(key, group),
            (Self::Fifo(_), None) => {}
        }
    }

    /// Takes the next message; `current` is the group that this same receive is being served from.
    pub(super) fn take_next(&mut self, current: Option<&str>) -> Option<MessageKey> {
        match self {
            Self::Standard(visible) => visible.pop_first().map(|(_, key)| key),
            Self::Fifo(groups) => groups.take_next(current),
        }
    }

    /// Notes that a message in flight came back or is gone, so that its group may go on.
    pub(super) fn land(&mut self, group: Option<&Arc<str>>) {
        if let (Self::Fifo(groups), Some(group)) = (self, group) {
            groups.land(group);
        }
    }

    /// Forgets a message that is visible or delayed.
    pub(super) fn remove<P>(&mut self, key: MessageKey, message: &Message<P>) {
        match (self, message.group.as_ref()) {
            (Self::Standard(visible), _) => {
                visible.remove(&(message.rank.max(key.0), key));
            }
            (Self::Fifo(groups), Some(group)) => groups.remove(key, group),
            (Self::Fifo(_), None) => {}
        }
    }

    pub(super) fn groups_in_flight(&self) -> u64 {
        match self {
            Self::Standard(_) => 0,
            Self::Fifo(groups) => groups.in_flight(),
        }
    }
}
