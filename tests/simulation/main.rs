//! The digital twin from outside: what holds in every step of any run, and that it does what KEDA, the
//! autoscaler and recorded runs did.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail where it stands"
)]

mod fidelity;
mod hints;
mod recorded;
mod replaced;
mod safety;
mod support;
