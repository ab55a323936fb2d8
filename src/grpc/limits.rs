//! How much of everything the clients of the gRPC port may take.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use prost::bytes::Bytes;

/// What is beyond a limit is refused with a text that names the limit, and nobody else notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "a limit is not what it limits")]
pub struct Limits {
    /// Connections at once. KEDA holds one; the rest is for probes and people.
    pub connections_max: usize,
    /// Bytes of a request. KEDA's have a few hundred; Kubernetes keeps no object above 1.5 MiB.
    pub message_bytes_max: usize,
    /// Keys in the metadata of a trigger; there are some thirty.
    pub metadata_keys_max: usize,
    /// Bytes of a trigger's metadata as they come, with the names of its object.
    pub metadata_bytes_max: usize,
    /// Triggers that are kept at once.
    pub triggers_max: usize,
    /// Triggers of one namespace that are kept at once. A tenth of all: nine others find room whatever a
    /// namespace does, and few have hundreds.
    pub namespace_triggers_max: usize,
    /// Streams of one trigger that are open at once. KEDA holds two, and for a moment both the old and
    /// the new ones.
    pub trigger_streams_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            message_bytes_max: 256 << 10,
            metadata_keys_max: 128,
            metadata_bytes_max: 64 << 10,
            triggers_max: 20_000,
            namespace_triggers_max: 2_000,
            trigger_streams_max: 64,
        }
    }
}

/// A limit that a call would pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum LimitError {
    #[error("the trigger has {found} metadata keys, at most {max} are taken")]
    MetadataKeys { found: usize, max: usize },
    #[error("the trigger has {found} bytes of metadata, at most {max} are taken")]
    MetadataBytes { found: usize, max: usize },
    #[error(
        "namespace {namespace:?} has {max} triggers within the last hour already, and no more are kept \
         for one namespace (--namespace-triggers-max)"
    )]
    NamespaceTriggers { namespace: String, max: usize },
    #[error(
        "there are {max} triggers within the last hour already, and no more are kept (--triggers-max)"
    )]
    Triggers { max: usize },
    #[error("the trigger has {max} open streams already")]
    Streams { max: usize },
}

impl Limits {
    /// Whether the metadata of a trigger is small enough to be looked at.
    pub(super) fn admit(&self, names: [&str; 2], entries: &[Bytes]) -> Result<(), LimitError> {
        let (found, max) = (entries.len(), self.metadata_keys_max);
        if found > max {
            return Err(LimitError::MetadataKeys { found, max });
        }
        let names = names.iter().map(|name| name.len());
        let found = names.chain(entries.iter().map(Bytes::len)).sum();
        let max = self.metadata_bytes_max;
        if found > max {
            return Err(LimitError::MetadataBytes { found, max });
        }
        Ok(())
    }
}

/// How many triggers each namespace has.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_namespace: HashMap<String, usize>,
}

impl Shares {
    /// Takes a place for one more trigger of `namespace`.
    pub(super) fn take(&self, namespace: &str, limits: &Limits) -> Result<(), LimitError> {
        let mut taken = self.lock();
        let of_namespace = taken.of_namespace.get(namespace).copied();
        let of_namespace = of_namespace.unwrap_or_default();
        let (max, namespace) = (limits.namespace_triggers_max, namespace.to_owned());
        if of_namespace >= max {
            return Err(LimitError::NamespaceTriggers { namespace, max });
        }
        let max = limits.triggers_max;
        if taken.all >= max {
            return Err(LimitError::Triggers { max });
        }
        taken.all += 1;
        taken.of_namespace.insert(namespace, of_namespace + 1);
        Ok(())
    }

    /// Gives a place back that was taken.
    pub(super) fn give_back(&self, namespace: &str) {
        let mut taken = self.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.of_namespace.get_mut(namespace) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.of_namespace.remove(namespace);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The open streams of a trigger.
#[derive(Debug, Default)]
pub(super) struct OpenStreams(Arc<AtomicUsize>);

/// A place among the streams of a trigger, given back when it is dropped.
#[derive(Debug)]
pub(super) struct StreamPlace(Arc<AtomicUsize>);

impl OpenStreams {
    /// A place for one more stream.
    pub(super) fn take(&self, max: usize) -> Result<StreamPlace, LimitError> {
        // The place is taken before it is counted, so that two that come at once cannot both be the last.
        let place = StreamPlace(Arc::clone(&self.0));
        if self.0.fetch_add(1, Ordering::Relaxed) >= max {
            return Err(LimitError::Streams { max });
        }
        Ok(place)
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_has_so_many_streams_at_once() {
        let streams = OpenStreams::default();
        let open: Vec<_> = (0..16).map(|_| streams.take(16).unwrap()).collect();
        let error = streams.take(16).unwrap_err();
        assert_eq!(error.to_string(), "the trigger has 16 open streams already");
        drop(open);
        streams.take(16).expect("room again");
    }
}
