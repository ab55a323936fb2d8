//! Answers the kubelet: `GET /health/live` is 200 while the receive loop goes round, `GET /health/ready` is 200 while
//! messages are received. Both are 503 with the reason otherwise. `GET /metrics` counts in OpenMetrics text.

use std::io;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::routing::get;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::metrics::Metrics;
use crate::progress::{Phase, Progress, TURN_MAX};
use crate::settings::HealthSettings;

/// The media type of metrics.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The health server cannot start. A worker without it would be restarted by the kubelet again and again.
#[derive(Debug, Error)]
#[error("cannot bind the health server to HEALTH_HOST {host:?} and HEALTH_PORT {port}")]
pub struct BindError {
    host: String,
    port: u16,
    #[source]
    source: io::Error,
}

/// What is answered from.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub progress: Progress,
    pub metrics: Metrics,
}

type Answer = (StatusCode, String);

/// Takes the port, so that a port that is in use ends the worker before it receives anything.
pub async fn bind(settings: &HealthSettings) -> Result<TcpListener, BindError> {
    let HealthSettings { host, port } = settings.clone();
    let listener = match TcpListener::bind((host.as_str(), port)).await {
        Ok(listener) => listener,
        Err(source) => return Err(BindError { host, port, source }),
    };
    let address = listener
        .local_addr()
        .map(|address| address.to_string())
        .unwrap_or_default();
    info!(address, "health server listens");
    Ok(listener)
}

/// Answers until `stopped`.
pub async fn serve(listener: TcpListener, seen: Seen, stopped: CancellationToken) {
    let routes = Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(seen.progress)
        .route("/metrics", get(metrics).with_state(seen.metrics));
    // The server ends with the process; it has no other end, and its accept errors it retries itself.
    let _ = stopped
        .run_until_cancelled(axum::serve(listener, routes).into_future())
        .await;
}

async fn live(State(progress): State<Progress>) -> Answer {
    match progress.stuck_for() {
        None => (StatusCode::OK, String::new()),
        Some(stuck) => unavailable(format!(
            "the receive loop has not gone round for {} s; {} s is too long\n",
            stuck.as_secs(),
            TURN_MAX.as_secs()
        )),
    }
}

async fn ready(State(progress): State<Progress>) -> Answer {
    match progress.phase() {
        Phase::Receiving => (StatusCode::OK, String::new()),
        Phase::Starting => unavailable("no receive has been answered yet\n".to_owned()),
        Phase::Failing => unavailable("the last receive failed; the log says why\n".to_owned()),
        Phase::Draining => unavailable("draining\n".to_owned()),
    }
}

async fn metrics(State(metrics): State<Metrics>) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, OPEN_METRICS)], metrics.text())
}

fn unavailable(reason: String) -> Answer {
    (StatusCode::SERVICE_UNAVAILABLE, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stuck_loop_is_not_live_and_says_for_how_long() {
        let progress = Progress::default();
        assert_eq!(live(State(progress.clone())).await.0, StatusCode::OK);
        tokio::time::advance(TURN_MAX * 2).await;
        let (status, reason) = live(State(progress)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reason.contains("120 s"), "{reason}");
    }

    #[tokio::test]
    async fn readiness_follows_the_phase_and_gives_a_reason() {
        let progress = Progress::default();
        assert_eq!(
            ready(State(progress.clone())).await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        progress.receiving();
        assert_eq!(
            ready(State(progress.clone())).await,
            (StatusCode::OK, String::new())
        );
        progress.draining();
        let (status, reason) = ready(State(progress)).await;
        assert_eq!(
            (status, reason.as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        );
    }

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = bind(&HealthSettings {
            host: "127.0.0.1".into(),
            port,
        })
        .await
        .unwrap_err();
        let text = format!(
            "cannot bind the health server to HEALTH_HOST \"127.0.0.1\" and HEALTH_PORT {port}"
        );
        assert_eq!(error.to_string(), text);
    }
}
