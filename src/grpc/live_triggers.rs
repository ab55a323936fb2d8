//! The triggers that KEDA asks about: parsed once, forgotten when it stops asking. KEDA's contract
//! has no call that ends a trigger.

use std::{sync::Arc, time::Duration};

use foldhash::quality::RandomState;
use moka::sync::Cache;
use prost::bytes::Bytes;
use zeroize::Zeroize;

use super::{
    limits::{LimitError, Limits, Shares},
    live_trigger::LiveTrigger,
    metadata::{self, MetadataError},
    proto::unread::ScaledObjectRef,
};
use crate::{
    scaling::{PolicyError, Trigger},
    status::Board,
    workloads::ObjectName,
};

/// A trigger that KEDA has not asked about for so long is forgotten.
const TRIGGER_IDLE: Duration = Duration::from_hours(1);

/// All triggers that KEDA asks about.
#[derive(Debug)]
pub(super) struct LiveTriggers {
    triggers: Cache<TriggerKey, Arc<LiveTrigger>, RandomState>,
    hasher: RandomState,
    board: Arc<Board>,
    limits: Limits,
    shares: Arc<Shares>,
}

/// Values that are wiped as soon as a trigger is parsed: they are kept, if at all, as a [`Secret`].
///
/// [`Secret`]: crate::scaling::Secret
const SECRET_KEYS: [&str; 4] = [
    "awsSecretAccessKeyFromEnv",
    "awsSecretAccessKey",
    "awsExternalId",
    "awsSessionToken",
];

