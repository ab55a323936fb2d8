//! What the poller wants of a source of minutes: `CloudWatch`, or a stand-in for it in tests.

use std::{future::Future, sync::Arc, time::Duration};

use super::minutes::HISTORY;
use crate::scaling::{Identity, Minute, QueueRef};

/// Something that can tell the minutes of many queues at once.
pub trait MinuteSource: Send + Sync + 'static {
    /// Where the minutes of `queue` are.
    ///
    /// # Errors
    /// When they cannot be had for this queue: why, for people.
    fn place(&self, queue: &QueueRef) -> Result<Place, Arc<str>>;

    /// Asks once, in one call, for the minutes of the queues of one place: a list for each queue, in the
    /// order of the request.
    fn fetch(
        &self,
        place: &Place,
        call: &MinuteCall,
    ) -> impl Future<Output = Result<Vec<Vec<Minute>>, FetchError>> + Send;
}

/// Queues of one place can be asked for in one call, and fail together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The AWS region.
    pub region: String,
    /// Another endpoint than the region's.
    pub endpoint: Option<String>,
    /// As whom to ask.
    pub identity: Identity,
    /// The account that the queues belong to, where their URLs tell.
    pub account: Option<String>,
}

/// What one call asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct MinuteCall {
    /// The first minute asked for, since the Unix epoch.
    pub from: Duration,
    /// The end of the last one, a whole minute.
    pub until: Duration,
    /// The queues, each with what is asked of it.
    pub queues: Vec<(Arc<QueueRef>, &'static [Metric])>,
}

/// One number of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Messages sent.
    Sent,
    /// Messages received.
    Received,
    /// Messages deleted.
    Deleted,
    /// The age of the oldest message.
    OldestAge,
    /// Messages waiting, on average.
    Visible,
    /// Messages in flight, on average.
    InFlight,
    /// Groups of a FIFO queue with a message in flight.
    GroupsInFlight,
    /// Groups of a fair queue that are noisy.
    NoisyGroups,
    /// Messages of the other groups waiting, on average.
    QuietVisible,
    /// Messages of the other groups in flight, on average.
    QuietInFlight,
    /// The age of the oldest message of the other groups.
    QuietOldestAge,
}

/// What is wanted of the groups of a standard queue, which its tenants share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupDetail {
    /// Nothing: no law asks for it.
    None,
    /// Whether some are noisy.
    Watched,
    /// Some are: also what waits in the others.
    Noisy,
}

impl Metric {
    /// What is asked of a queue each time.
    const STANDARD: &[Self] = &[Self::Received, Self::Deleted, Self::OldestAge];
    const FIFO: &[Self] = &[
        Self::Received,
        Self::Deleted,
        Self::OldestAge,
        Self::GroupsInFlight,
    ];
    /// The first time, also the counts that nobody looked at then.
    const STANDARD_HISTORY: &[Self] = &[
        Self::Received,
        Self::Deleted,
        Self::OldestAge,
        Self::Visible,
        Self::InFlight,
    ];
    const FIFO_HISTORY: &[Self] = &[
        Self::Received,
        Self::Deleted,
        Self::OldestAge,
        Self::GroupsInFlight,
        Self::Visible,
        Self::InFlight,
    ];

    /// Whether groups of a fair queue are noisy, for one metric more.
    const WATCHED: &[Self] = &[
        Self::Received,
        Self::Deleted,
        Self::OldestAge,
        Self::NoisyGroups,
    ];
    /// All of the groups, and the waiting messages beside those of the quiet ones.
    const NOISY: &[Self] = &[
        Self::Received,
        Self::Deleted,
        Self::OldestAge,
        Self::NoisyGroups,
        Self::QuietVisible,
        Self::QuietInFlight,
        Self::QuietOldestAge,
        Self::Visible,
    ];
    const GROUPS_HISTORY: &[Self] = &[
        Self::Received,
        Self::Deleted,
        Self::OldestAge,
        Self::NoisyGroups,
        Self::QuietVisible,
        Self::QuietInFlight,
        Self::QuietOldestAge,
        Self::Visible,
        Self::InFlight,
    ];

    /// What to ask of `queue`. A FIFO queue has no noisy groups.
    pub(super) fn of(queue: &QueueRef, with_history: bool, groups: GroupDetail) -> &'static [Self] {
        match (queue.is_fifo(), with_history, groups) {
            (true, false, _) => Self::FIFO,
            (true, true, _) => Self::FIFO_HISTORY,
            (false, false, GroupDetail::None) => Self::STANDARD,
            (false, false, GroupDetail::Watched) => Self::WATCHED,
            (false, false, GroupDetail::Noisy) => Self::NOISY,
            (false, true, GroupDetail::None) => Self::STANDARD_HISTORY,
            (false, true, GroupDetail::Watched | GroupDetail::Noisy) => Self::GROUPS_HISTORY,
        }
    }
}

/// What `source` tells of the last half hour of `queue`, its groups included, asked once, as a server does
/// that starts at `now`, a time since the Unix epoch.
///
/// # Errors
/// When it does not tell.
pub async fn recent_minutes<M: MinuteSource>(
    source: &M,
    queue: &Arc<QueueRef>,
    now: Duration,
) -> Result<Vec<Minute>, FetchError> {
    let place = source.place(queue).map_err(|reason| FetchError::Failed {
        cause: reason.to_string(),
    })?;
    let until = Duration::from_secs(now.as_secs() / 60 * 60);
    let call = MinuteCall {
        from: until.saturating_sub(HISTORY),
        until,
        queues: vec![(
            Arc::clone(queue),
            Metric::of(queue, true, GroupDetail::Noisy),
        )],
    };
    let told = source.fetch(&place, &call).await?;
    Ok(told.into_iter().next().unwrap_or_default())
}

/// Why minutes could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The identity may not read them.
    #[error("CloudWatch does not let this identity read metrics ({code}: {message})")]
    NoPermission {
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// Too many calls.
    #[error("CloudWatch throttles ({code})")]
    Throttled {
        /// The error code.
        code: String,
    },
    /// A call that is not taken as it is.
    #[error("CloudWatch refuses the call ({code}: {message})")]
    Invalid {
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// Everything else.
    #[error("CloudWatch cannot be read: {cause}")]
    Failed {
        /// What went wrong.
        cause: String,
    },
    /// No answer in time.
    #[error("CloudWatch has not answered for {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
}
