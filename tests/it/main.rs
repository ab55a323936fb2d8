//! The scaler from outside: real gRPC against the real SDK against a real SQS over HTTP.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail where it stands"
)]

mod access;
mod demo;
mod doctor;
mod explain;
mod first_day;
mod help;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod layering;
mod leaving;
mod metadata;
mod migrate;
mod numbers;
mod outages;
#[path = "../planted/mod.rs"]
mod planted;
mod process;
mod protocol;
mod secrets;
mod sensing;
mod simulate;
mod status;
mod streams;
mod support;
mod tls;
#[cfg(feature = "otlp")]
mod traces;
