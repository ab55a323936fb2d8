//! The consumer of an SQS queue that scaling never hurts: it receives only what it has room for, keeps what it works on
//! hidden from others, deletes only what is done, and hands back the rest when it is told to stop.
//!
//! As a library, with an async function or a type that is a [`Handler`](handlers::Handler):
//!
//! ```no_run
//! use std::sync::Arc;
//! use sluice_worker::consume::Consumer;
//! use sluice_worker::handlers::HandlerError;
//! use sluice_worker::message::Message;
//! use sluice_worker::queue::Queue;
//! use sluice_worker::settings::QueueSettings;
//! use tokio_util::sync::CancellationToken;
//!
//! async fn charge(message: Arc<Message>) -> Result<(), HandlerError> {
//!     println!("{}: {}", message.id, message.body);
//!     Ok(())
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
//! let queue = Queue::connect(&QueueSettings::new(url)).await?;
//! let draining = CancellationToken::new();
//! let stop = draining.clone();
//! tokio::spawn(async move {
//!     let _ = tokio::signal::ctrl_c().await;
//!     stop.cancel();
//! });
//! Consumer::new(queue, charge).run(draining).await?;
//! # Ok(())
//! # }
//! ```
//!
//! In reading order:
//! - [`cli`]: flags and environment variables -> checked, typed [`settings`]
//! - [`service`]: composition: signals, health, queue, consumer; the one file that names every module
//! - [`consume`]: one consumer from its first receive to the end of its drain
//! - [`receive`]: the loop that receives when there is room, and backs off when SQS fails
//! - [`process`]: one message from its receive to its delete
//! - [`handlers`]: what is done with a message
//! - [`web`], [`s3_signer`], [`date`]: what handlers ask others with
//! - [`heartbeat`]: keeps a message hidden while it is worked on
//! - [`release`]: gives messages that are not done to other consumers, at once or after a wait
//! - [`outbox`]: gathers deletes and visibility changes into batches, and repeats what failed
//! - [`batch`], [`remedy`], [`backoff`], [`message`]: pure: what a batch answer means, what helps against an error, how
//!   long to wait, what a message is
//! - [`queue`]: SQS; the only module that names its SDK
//! - [`causes`]: the text of an error with its causes
//! - [`metrics`]: what is counted
//! - [`cluster`]: the API server of Kubernetes; [`deletion_cost`] tells it how busy the pod is
//! - [`produce`], [`redrive`], [`analyze`], [`send`]: the other modes: send messages, move dead letters back, keep the
//!   results that workers report, serve a page that sends
//! - [`health`], [`progress`], [`signals`], [`telemetry`]: what the platform sees of the process
//!
//! Three promises, in this order: no message is deleted before its handler succeeded; no message that was received is
//! forgotten, whatever ends the process in an orderly way; a message is given to a second consumer only when the first
//! has let it go or died.

pub mod analyze;
pub mod backoff;
pub mod batch;
pub mod causes;
pub mod cli;
pub mod cluster;
pub mod consume;
pub mod date;
pub mod deletion_cost;
pub mod handlers;
pub mod health;
pub mod heartbeat;
pub mod message;
pub mod metrics;
pub mod outbox;
pub mod process;
pub mod produce;
pub mod progress;
pub mod queue;
pub mod receive;
pub mod redrive;
pub mod release;
pub mod remedy;
pub mod s3_signer;
pub mod send;
pub mod service;
pub mod settings;
pub mod signals;
pub mod telemetry;
pub mod web;
