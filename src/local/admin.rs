//! The administrative endpoints under `/_sluice/`, described in the documentation of [`crate::local`].

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    faults::{FaultAction, FaultRule},
    local_queue::QueueSnapshot,
    server::App,
};

/// Time moves by no more than this at once; a year of minutes is enough for any test.
const ADVANCE_SECONDS_MAX: u64 = 366 * 86_400;

#[derive(Serialize)]
pub(crate) struct QueueState {
    visible_messages: u64,
    in_flight_messages: u64,
    delayed_messages: u64,
    oldest_age_seconds: Option<u64>,
    sent_messages: u64,
    received_messages: u64,
    deleted_messages: u64,
    dead_letter_messages: u64,
    expired_messages: u64,
    empty_receives: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    advance_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricDelay {
    delay_seconds: u64,
}

#[derive(Serialize)]
pub(crate) struct Now {
    unix_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    operation: Option<String>,
    queue: Option<String>,
    requests: Option<u64>,
    lasts_seconds: Option<u64>,
    action: Action,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Throttle,
    AccessDenied,
    ServerError(u16),
    LatencyMillis(u64),
    Hang,
    Garbage,
    DropConnection,
    MissingAttribute(String),
    AttributeValue { name: String, value: String },
    StaleCounts,
    ZeroCounts,
    ClockSkewSeconds(i64),
    PartialBatchFailure,
}

pub(crate) async fn queues(State(app): State<App>) -> Json<BTreeMap<String, QueueState>> {
    let now = app.shared.now();
    let mut account = app.shared.account();
    let states = account
        .queues
        .iter_mut()
        .map(|(name, queue)| (name.clone(), queue.snapshot(now).into()));
    Json(states.collect())
}

pub(crate) async fn requests(State(app): State<App>) -> Json<BTreeMap<&'static str, u64>> {
    Json(app.shared.requests().clone())
}

pub(crate) async fn advance_clock(
    State(app): State<App>,
    Json(request): Json<Advance>,
) -> Result<Json<Now>, (StatusCode, String)> {
    if request.advance_seconds > ADVANCE_SECONDS_MAX {
        let found = request.advance_seconds;
        let text =
            format!("advance_seconds: expected at most {ADVANCE_SECONDS_MAX}, found {found}");
        return Err((StatusCode::BAD_REQUEST, text));
    }
    app.shared
        .advance_clock(Duration::from_secs(request.advance_seconds));
    Ok(Json(Now {
        unix_seconds: app.shared.now().as_secs(),
    }))
}

pub(crate) async fn set_metric_delay(
    State(app): State<App>,
    Json(request): Json<MetricDelay>,
) -> StatusCode {
    app.shared.metrics().delay = Duration::from_secs(request.delay_seconds);
    StatusCode::NO_CONTENT
}

pub(crate) async fn set_fault(State(app): State<App>, Json(rule): Json<Rule>) -> StatusCode {
    app.shared.faults().add(app.shared.now(), rule.into());
    StatusCode::NO_CONTENT
}

pub(crate) async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.shared.faults().clear();
    StatusCode::NO_CONTENT
}

impl From<QueueSnapshot> for QueueState {
    fn from(queue: QueueSnapshot) -> Self {
        Self {
            visible_messages: queue.visible,
            in_flight_messages: queue.in_flight,
            delayed_messages: queue.delayed,
            oldest_age_seconds: queue.oldest_age.map(|age| age.as_secs()),
            sent_messages: queue.sent,
            received_messages: queue.received,
            deleted_messages: queue.deleted,
            dead_letter_messages: queue.moved_to_dead_letters,
            expired_messages: queue.expired,
            empty_receives: queue.empty_receives,
        }
    }
}

impl From<Rule> for FaultRule {
    fn from(rule: Rule) -> Self {
        Self {
            operation: rule.operation,
            queue: rule.queue,
            action: rule.action.into(),
            remaining: rule.requests,
            lasts: rule.lasts_seconds.map(Duration::from_secs),
        }
    }
}

impl From<Action> for FaultAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Throttle => Self::Throttle,
            Action::AccessDenied => Self::AccessDenied,
            Action::ServerError(status) => Self::ServerError(status),
            Action::LatencyMillis(millis) => Self::Latency(Duration::from_millis(millis)),
            Action::Hang => Self::Hang,
            Action::Garbage => Self::Garbage,
            Action::DropConnection => Self::DropConnection,
            Action::MissingAttribute(name) => Self::MissingAttribute(name),
            Action::AttributeValue { name, value } => Self::AttributeValue { name, value },
            Action::StaleCounts => Self::StaleCounts,
            Action::ZeroCounts => Self::ZeroCounts,
            Action::ClockSkewSeconds(seconds) => Self::ClockSkew(seconds),
            Action::PartialBatchFailure => Self::PartialBatchFailure,
        }
    }
}
