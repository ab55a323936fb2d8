//! Sluice answers KEDA for Amazon SQS queues: observe the queue, decide with a pure function, answer.
//!
//! In reading order:
//!
//! - [`local`]: a local SQS for development, tests and the demo

pub mod local;
