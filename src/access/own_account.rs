//! Which account is the scaler's own: asked for once, when a trigger first needs it, and then known for
//! good, since a process does not move to another account.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::queue::AwsConfig;

/// The pause after a failure doubles from the first to the second; nothing is read meanwhile that
/// depends on the answer, so it is asked for as often as is decent.
const RETRY_PAUSE_MIN: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_mins(1);

/// What is known of the scaler's own account.
#[derive(Debug, Clone)]
pub struct OwnAccount {
    knowledge: watch::Receiver<Knowledge>,
    /// The region of the trigger that wants to know first.
    wanted: Arc<watch::Sender<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Knowledge {
    Nothing,
    Account(Arc<str>),
    Failure(Arc<str>),
}

impl OwnAccount {
    /// It is said which it is.
    pub fn known(account: &str) -> Self {
        Self::with(Knowledge::Account(account.into()))
    }

    /// It cannot be known, for this reason.
    pub fn unknown(reason: &str) -> Self {
        Self::with(Knowledge::Failure(reason.into()))
    }

    /// AWS is asked, once somebody wants to know. The task ends when it is known or nobody can want to
    /// know any more.
    pub fn of(aws: AwsConfig) -> Self {
        let (told, knowledge) = watch::channel(Knowledge::Nothing);
        let (wanted, wish) = watch::channel(None);
        tokio::spawn(learn(aws, wish, told));
        Self {
            knowledge,
            wanted: Arc::new(wanted),
        }
    }

    fn with(knowledge: Knowledge) -> Self {
        // What was sent last can be read when the sender is gone.
        let (_, knowledge) = watch::channel(knowledge);
        let (wanted, _) = watch::channel(None);
        Self {
            knowledge,
            wanted: Arc::new(wanted),
        }
    }

    /// The account, if it is known now.
    pub(super) fn get(&self) -> Option<Arc<str>> {
        match &*self.knowledge.borrow() {
            Knowledge::Account(account) => Some(Arc::clone(account)),
            Knowledge::Nothing | Knowledge::Failure(_) => None,
        }
    }

    /// The account, asking for it at AWS in `region` if need be, or why it is not known.
    pub(super) async fn learn(
        &self,
        region: &str,
        patience: Duration,
    ) -> Result<Arc<str>, Arc<str>> {
        self.wanted.send_if_modified(|wanted| {
            let is_first = wanted.is_none();
            wanted.get_or_insert_with(|| region.to_owned());
            is_first
        });
        let mut knowledge = self.knowledge.clone();
        let told = timeout(
            patience,
            knowledge.wait_for(|knowledge| *knowledge != Knowledge::Nothing),
        );
        match told.await.ok().and_then(Result::ok).as_deref() {
            Some(Knowledge::Account(account)) => Ok(Arc::clone(account)),
            Some(Knowledge::Failure(reason)) => Err(Arc::clone(reason)),
            Some(Knowledge::Nothing) | None => Err("AWS has not answered yet".into()),
        }
    }
}

async fn learn(
    aws: AwsConfig,
    mut wish: watch::Receiver<Option<String>>,
    told: watch::Sender<Knowledge>,
) {
    let Ok(region) = wish
        .wait_for(Option::is_some)
        .await
        .map(|wish| wish.clone())
    else {
        return;
    };
    let region = region.unwrap_or_default();
    let mut pause = RETRY_PAUSE_MIN;
    loop {
        match aws.own_account(&region).await {
            Ok(account) => {
                tracing::info!(account, "the scaler's own account is known");
                told.send_replace(Knowledge::Account(account.into()));
                return;
            }
            Err(reason) => {
                tracing::warn!("cannot tell which account is the scaler's own: {reason}");
                told.send_replace(Knowledge::Failure(reason.into()));
            }
        }
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(RETRY_PAUSE_MAX),
            () = told.closed() => return,
        }
    }
}
