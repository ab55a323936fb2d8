//! Kinds of endpoints.

#[path = "../../../src/queue/endpoint.rs"]
mod endpoint;

pub use endpoint::{EndpointKind, LoopbackEndpoints};
