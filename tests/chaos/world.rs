//! What the scaler depends on: a local SQS, CloudWatch and STS behind a wire that can be broken, and credentials that
//! expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_sqs::primitives::{DateTime, DateTimeFormat};
use axum::http::StatusCode;
use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use sluice::clock::EpochClock;
use sluice::local::{Control, FaultAction, FaultRule, LocalServer};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::planted::secrets::SECRET;
use crate::wire::Wire;

pub(crate) const QUEUE: &str = "orders";
/// What waits in the queue, all the time.
pub(crate) const BACKLOG: i32 = 40;
/// Credentials are fetched anew ten seconds before they expire: with this, about every two seconds.
const CREDENTIALS_LAST: Duration = Duration::from_secs(12);

pub(crate) struct World {
    pub(crate) control: Control,
    /// To SQS and CloudWatch.
    pub(crate) wire: Wire,
    /// To STS.
    pub(crate) sts_wire: Wire,
    pub(crate) queue_url: String,
    pub(crate) credentials_fail: Arc<AtomicBool>,
    credentials_url: String,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let server = LocalServer::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let control = server.control();
        let address = server.endpoint().strip_prefix("http://").unwrap().parse();
        let address = address.unwrap();
        let queue_url = control.create_queue(QUEUE, &[]).unwrap();
        for number in 0..BACKLOG {
            control.send(QUEUE, &number.to_string()).unwrap();
        }
        let stop = CancellationToken::new();
        tokio::spawn(server.serve(stop.clone()));
        let credentials_fail = Arc::new(AtomicBool::new(false));
        Self {
            control,
            wire: Wire::to(vec![address]).await,
            sts_wire: Wire::to(vec![address]).await,
            queue_url,
            credentials_url: serve_credentials(credentials_fail.clone()).await,
            credentials_fail,
            stop,
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.wire.address)
    }

    /// As the environment of a pod names them.
    pub(crate) fn credentials_url(&self) -> &str {
        &self.credentials_url
    }

    pub(crate) fn fault(&self, operation: &str, action: FaultAction) {
        self.control.set_fault(FaultRule::on(operation, action));
    }

    pub(crate) fn asked(&self) -> u64 {
        self.control.requests("GetQueueAttributes")
    }
}

async fn serve_credentials(fail: Arc<AtomicBool>) -> String {
    let answer = async move || -> (StatusCode, Json<Value>) {
        if fail.load(Ordering::Relaxed) {
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({})));
        }
        let expires = EpochClock::start().at(Instant::now()) + CREDENTIALS_LAST;
        let expires = DateTime::from_secs(i64::try_from(expires.as_secs()).unwrap());
        let keys = json!({
            "AccessKeyId": "AKIALOCAL",
            "SecretAccessKey": SECRET,
            "Token": format!("{SECRET}-token"),
            "Expiration": expires.fmt(DateTimeFormat::DateTime).unwrap(),
        });
        (StatusCode::OK, Json(keys))
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let routes = Router::new().route("/keys", get(answer));
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    url
}
