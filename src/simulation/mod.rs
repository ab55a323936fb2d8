//! The digital twin: a queue, KEDA, the autoscaler and pods in virtual time, driven by the scaler's
//! real decision. It knows no clock, no network and no thread; the same seed gives the same run.

pub mod approximate;
pub mod arrivals;
pub mod behavior;
mod cloudwatch;
pub mod compare;
pub mod control;
pub mod hpa;
pub mod keda;
mod numbers;
pub mod outcome;
pub mod pods;
pub mod policy;
mod queue;
mod random;
pub mod rivals;
pub mod trace;
mod waits;
pub mod work;
pub mod workloads;
pub mod world;
#[cfg(test)]
mod world_tests;
