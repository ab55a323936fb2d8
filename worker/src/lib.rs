//! The consumer of an SQS queue that scaling never hurts: it receives only what it has room for, keeps what it works on
//! hidden from others, deletes only what is done, and hands back the rest when it is told to stop.
//!
//! In reading order:
//! - [`cli`]: flags and environment variables -> checked, typed [`settings`]
//! - [`service`]: composition: signals, health, queue, consumer; the one file that names every module
//! - [`consume`]: one consumer from its first receive to the end of its drain
//! - [`receive`]: the loop that receives when there is room, and backs off when SQS fails
//! - [`process`]: one message from its receive to its delete
//! - [`handlers`]: what is done with a message
//! - [`heartbeat`]: keeps a message hidden while it is worked on
//! - [`hand_back`]: gives messages to other consumers at once
//! - [`outbox`]: gathers deletes and visibility changes into batches, and repeats what failed
//! - [`batch`], [`backoff`], [`message`]: pure: what a batch answer means, how long to wait, what a message is
//! - [`queue`]: SQS; the only file that names its SDK
//! - [`causes`]: the text of an error with its causes
//! - [`health`], [`progress`], [`signals`], [`telemetry`]: what the platform sees of the process
//!
//! Three promises, in this order: no message is deleted before its handler succeeded; no message that was received is
//! forgotten, whatever ends the process in an orderly way; a message is given to a second consumer only when the first
//! has let it go or died.

pub mod backoff;
pub mod batch;
pub mod causes;
pub mod cli;
pub mod consume;
pub mod hand_back;
pub mod handlers;
pub mod health;
pub mod heartbeat;
pub mod message;
pub mod outbox;
pub mod process;
pub mod progress;
pub mod queue;
pub mod receive;
pub mod service;
pub mod settings;
pub mod signals;
pub mod telemetry;
