//! The digital twin: a queue, KEDA, the autoscaler and pods in virtual time. Pure: it knows no clock.

pub mod behavior;
pub mod hpa;
pub mod keda;
