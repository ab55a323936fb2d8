//! The local server seen by the AWS SDK over real HTTP.

mod faults;
mod server;
mod support;
