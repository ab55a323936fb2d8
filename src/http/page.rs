//! The status page: one document with its style and script in it, which asks nobody but us.
//!
//! - `GET /`: the page
//! - `GET /events`: its rows as server-sent events, to at most 32 readers at once

use std::{
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderName, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{
        Html, IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{MissedTickBehavior, interval},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tokio_util::sync::CancellationToken;

use crate::status::{Board, Follower};

/// Pages that are open at once: each costs a pass over the board every two seconds.
const READERS_MAX: usize = 32;

/// Who is refused comes back after this many seconds.
const RETRY_SECONDS: u32 = 10;

/// How often a page hears of what has changed.
const NEWS_EVERY: Duration = Duration::from_secs(2);

/// News that wait for a slow reader. What is late is old, so there is no point in keeping more.
const UNSENT_MAX: usize = 1;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The page with its style and script in place.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("page/page.html")
        .replace("/*page.css*/", STYLE)
        .replace("/*page.js*/", SCRIPT)
});

/// Nothing runs and nothing is loaded but what is in the page; nobody may frame it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let mut policy = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'"
        .to_owned();
    for (kind, text) in [("style", STYLE), ("script", SCRIPT)] {
        let hash = BASE64_STANDARD.encode(Sha256::digest(text));
        // Writing into a string cannot fail.
        let _ = write!(policy, "; {kind}-src 'sha256-{hash}'");
    }
    policy
});

#[derive(Debug, Clone)]
struct Readers {
    board: Arc<Board>,
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// The page and its events, which end with `shutdown`.
pub(super) fn routes(board: Arc<Board>, shutdown: CancellationToken) -> Router {
    let readers = Readers {
        board,
        places: Arc::new(Semaphore::new(READERS_MAX)),
        shutdown,
    };
    Router::new()
        .route("/", get(page))
        .route("/events", get(events))
        .with_state(readers)
}

async fn page() -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, &POLICY),
        (CACHE_CONTROL, "no-cache"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(PAGE.as_str())).into_response()
}

async fn events(State(readers): State<Readers>) -> Response {
    let Ok(place) = Arc::clone(&readers.places).try_acquire_owned() else {
        let text = format!("{READERS_MAX} pages are open already\n");
        let retry = [(RETRY_AFTER, RETRY_SECONDS.to_string())];
        return (StatusCode::SERVICE_UNAVAILABLE, retry, text).into_response();
    };
    let (sender, receiver) = mpsc::channel(UNSENT_MAX);
    tokio::spawn(tell(readers, sender, place));
    let events = ReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// Tells what has changed until the reader leaves or the scaler stops.
async fn tell(readers: Readers, sender: mpsc::Sender<Event>, _place: OwnedSemaphorePermit) {
    let mut follower = Follower::of(readers.board);
    let mut ticks = interval(NEWS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = readers.shutdown.cancelled() => return,
            () = sender.closed() => return,
            _ = ticks.tick() => {}
        }
        let Some(news) = follower.news() else {
            continue;
        };
        // A row that cannot be written as JSON would be a fault of ours; the page then stays as it is.
        let Ok(event) = Event::default().event("rows").json_data(news) else {
            continue;
        };
        let sent = tokio::select! {
            () = readers.shutdown.cancelled() => return,
            sent = sender.send(event) => sent,
        };
        if sent.is_err() {
            return;
        }
    }
}
