//! Keeps the results that workers report, in a database that survives a restart, and tells them over HTTP.
//!
//! `POST /create/count` and `POST /kill/count` report one, `GET /get/count` lists all, `POST /reset` forgets them;
//! `GET /metrics` counts, and `GET /health/live` is 200 while the database answers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rusqlite::Connection;
use serde_json::json;
use tracing::{error, info};

use crate::date;
use crate::health::{self, OPEN_METRICS};
use crate::settings::{HealthSettings, LogSettings};
use crate::signals::Signals;

/// Results that are kept; beyond them the oldest go. It is the answer to one request, and must stay readable.
const RESULTS_MAX: i64 = 100_000;

/// Where results are kept and told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyzeSettings {
    pub listen: HealthSettings,
    pub database: PathBuf,
    pub log: LogSettings,
}

/// What a worker reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Processed,
    Killed,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Killed => "kill",
        }
    }
}

/// The results in their database.
#[derive(Debug, Clone)]
pub struct Results(Arc<Mutex<Connection>>);

impl Results {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS results (
                id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, number INTEGER NOT NULL, line TEXT NOT NULL
            )",
        )?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Keeps one more, on disk when this returns.
    pub fn add(&self, kind: Kind, at: std::time::Duration) -> rusqlite::Result<()> {
        let (word, moment) = (kind.word(), date::timestamp(at, ' '));
        // One lock from the count to the insertion: two reports never get the same number.
        let connection = self.lock();
        let number = count(&connection, kind)? + 1;
        connection.execute(
            "INSERT INTO results (kind, number, line) VALUES (?1, ?2, ?3)",
            (word, number, format!("{moment} - {word} count {number}")),
        )?;
        let last = connection.last_insert_rowid();
        connection.execute("DELETE FROM results WHERE id <= ?1", [last - RESULTS_MAX])?;
        Ok(())
    }

    /// How many were reported since the last reset, those no longer kept included.
    pub fn count(&self, kind: Kind) -> rusqlite::Result<i64> {
        count(&self.lock(), kind)
    }

    /// One line each, in their order.
    pub fn lines(&self) -> rusqlite::Result<Vec<String>> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT line FROM results ORDER BY id")?;
        query.query_map([], |row| row.get(0))?.collect()
    }

    /// Forgets all.
    pub fn reset(&self) -> rusqlite::Result<()> {
        self.lock().execute("DELETE FROM results", []).map(|_| ())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(connection: &Connection, kind: Kind) -> rusqlite::Result<i64> {
    let query = "SELECT COALESCE(MAX(number), 0) FROM results WHERE kind = ?1";
    connection.query_row(query, [kind.word()], |row| row.get(0))
}

/// Answers until a signal.
pub async fn run(settings: AnalyzeSettings) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let path = &settings.database;
    let results = Results::open(path).with_context(|| {
        let path = path.display();
        format!("cannot open the database SLUICE_WORKER_DATABASE \"{path}\"")
    })?;
    let listener = health::bind(&settings.listen).await?;
    let stopped = async move {
        let signal = signals.next().await;
        info!(signal, "stopping");
    };
    axum::serve(listener, routes(results))
        .with_graceful_shutdown(stopped)
        .await?;
    Ok(())
}

fn routes(results: Results) -> Router {
    Router::new()
        .route("/create/count", post(processed))
        .route("/kill/count", post(killed))
        .route("/get/count", get(lines))
        .route("/reset", post(reset))
        .route("/metrics", get(metrics))
        .route("/health/live", get(live))
        .route("/health/ready", get(live))
        .with_state(results)
}

async fn processed(State(results): State<Results>) -> Response {
    let added = on_disk(move || results.add(Kind::Processed, date::now())).await;
    told(added, |()| json!({ "message": "Count incremented" }))
}

async fn killed(State(results): State<Results>) -> Response {
    let added = on_disk(move || results.add(Kind::Killed, date::now())).await;
    told(added, |()| json!({ "message": "Kill incremented" }))
}

async fn lines(State(results): State<Results>) -> Response {
    told(on_disk(move || results.lines()).await, |lines| json!(lines))
}

async fn reset(State(results): State<Results>) -> Response {
    let reset = on_disk(move || results.reset()).await;
    told(reset, |()| json!({ "message": "Reset Successfully" }))
}

async fn live(State(results): State<Results>) -> Response {
    let counted = on_disk(move || results.count(Kind::Processed)).await;
    told(counted, |_| json!({ "status": "ok" }))
}

async fn metrics(State(results): State<Results>) -> Response {
    let counted = on_disk(move || {
        Ok((
            results.count(Kind::Processed)?,
            results.count(Kind::Killed)?,
        ))
    });
    match counted.await {
        Ok(counts) => ([(CONTENT_TYPE, OPEN_METRICS)], text(counts)).into_response(),
        Err(error) => told(Err(error), |()| json!({})),
    }
}

fn text((processed, killed): (i64, i64)) -> String {
    let (mut registry, mut text) = (Registry::with_prefix("sluice_worker"), String::new());
    let gauges = [
        (
            "results_processed",
            "Messages reported as processed",
            processed,
        ),
        ("results_killed", "Workers reported as killed", killed),
    ];
    for (name, help, count) in gauges {
        let gauge: Gauge = Gauge::default();
        gauge.set(count);
        registry.register(name, help, gauge);
    }
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    text
}

/// A write waits for the disk, which must not hold up other requests.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> rusqlite::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

fn told<T>(result: anyhow::Result<T>, tell: impl Fn(T) -> serde_json::Value) -> Response {
    match result {
        Ok(result) => Json(tell(result)).into_response(),
        Err(error) => {
            error!(error = format!("{error:#}"), "the database failed");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                Json(json!({ "error": "the database failed" })),
            )
                .into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn given_results() -> Results {
        Results::open(Path::new(":memory:")).unwrap()
    }

    #[test]
    fn each_kind_is_counted_by_itself_and_all_are_listed_in_order() {
        let results = given_results();
        let at = Duration::from_secs(1_735_689_599);
        for kind in [Kind::Processed, Kind::Killed, Kind::Processed] {
            results.add(kind, at).unwrap();
        }
        assert_eq!(
            results.lines().unwrap(),
            [
                "2024-12-31 23:59:59 - processed count 1",
                "2024-12-31 23:59:59 - kill count 1",
                "2024-12-31 23:59:59 - processed count 2",
            ]
        );
        results.reset().unwrap();
        assert_eq!(results.count(Kind::Processed).unwrap(), 0);
        assert!(results.lines().unwrap().is_empty());
    }
}
