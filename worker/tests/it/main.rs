//! The worker as a real process against a scripted SQS and the local SQS of Sluice, on loopback: what goes over the wire, what is printed, and how it
//! ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy counts only the test functions themselves as tests, not what they are made of"
)]

mod api_server;
mod chaos;
mod consuming;
mod deleting;
mod draining;
mod failing;
mod fifo;
mod gate;
mod handling;
mod library;
mod local_sqs;
mod long_work;
mod measuring;
mod modes;
mod once;
#[path = "../../../tests/planted/secrets.rs"]
mod planted;
mod readme;
mod releasing;
mod scripted_sqs;
mod sending;
mod starting;
mod worker;
