//! The rules of the moment, and what they said of each trigger.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    AccessFileError, OwnAccount, Refusal, Rules,
    rules::{Surroundings, Verdict},
};
use crate::{
    queue::LoopbackEndpoints,
    scaling::QueueRef,
    telemetry,
    watched_files::{Content, LOOK_INTERVAL, WatchedFiles},
};

/// Decides who may ask for what.
#[derive(Debug, Clone)]
pub struct Access {
    rules: Arc<ArcSwap<Rules>>,
    own_account: OwnAccount,
    /// Whether queues whose trigger names no endpoint are at AWS.
    is_aws: bool,
    file: Option<WatchedFiles>,
    look_interval: Duration,
}

/// What was decided for one trigger, by which rules.
#[derive(Debug, Default)]
pub struct Permit(Mutex<Option<Decided>>);

#[derive(Debug)]
struct Decided {
    by: Arc<Rules>,
    verdict: Result<(), Refusal>,
}

/// Why a trigger does not get what it asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A rule forbids it.
    #[error(transparent)]
    ByRule(#[from] Refusal),
    /// It cannot be decided yet.
    #[error(
        "cannot tell whether the queue is of the scaler's own account: {reason}; --aws-account says \
         which account that is"
    )]
    Undecided {
        /// Why not.
        reason: Arc<str>,
    },
}

impl Access {
    /// Decides by the rules that hold without a file, or by those of `file`.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn load(
        file: Option<PathBuf>,
        loopback: LoopbackEndpoints,
        (own_account, is_aws): (OwnAccount, bool),
    ) -> Result<Self, AccessFileError> {
        let mut file = file.map(|path| WatchedFiles::new(vec![path]));
        let contents = file.as_mut().map(WatchedFiles::read_if_changed);
        let rules = match contents.transpose()?.flatten() {
            Some(contents) => parse(&contents, loopback)?,
            None => Rules::default_ones(loopback),
        };
        Ok(Self {
            rules: Arc::new(ArcSwap::from_pointee(rules)),
            own_account,
            is_aws,
            file,
            look_interval: LOOK_INTERVAL,
        })
    }

    /// Without a file, for stand-ins of AWS on this machine.
    pub fn for_stand_ins() -> Self {
        let rules = Rules::default_ones(LoopbackEndpoints::Allowed);
        Self {
            rules: Arc::new(ArcSwap::from_pointee(rules)),
            own_account: OwnAccount::unknown("AWS is not asked"),
            is_aws: true,
            file: None,
            look_interval: LOOK_INTERVAL,
        }
    }

    /// Looks at the file in this interval.
    #[must_use]
    pub fn looking_each(self, look_interval: Duration) -> Self {
        Self {
            look_interval,
            ..self
        }
    }

    /// Whether a trigger of `namespace` may ask for `queue`. Decided once for each trigger and each
    /// content of the file; AWS is asked at most which account is the scaler's own.
    ///
    /// # Errors
    /// Which rule forbids it, or why that cannot be said within `patience`.
    pub async fn permit(
        &self,
        permit: &Permit,
        (namespace, queue): (&str, &QueueRef),
        patience: Duration,
    ) -> Result<(), Refused> {
        if let Some(decided) = permit.decided_by(&self.rules.load()) {
            return decided.map_err(Refused::from);
        }
        let rules = self.rules.load_full();
        let mut own_account = self.own_account.get();
        loop {
            let known = Surroundings {
                own_account: own_account.as_deref(),
                is_aws: self.is_aws,
            };
            let decided = match rules.check(namespace, queue, known) {
                Verdict::Allowed => Ok(()),
                Verdict::Refused(refusal) => Err(refusal),
                Verdict::NeedsOwnAccount => {
                    let learned = self.own_account.learn(&queue.region, patience).await;
                    own_account = Some(learned.map_err(|reason| Refused::Undecided { reason })?);
                    continue;
                }
            };
            if let Err(refusal) = &decided {
                tracing::warn!(namespace, queue = queue.url, "refused: {refusal}");
            }
            permit.keep(rules, decided.clone());
            return decided.map_err(Refused::from);
        }
    }

    /// Takes what is new in the file until `stop` is cancelled. A file that cannot be used leaves the
    /// rules as they are, and is told once.
    pub(crate) async fn watch(self, stop: CancellationToken) {
        let Some(mut file) = self.file.clone() else {
            return;
        };
        let mut looks = interval(self.look_interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failure = None;
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = stop.cancelled() => return,
            }
            // Away from the threads that answer: a mounted file may hang.
            let read = spawn_blocking(move || {
                let contents = file.read_if_changed();
                (file, contents)
            });
            let Ok((looked_at, contents)) = read.await else {
                return tracing::error!("{}", AccessFileError::Interrupted);
            };
            file = looked_at;
            self.take(contents.map_err(AccessFileError::from), &mut failure);
        }
    }

    fn take(
        &self,
        contents: Result<Option<Vec<Content>>, AccessFileError>,
        failure: &mut Option<String>,
    ) {
        let loopback = self.rules.load().loopback;
        let rules = contents.and_then(|contents| {
            let parsed = contents.map(|contents| parse(&contents, loopback));
            parsed.transpose()
        });
        match rules {
            Ok(None) => *failure = None,
            Ok(Some(rules)) => {
                *failure = None;
                self.rules.store(Arc::new(rules));
                tracing::info!("every trigger is judged by the file of rules as it is now");
            }
            Err(error) => {
                let text = telemetry::chain(&error);
                if failure.as_ref() != Some(&text) {
                    tracing::warn!("the rules stay as they were: {text}");
                    *failure = Some(text);
                }
            }
        }
    }
}

impl Permit {
    fn decided_by(&self, rules: &Arc<Rules>) -> Option<Result<(), Refusal>> {
        let decided = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let decided = decided.as_ref()?;
        Arc::ptr_eq(&decided.by, rules).then(|| decided.verdict.clone())
    }

    fn keep(&self, by: Arc<Rules>, verdict: Result<(), Refusal>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Decided { by, verdict });
    }
}

fn parse(contents: &[Content], loopback: LoopbackEndpoints) -> Result<Rules, AccessFileError> {
    let content = contents.first().map_or(&[][..], |content| content);
    let text = std::str::from_utf8(content).map_err(|_| AccessFileError::NoText)?;
    Rules::parse(text, loopback)
}
