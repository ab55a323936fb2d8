//! The digital twin: a queue, KEDA, the autoscaler and pods in virtual time, driven by the scaler's
//! real decision. It knows no clock, no network and no thread; the same seed gives the same run. Only
//! `command.rs` reads files, and only `progress.rs` writes to a terminal.

pub mod approximate;
pub mod arrivals;
pub mod behavior;
mod bound;
mod cloudwatch;
pub mod cluster;
pub mod command;
pub mod compare;
pub mod control;
pub mod csv;
mod demand;
mod fair_queue;
mod figures;
pub mod hpa;
pub mod keda;
pub mod leaderboard;
mod numbers;
mod object_spec;
pub mod outcome;
pub mod overrides;
mod pods;
pub mod policy;
pub mod progress;
mod queue;
mod random;
mod ranking;
pub mod report;
pub mod rivals;
pub mod scaled_object_file;
pub mod scenario;
pub mod scenario_file;
mod search;
pub mod spec;
mod table;
#[cfg(test)]
mod tenants_tests;
pub mod timeline;
pub mod told;
pub mod trace;
pub mod tuning;
mod waits;
pub mod work;
pub mod workloads;
pub mod world;
#[cfg(test)]
mod world_tests;
