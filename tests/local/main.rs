//! The local server seen by the AWS SDK over real HTTP.

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod admin;
mod behaviours;
mod cloudwatch;
mod fairness;
mod faults;
mod server;
mod sts;
mod support;