/// Why a trigger is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum FindError {
    /// Its metadata is no metadata.
    #[error(transparent)]
    Unreadable(#[from] MetadataError),
    /// Its metadata is wrong.
    #[error(transparent)]
    Metadata(#[from] PolicyError),
    /// It is too large or one too many.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

/// KEDA gives a trigger no identity: two triggers of one object differ in their metadata only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct TriggerKey {
    namespace: String,
    name: String,
    metadata_hash: u64,
}

impl LiveTriggers {
    /// Keeps as many as `limits` say, and shows them on `board`.
    pub(super) fn new(limits: Limits, board: Arc<Board>) -> Self {
        let shares = Arc::<Shares>::default();
        let given_back = Arc::clone(&shares);
        let triggers = Cache::builder()
            .time_to_idle(TRIGGER_IDLE)
            // Not when it is dropped: the cache lets go of what it removed at some later time.
            .eviction_listener(move |key: Arc<TriggerKey>, _, _| {
                given_back.give_back(&key.namespace);
            })
            .build_with_hasher(RandomState::default());
        Self {
            triggers,
            hasher: RandomState::default(),
            board,
            limits,
            shares,
        }
    }

    /// The trigger that `reference` describes; its warnings are logged when it is first seen.
    pub(super) fn find(&self, reference: ScaledObjectRef) -> Result<Arc<LiveTrigger>, FindError> {
        let entries = &reference.scaler_metadata;
        self.limits
            .admit([&reference.namespace, &reference.name], entries)?;
        let key = TriggerKey {
            metadata_hash: metadata::hash(entries, &self.hasher),
            namespace: reference.namespace,
            name: reference.name,
        };
        if let Some(live) = self.triggers.get(&key) {
            live.status.asked(self.board.now());
            return Ok(live);
        }
        self.admit(key, entries)
    }

    /// A trigger that was not known.
    fn admit(&self, key: TriggerKey, entries: &[Bytes]) -> Result<Arc<LiveTrigger>, FindError> {
        let mut metadata = metadata::read(entries)?;
        let parsed = Trigger::parse(&metadata);
        for key in SECRET_KEYS {
            if let Some(secret) = metadata.get_mut(key) {
                secret.zeroize();
            }
        }
        let trigger = parsed
            .inspect_err(|error| self.board.reject(&key.namespace, &key.name, error))?
            .asked_by(&key.namespace, &key.name);
        self.take_share(&key.namespace)
            .inspect_err(|error| self.board.reject(&key.namespace, &key.name, error))?;
        for warning in &trigger.warnings {
            tracing::warn!(namespace = key.namespace, name = key.name, "{warning}");
        }
        let object = ObjectName {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        };
        let live = Arc::new(LiveTrigger::new(object, trigger, &self.board));
        self.triggers.insert(key, Arc::clone(&live));
        Ok(live)
    }

    /// A place for one more trigger. Those that have expired are forgotten before one is refused.
    fn take_share(&self, namespace: &str) -> Result<(), LimitError> {
        self.shares.take(namespace, &self.limits).or_else(|_| {
            self.triggers.run_pending_tasks();
            self.shares.take(namespace, &self.limits)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::EpochClock;

    fn given_board() -> Arc<Board> {
        Arc::new(Board::new(EpochClock::start()))
    }

    fn given_triggers(limits: Limits) -> LiveTriggers {
        LiveTriggers::new(limits, given_board())
    }

    fn given_reference(name: &str, region: &str) -> ScaledObjectRef {
        ScaledObjectRef {
            name: name.to_owned(),
            namespace: "shop".to_owned(),
            scaler_metadata: [("queueURL", "orders"), ("awsRegion", region)]
                .map(|(key, value)| metadata::entry(key, value))
                .into(),
        }
    }

    #[test]
    fn a_trigger_is_parsed_once_and_told_apart_by_object_and_metadata() {
        let triggers = given_triggers(Limits::default());
        let find = |name, region| triggers.find(given_reference(name, region)).unwrap();
        let first = find("worker", "eu-west-1");
        assert!(Arc::ptr_eq(&first, &find("worker", "eu-west-1")));
        assert!(!Arc::ptr_eq(&first, &find("worker", "eu-west-2")));
        assert!(!Arc::ptr_eq(&first, &find("other", "eu-west-1")));
    }

    fn given_limits() -> Limits {
        Limits {
            triggers_max: 100,
            namespace_triggers_max: 60,
            ..Limits::default()
        }
    }

    fn find(triggers: &LiveTriggers, namespace: &str, name: usize) -> Result<(), String> {
        let mut reference = given_reference(&format!("worker-{name}"), "eu-west-1");
        reference.namespace = namespace.to_owned();
        let found = triggers.find(reference);
        found.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn a_namespace_has_its_share_and_leaves_room_for_the_others() {
        let triggers = given_triggers(given_limits());
        let refused: Vec<String> = (0..1_000)
            .filter_map(|name| find(&triggers, "shop", name).err())
            .collect();
        assert_eq!(refused.len(), 940);
        let expected = "namespace \"shop\" has 60 triggers within the last hour already, and no more are \
                        kept for one namespace (--namespace-triggers-max)";
        assert_eq!(refused[0], expected);
        assert_eq!(find(&triggers, "other", 0), Ok(()));
        assert_eq!(find(&triggers, "shop", 0), Ok(()), "one that is known");
    }

    #[test]
    fn triggers_are_bounded_and_expire_when_nobody_asks() {
        let triggers = given_triggers(given_limits());
        for name in 0..50 {
            find(&triggers, "shop", name).unwrap();
            find(&triggers, "other", name).unwrap();
        }
        let error = find(&triggers, "third", 0).unwrap_err();
        assert!(error.contains("there are 100 triggers"), "{error}");
        assert_eq!(
            triggers.triggers.policy().time_to_idle(),
            Some(TRIGGER_IDLE)
        );
        // What is forgotten makes room.
        triggers.triggers.invalidate_all();
        assert_eq!(find(&triggers, "third", 0), Ok(()));
    }

    #[test]
    fn oversized_metadata_is_not_looked_at() {
        let triggers = given_triggers(given_limits());
        let refused = |entries: Vec<Bytes>| {
            let mut reference = given_reference("worker", "eu-west-1");
            reference.scaler_metadata.extend(entries);
            triggers.find(reference).unwrap_err().to_string()
        };
        let many = (0..200).map(|key| metadata::entry(&key.to_string(), ""));
        let expected = "the trigger has 202 metadata keys, at most 128 are taken";
        assert_eq!(refused(many.collect()), expected);
        let large = vec![metadata::entry("key", &"x".repeat(70_000))];
        let text = refused(large);
        assert!(text.contains("bytes of metadata, at most 65536"), "{text}");
    }
}
