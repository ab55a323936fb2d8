//! A local SQS for development and tests, over the same HTTP protocol as the real one. It needs no
//! account, checks no credentials, keeps nothing on disk and listens on loopback unless told otherwise.
//!
//! ```sh
//! sluice local --listen 127.0.0.1:9324 --queue orders --queue payments.fifo
//! export AWS_ENDPOINT_URL=http://127.0.0.1:9324 AWS_REGION=us-east-1
//! export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
//! aws sqs send-message --queue-url orders --message-body hello
//! ```
//!
//! It tells the truth: counts, delay, visibility, order, receipts, dead letters and errors are those SQS
//! documents, and counts are exact at once where SQS only approximates. And it lies on command, by
//! [`FaultRule`]s. Both can be had over HTTP:
//!
//! | endpoint | does |
//! |---|---|
//! | `GET /_sluice/queues` | the true counts, the age of the oldest message and totals of every queue |
//! | `GET /_sluice/requests` | how many requests came for each operation |
//! | `POST /_sluice/clock` `{"advance_seconds": 3600}` | moves the server's time forward |
//! | `POST /_sluice/faults` | sets a rule: `{"operation": "GetQueueAttributes", "queue": "orders", "requests": 3, "lasts_seconds": 60, "action": "throttle"}`; all but `action` may be left out |
//! | `DELETE /_sluice/faults` | takes all rules away |
//!
//! Actions: `"throttle"`, `{"server_error": 503}`, `{"latency_millis": 800}`, `"hang"`, `"garbage"`,
//! `"drop_connection"`, `{"missing_attribute": "ApproximateNumberOfMessages"}`,
//! `{"attribute_value": {"name": "ApproximateNumberOfMessages", "value": "NotInt"}}`, `"stale_counts"`,
//! `"zero_counts"`, `"partial_batch_failure"`.
//!
//! In reading order: `queue` is the pure structure, `account` all queues, `sqs` the operations, `http` and
//! `server` the way to them, `faults`, `control` and `admin` the way behind them.

mod account;
mod admin;
mod attributes;
mod clock;
mod control;
mod faults;
mod http;
pub mod queue;
mod server;
mod settings;
mod sqs;

pub use self::{
    account::QueueSnapshot,
    control::Control,
    faults::{FaultAction, FaultRule},
    server::LocalServer,
    settings::{LocalError, LocalSettings, run},
    sqs::SqsError,
};
