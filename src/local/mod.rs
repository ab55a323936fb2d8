//! A local SQS for development and tests, with as much of `CloudWatch`, STS and S3 as its users need, over
//! the same HTTP protocols as the real ones. It needs no account, checks no credentials, keeps nothing on disk and listens on loopback unless told otherwise.
//!
//! ```sh
//! sluice local --listen 127.0.0.1:9324 --queue orders --queue payments.fifo
//! export AWS_ENDPOINT_URL=http://127.0.0.1:9324 AWS_REGION=us-east-1
//! export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
//! aws sqs send-message --queue-url orders --message-body hello
//! ```
//!
//! It tells the truth: counts, delay, visibility, order, receipts, dead letters and errors are those SQS
//! documents, and counts are exact at once where SQS only approximates. Standard queues are fair: a message
//! group with 30 messages and more than a tenth of all in flight is noisy and waits for the others, until it
//! is drained or was not noisy for five minutes. And it lies on command, by
//! [`FaultRule`]s. Both can be had over HTTP:
//!
//! | endpoint | does |
//! |---|---|
//! | `GET /_sluice/queues` | the true counts, the age of the oldest message and totals of every queue |
//! | `GET /_sluice/requests` | how many requests came for each operation |
//! | `POST /_sluice/clock` `{"advance_seconds": 3600}` | moves the server's time forward |
//! | `POST /_sluice/metrics` `{"delay_seconds": 90}` | sets how late the metrics of queues are published |
//! | `POST /_sluice/faults` | sets a rule: `{"operation": "GetQueueAttributes", "queue": "orders", "requests": 3, "lasts_seconds": 60, "action": "throttle"}`; all but `action` may be left out |
//! | `DELETE /_sluice/faults` | takes all rules away |
//!
//! Actions: `"throttle"`, `"access_denied"`, `{"server_error": 503}`, `{"latency_millis": 800}`, `"hang"`, `"garbage"`,
//! `"drop_connection"`, `{"missing_attribute": "ApproximateNumberOfMessages"}`,
//! `{"attribute_value": {"name": "ApproximateNumberOfMessages", "value": "NotInt"}}`, `"stale_counts"`,
//! `"zero_counts"`, `"partial_batch_failure"`, `{"clock_skew_seconds": 400}` (of the `Date` of all answers).
//!
//! `CloudWatch` has the metrics of `AWS/SQS`, the age of the oldest message and the noisy groups among them:
//! taken from the queues each minute, published 90 seconds late, kept for three hours. When the clock is moved, the minutes in
//! between are taken as well, so an hour of metrics takes no time.
//!
//! In reading order: `queue` is the pure structure, `account` all queues, `sqs` and `cloudwatch` the
//! operations, `http` and `server` the way to them, `faults`, `control` and `admin` the way behind them.

mod account;
mod admin;
mod attributes;
mod clock;
mod cloudwatch;
mod control;
mod faults;
mod http;
mod local_queue;
pub mod queue;
mod s3;
mod server;
mod settings;
mod sqs;
mod sts;

pub use self::{
    control::Control,
    faults::{FaultAction, FaultRule},
    local_queue::QueueSnapshot,
    server::LocalServer,
    settings::{LocalError, LocalSettings, run},
    sqs::SqsError,
};
