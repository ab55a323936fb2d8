//! Whether a place answers, and when one that does not is asked again. Pure, but for what it logs.

use std::{
    mem::{Discriminant, discriminant},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    minute_source::{FetchError, Place},
    minutes::Due,
};

/// A place that refused us is asked again so much later: permissions are changed by people.
const PERMISSION_RETRY: Duration = Duration::from_mins(15);

/// A place that throttles or fails is asked again so much later, and each time twice as late.
const BACKOFF_FIRST: Duration = Duration::from_secs(30);
const BACKOFF_MAX: Duration = Duration::from_mins(15);

/// A place that failed and that nobody wants any more is forgotten after this time.
const PLACE_IDLE: Duration = Duration::from_hours(6);

/// A place that is being asked, or that failed.
#[derive(Debug, Default)]
pub(super) struct PlaceState {
    pub(super) is_asked: bool,
    trouble: Option<Trouble>,
}

#[derive(Debug)]
struct Trouble {
    reason: Arc<str>,
    kind: Discriminant<FetchError>,
    failures: u32,
    since: Instant,
    until: Instant,
}

impl PlaceState {
    pub(super) fn is_in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Whether it is too early to ask again.
    pub(super) fn is_left_alone(&self, now: Instant) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|trouble| now < trouble.until)
    }

    pub(super) fn is_forgotten(&self, now: Instant) -> bool {
        let idle = |trouble: &Trouble| now.saturating_duration_since(trouble.until) > PLACE_IDLE;
        self.trouble.as_ref().is_some_and(idle)
    }

    /// Tells a queue why it has no answer.
    pub(super) fn refuse(&self, due: &Due, now: Instant) {
        if let Some(trouble) = &self.trouble {
            due.entry.refuse(&trouble.reason, now);
        }
    }

    /// Notes a failure and tells the log when it is the first one of its kind.
    pub(super) fn fail(&mut self, place: &Place, error: &FetchError, now: Instant) {
        let before = self.trouble.take();
        let kind = discriminant(error);
        if before.as_ref().is_none_or(|trouble| trouble.kind != kind) {
            let (region, account) = (&place.region, &place.account);
            tracing::warn!(
                region, account, identity = ?place.identity, %error,
                "no minutes from CloudWatch: decisions do without them"
            );
        }
        let failures = before.as_ref().map_or(0, |trouble| trouble.failures);
        let pause = match error {
            FetchError::NoPermission { .. } => PERMISSION_RETRY,
            _ => BACKOFF_MAX.min(BACKOFF_FIRST.saturating_mul(1 << failures.min(10))),
        };
        self.trouble = Some(Trouble {
            reason: error.to_string().into(),
            kind,
            failures: failures + 1,
            since: before.map_or(now, |trouble| trouble.since),
            until: now + pause,
        });
    }

    /// Notes that the place answers, and tells the log when it did not before.
    pub(super) fn recover(&mut self, place: &Place) {
        if let Some(trouble) = self.trouble.take() {
            let seconds = trouble.since.elapsed().as_secs();
            let (region, account) = (&place.region, &place.account);
            tracing::info!(
                region,
                account,
                seconds,
                "minutes come from CloudWatch again"
            );
        }
    }
}
