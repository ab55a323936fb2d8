//! A local SQS for development and tests, over the same HTTP protocol as the real one.

pub mod queue;
