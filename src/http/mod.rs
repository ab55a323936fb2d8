//! The port for people and probes: health, readiness, metrics and status. It reads, and changes nothing.
//!
//! - `GET /healthz`: 200 while the process serves
//! - `GET /readyz`: 200 while KEDA may be sent here, 503 before and while draining
//! - `GET /metrics`: OpenMetrics text where that is accepted, else the older text format
//! - `GET /api/v1/...`: the status board as JSON, see [`crate::status`]
//! - `GET /`: the same as a page, live by `GET /events`

mod api;
mod page;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use clap::ValueEnum;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, status::Board};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether KEDA may be sent here. Starts as no.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether KEDA may be sent here from now on.
    pub fn set(&self, is_ready: bool) {
        self.0.store(is_ready, Ordering::Relaxed);
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What of the status board is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusPage {
    /// The page and the API.
    On,
    /// The API alone, which `sluice explain NAMESPACE/NAME` reads.
    Api,
    /// Neither.
    Off,
}

/// What the pages show.
#[derive(Debug, Clone)]
pub struct Pages {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether KEDA may be sent here.
    pub readiness: Readiness,
    /// What is known of every trigger.
    pub board: Arc<Board>,
    /// How much of that is shown.
    pub status_page: StatusPage,
}

/// Serves the pages until `shutdown` is cancelled, then ends the requests under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    pages: Pages,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let Pages {
        metrics,
        readiness,
        board,
        status_page,
    } = pages;
    let status = match status_page {
        StatusPage::On => {
            api::routes(Arc::clone(&board)).merge(page::routes(board, shutdown.clone()))
        }
        StatusPage::Api => api::routes(board),
        StatusPage::Off => Router::new(),
    };
    let routes = Router::new()
        .merge(status)
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(metrics_page).with_state(metrics));
    axum::serve(listener, routes)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, &'static str) {
    if readiness.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting or draining\n")
    }
}

/// OpenMetrics for who asks for it, as Prometheus does; the older text for everybody else.
async fn metrics_page(State(metrics): State<Arc<Metrics>>, headers: HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_asked = accepted.is_some_and(|accept| accept.contains("application/openmetrics-text"));
    let (kind, page) = if is_asked {
        (OPENMETRICS, metrics.text())
    } else {
        (PLAIN_TEXT, metrics.plain_text())
    };
    match page {
        Ok(page) => ([(CONTENT_TYPE, kind)], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
