//! Faults that come instead of an answer, or before it, whatever the service.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::Response,
};

use super::response;
use crate::local::{faults::FaultAction, server::App};

/// What a client gets instead of an answer.
#[derive(Debug)]
pub(super) enum Interruption {
    Throttled,
    Denied,
    Failed(u16),
    /// An answer that is none, in any format.
    Broken(Response<Body>),
}

/// Does what the faults say before the answer; the first that prevents it ends the request.
pub(super) async fn interrupt(app: &App, actions: &[FaultAction]) -> Option<Interruption> {
    for action in actions {
        match action {
            FaultAction::Throttle => return Some(Interruption::Throttled),
            FaultAction::AccessDenied => return Some(Interruption::Denied),
            FaultAction::ServerError(status) => return Some(Interruption::Failed(*status)),
            FaultAction::Garbage => return Some(Interruption::Broken(garbage())),
            FaultAction::DropConnection => return Some(Interruption::Broken(cut_off())),
            FaultAction::Latency(delay) => pause(app, *delay).await,
            FaultAction::Hang => {
                app.shutdown.cancelled().await;
                return Some(Interruption::Failed(503));
            }
            _ => {}
        }
    }
    None
}

async fn pause(app: &App, delay: Duration) {
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = app.shutdown.cancelled() => {}
    }
}

fn garbage() -> Response<Body> {
    response(200, "application/x-amz-json-1.0", "<not json>")
}

/// An answer that promises a body and breaks off before it comes.
fn cut_off() -> Response<Body> {
    let cut = tokio_stream::once(Err::<Bytes, _>(io::Error::from(
        io::ErrorKind::ConnectionReset,
    )));
    Response::new(Body::from_stream(cut))
}
