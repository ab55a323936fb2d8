//! The status board as JSON. Its types are documented in [`crate::status`].
//!
//! - `GET /api/v1/queues`: a [`QueueList`]
//! - `GET /api/v1/scaledobjects`: a [`ScaledObjectList`]
//! - `GET /api/v1/scaledobjects/{namespace}/{name}`: a
//!   [`ScaledObjectReport`](crate::status::ScaledObjectReport), or 404 with `{"error": "..."}`

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use crate::status::{Board, QueueList, ScaledObjectList};

pub(super) fn routes(board: Arc<Board>) -> Router {
    Router::new()
        .route("/api/v1/queues", get(queues))
        .route("/api/v1/scaledobjects", get(scaledobjects))
        .route(
            "/api/v1/scaledobjects/{namespace}/{name}",
            get(scaledobject),
        )
        .with_state(board)
}

async fn queues(State(board): State<Arc<Board>>) -> Json<QueueList> {
    Json(board.queues())
}

async fn scaledobjects(State(board): State<Arc<Board>>) -> Json<ScaledObjectList> {
    Json(board.scaledobjects())
}

async fn scaledobject(
    State(board): State<Arc<Board>>,
    Path((namespace, name)): Path<(String, String)>,
) -> Response {
    if let Some(object) = board.scaledobject(&namespace, &name) {
        return Json(object).into_response();
    }
    let unknown = || format!("{namespace}/{name} has not asked within the last hour");
    let rejection = board.rejection(&namespace, &name);
    let error = rejection.unwrap_or_else(unknown);
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}
