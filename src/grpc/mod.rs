//! What KEDA sees: the five RPCs of its external scaler contract.

mod activity;
mod connection;
mod convert;
mod incoming;
mod judge;
mod limits;
mod live_trigger;
mod live_triggers;
mod metadata;
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

    /// The service and its requests as the server reads them: the entries of the metadata are left as the
    /// bytes that came, because nearly always the trigger is known.
    pub mod unread {
        include!(concat!(env!("OUT_DIR"), "/unread/externalscaler.rs"));
    }
}
