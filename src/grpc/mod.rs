//! What KEDA sees: the five RPCs of its external scaler contract.

mod activity;
mod connection;
mod convert;
mod incoming;
mod judge;
mod limits;
mod live_trigger;
mod live_triggers;
mod scaler;
mod server;
mod streams;

pub use incoming::Doors;
pub use limits::Limits;
pub use scaler::{Eyes, ScalerService, ScalerSettings};
pub use server::{router, start_health, stop_health};

/// The generated types and services of `proto/externalscaler.proto`.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    reason = "generated"
)]
pub mod proto {
    tonic::include_proto!("externalscaler");

    /// The descriptor set of the contract, for reflection.
    pub const DESCRIPTOR_SET: &[u8] =
        tonic::include_file_descriptor_set!("externalscaler_descriptor");
}
