//! The board in rows for the status page, and what of them is news to one who has seen it before.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;

use super::{
    board::{Board, LISTED_MAX},
    report::{PolicyMode, PolicyReport},
    trigger_status::TriggerStatus,
    trouble::Trouble,
    words,
};
use crate::scaling::ScalingDecision;

/// What has changed since the last news. The page and the server are of one version, so this may change.
#[derive(Debug, Serialize)]
pub struct News {
    /// Whether these are all rows, as at first.
    pub is_all: bool,
    /// Rows that are new, or not as they were.
    pub rows: Vec<Row>,
    /// The ids of rows that are gone.
    pub gone: Vec<String>,
    /// Triggers beyond the limit of a list.
    pub left_out: usize,
}

/// One trigger in a line.
#[derive(Debug, Serialize)]
pub struct Row {
    id: String,
    namespace: String,
    name: String,
    queue: String,
    region: String,
    trouble: Trouble,
    mode: PolicyMode,
    observation_age_seconds: Option<f64>,
    visible_messages: Option<i64>,
    in_flight_messages: Option<i64>,
    oldest_age_seconds: Option<f64>,
    target_wait_seconds: Option<f64>,
    replicas: Option<f64>,
    plain_replicas: Option<f64>,
    law_replicas: Option<f64>,
    ready_replicas: Option<u32>,
    bound_by: Option<&'static str>,
    /// Messages of the last hour, oldest first.
    backlog: Vec<i64>,
}

/// Follows the board, and remembers what it has told.
#[derive(Debug)]
pub struct Follower {
    board: Arc<Board>,
    told: Option<HashMap<u64, (u64, Trouble)>>,
}

impl Follower {
    /// One who has not seen anything yet.
    pub fn of(board: Arc<Board>) -> Self {
        Self { board, told: None }
    }

    /// What has changed; nothing when that is nothing. At first it is everything.
    pub fn news(&mut self) -> Option<News> {
        let now = self.board.now();
        let mut live = self.board.live();
        let left_out = live.len().saturating_sub(LISTED_MAX);
        live.truncate(LISTED_MAX);
        let is_all = self.told.is_none();
        let told = self.told.get_or_insert_default();
        let mut rows = Vec::new();
        for status in &live {
            let (changes, trouble) = (status.changes(), words::trouble_now(status, now));
            if told.insert(status.number, (changes, trouble)) != Some((changes, trouble)) {
                rows.push(Row::of(status, trouble, now));
            }
        }
        let alive: HashSet<u64> = live.iter().map(|status| status.number).collect();
        let gone: Vec<u64> = told
            .keys()
            .filter(|id| !alive.contains(id))
            .copied()
            .collect();
        told.retain(|id, _| alive.contains(id));
        let is_news = is_all || !rows.is_empty() || !gone.is_empty();
        is_news.then(|| News {
            is_all,
            rows,
            gone: gone.iter().map(u64::to_string).collect(),
            left_out,
        })
    }
}

impl Row {
    fn of(status: &TriggerStatus, trouble: Trouble, now: Duration) -> Self {
        let (namespace, name, region, queue) = status.place();
        let state = status.lock();
        let last = state.last.as_ref();
        let decision = last.map(|look| &look.decision);
        let policy = decision.map_or(&status.trigger.policy, |decision| &decision.policy);
        let PolicyReport {
            mode,
            target_wait_seconds,
            ..
        } = PolicyReport::of(policy);
        let law = decision.and_then(|decision| decision.law);
        let backlog = state.history.since_an_hour(now);
        Self {
            id: status.number.to_string(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            queue: queue.to_owned(),
            region: region.to_owned(),
            trouble,
            mode,
            observation_age_seconds: last.map(|look| now.saturating_sub(look.at).as_secs_f64()),
            visible_messages: last.and_then(|look| look.observation.visible.clone().ok()),
            in_flight_messages: last.and_then(|look| look.observation.in_flight.clone().ok()),
            oldest_age_seconds: law
                .and_then(|law| law.estimate.oldest)
                .map(|oldest| oldest.age.as_secs_f64()),
            target_wait_seconds,
            replicas: decision.and_then(ScalingDecision::replicas),
            plain_replicas: decision.and_then(ScalingDecision::plain_replicas),
            law_replicas: law.map(|law| law.replicas.ceil()),
            ready_replicas: last.and_then(|look| look.ready_replicas),
            bound_by: decision.map(|decision| decision.bound_by.name()),
            backlog: backlog.map(|moment| i64::from(moment.visible)).collect(),
        }
    }
}
