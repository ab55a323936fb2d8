//! The visible messages of a standard queue as SQS's fair queues order them: message groups are tenants that
//! block nobody, and those that are noisy wait for the others.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    counts::Counts,
    message::{Message, MessageKey},
    noise::Noise,
};

/// The place of a message among the visible ones: by its rank, then by when it was sent.
type Place = (u64, MessageKey);
/// The place of a group: of noisy ones, the one with the fewest messages in flight comes first, as SQS has it.
type Turn = (u64, Place);

#[derive(Debug, Default)]
pub(super) struct Tenants {
    by_name: HashMap<Arc<str>, Tenant>,
    heads: Heads,
    noise: Noise,
}

/// A group that has messages in the queue; nothing is left of one that has none.
#[derive(Debug, Default)]
struct Tenant {
    visible: BTreeSet<Place>,
    in_flight: u64,
    /// All of its messages, delayed ones too.
    messages: u64,
    /// The turn that `heads` knows of it.
    listed: Option<(Standing, Turn)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Quiet,
    Noisy,
}

/// The oldest visible message of each group, with the group's name, and each one that has no group. So a
/// group that becomes noisy is one entry to move, however many messages it has.
#[derive(Debug, Default)]
struct Heads {
    quiet: BTreeMap<Turn, Option<Arc<str>>>,
    noisy: BTreeMap<Turn, Option<Arc<str>>>,
}

impl Tenants {
    /// Notes a message that is not visible yet.
    pub(super) fn hold(&mut self, group: Option<&Arc<str>>) {
        self.change(group, |tenant| tenant.messages += 1);
    }

    pub(super) fn show<P>(&mut self, key: MessageKey, message: &Message<P>) {
        let place = place(key, message);
        match message.group.as_ref() {
            None => {
                self.heads.quiet.insert((0, place), None);
            }
            group => self.change(group, |tenant| {
                tenant.visible.insert(place);
            }),
        }
    }

    /// Takes the oldest message of the quiet groups, or of a noisy one if there is none.
    ///
    /// Nobody is measured yet: the message may be given up instead of handed out.
    pub(super) fn take_next(&mut self) -> Option<MessageKey> {
        let (place, group) = self.heads.first()?;
        self.noise.take_off();
        self.hide(place, group.as_ref(), |tenant| tenant.in_flight += 1);
        Some(place.1)
    }

    /// Notes that a message that was taken came back or is gone.
    pub(super) fn land(&mut self, group: Option<&Arc<str>>, now: Duration) {
        self.noise.land();
        self.change(group, |tenant| {
            tenant.in_flight = tenant.in_flight.saturating_sub(1);
        });
        self.measure(now);
    }

    /// Forgets a message that is visible or delayed.
    pub(super) fn remove<P>(&mut self, key: MessageKey, message: &Message<P>) {
        self.hide(place(key, message), message.group.as_ref(), |_| ());
    }

    /// Notes that a message has left the queue, after it was taken out of the order.
    pub(super) fn forget(&mut self, group: Option<&Arc<str>>) {
        self.change(group, |tenant| {
            tenant.messages = tenant.messages.saturating_sub(1);
        });
    }

    /// Finds out which groups are noisy by now.
    pub(super) fn measure(&mut self, now: Duration) {
        for name in self.noise.measure(now) {
            self.relist(&name);
        }
    }

    pub(super) fn is_quiet(&self, group: Option<&Arc<str>>) -> bool {
        group.is_none_or(|name| !self.noise.is_noisy(name))
    }

    /// How many groups are noisy, and what they have in the queue.
    pub(super) fn noisy(&self) -> (u64, Counts) {
        let (mut groups, mut counts) = (0, Counts::default());
        let noisy = self.noise.groups();
        for tenant in noisy.filter_map(|name| self.by_name.get(name)) {
            groups += 1;
            counts.add(tenant.counts());
        }
        (groups, counts)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let heads = self.heads.quiet.is_empty() && self.heads.noisy.is_empty();
        heads && self.by_name.is_empty() && self.noise.is_empty()
    }

    /// Takes a message from the visible ones, and changes its group at the same time, so that the group does
    /// not look drained in between.
    fn hide(&mut self, place: Place, group: Option<&Arc<str>>, also: impl FnOnce(&mut Tenant)) {
        match group {
            None => {
                self.heads.quiet.remove(&(0, place));
            }
            group => self.change(group, |tenant| {
                tenant.visible.remove(&place);
                also(tenant);
            }),
        }
    }

    /// Changes a group, and puts it where it belongs after that; messages without a group have no state.
    fn change(&mut self, group: Option<&Arc<str>>, apply: impl FnOnce(&mut Tenant)) {
        let Some(name) = group else {
            return;
        };
        let tenant = self.by_name.entry(Arc::clone(name)).or_default();
        let before = tenant.in_flight;
        apply(tenant);
        self.noise.note(name, before, tenant.in_flight);
        if tenant.is_drained() {
            self.noise.forget(name);
        }
        self.relist(name);
    }

    /// Puts the group where it belongs among the heads, and forgets what is over of it.
    fn relist(&mut self, name: &Arc<str>) {
        let Some(tenant) = self.by_name.get_mut(name) else {
            return;
        };
        let standing = if self.noise.is_noisy(name) {
            Standing::Noisy
        } else {
            Standing::Quiet
        };
        let turn = tenant.turn(standing);
        self.heads.relist(name, tenant.listed, turn);
        tenant.listed = turn;
        if tenant.messages == 0 {
            self.by_name.remove(name);
        }
    }
}

impl Tenant {
    fn turn(&self, standing: Standing) -> Option<(Standing, Turn)> {
        let first = *self.visible.first()?;
        let in_flight = match standing {
            Standing::Quiet => 0,
            Standing::Noisy => self.in_flight,
        };
        Some((standing, (in_flight, first)))
    }

    fn is_drained(&self) -> bool {
        self.visible.is_empty() && self.in_flight == 0
    }

    fn counts(&self) -> Counts {
        let visible = u64::try_from(self.visible.len()).unwrap_or(u64::MAX);
        let shown = visible + self.in_flight;
        Counts {
            visible,
            in_flight: self.in_flight,
            delayed: self.messages.saturating_sub(shown),
        }
    }
}

impl Heads {
    fn first(&self) -> Option<(Place, Option<Arc<str>>)> {
        let first = self.quiet.first_key_value();
        let ((_, place), group) = first.or_else(|| self.noisy.first_key_value())?;
        Some((*place, group.clone()))
    }

    fn relist(
        &mut self,
        name: &Arc<str>,
        from: Option<(Standing, Turn)>,
        to: Option<(Standing, Turn)>,
    ) {
        if from == to {
            return;
        }
        if let Some((standing, turn)) = from {
            self.of(standing).remove(&turn);
        }
        if let Some((standing, turn)) = to {
            self.of(standing).insert(turn, Some(Arc::clone(name)));
        }
    }

    fn of(&mut self, standing: Standing) -> &mut BTreeMap<Turn, Option<Arc<str>>> {
        match standing {
            Standing::Quiet => &mut self.quiet,
            Standing::Noisy => &mut self.noisy,
        }
    }
}

fn place<P>(key: MessageKey, message: &Message<P>) -> Place {
    (message.rank.max(key.0), key)
}
