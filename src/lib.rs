//! Sluice answers KEDA for Amazon SQS queues: observe the queue, decide with a pure function, answer.
//!
//! In reading order:
//!
//! - [`scaling`]: trigger metadata -> policy, observation -> backlog, both -> decision. Pure
//! - [`queue`]: where observations come from; only `queue/sqs.rs` names the SQS SDK
//! - [`cache`]: one observation per queue, whoever asks
//! - [`workloads`]: the objects that ask, where a cluster may be read; only `kubernetes.rs`, a cargo
//!   feature, names `kube`
//! - [`dead_letters`]: how full the queues of dead letters are, read rarely
//! - [`watchers`]: one watcher per queue, for those who wait for its work
//! - [`grpc`]: what KEDA sees; only this module names the types of its contract
//! - [`access`]: who may ask for what
//! - [`tls`]: certificates, taken anew while the scaler runs; only this module names `rustls`
//! - [`status`]: the board of what was seen and decided for every trigger, for pages to show
//! - [`http`]: health, readiness, metrics, the status page and its API
//! - [`service`]: puts the parts of `sluice serve` together, runs and drains them
//! - [`local`]: a local SQS for development, tests and the demo
//! - [`simulation`]: the same decision in a simulated world: queue, KEDA, autoscaler and pods in
//!   virtual time. Pure, but for what is printed
//! - [`ramp`]: what an autoscaler must be told for a wanted ramp
//! - [`history`]: a queue's past from `CloudWatch` as a trace for the simulation
//! - [`manifest`]: the objects of KEDA in files of YAML, each with its place
//! - [`migrate`]: manifests from `aws-sqs-queue` to Sluice and back, byte for byte
//! - [`permissions`]: what AWS must allow, as a policy
//! - [`demo`]: all of it at work on one machine, with worker processes as pods
//! - [`doctor`]: what scaling depends on, looked at, with what to do
//! - [`explain`]: the decision for a file's triggers, from one look at each queue
//! - [`client`]: asks a running server's port for people
//! - [`commands`]: what each command does, a file each
//! - [`cli`], [`clock`], [`telemetry`], [`traces`], [`shutdown`], [`metrics`], [`watched_files`]: the edges
//!
//! Dependencies point one way: `main -> commands -> service -> {grpc, http} -> {access, watchers} -> cache -> queue -> scaling`.
//! [`metrics`] and [`status`] are leaves beside that line, and `scaling` never uses them. `scaling` knows no AWS, no
//! gRPC and no clock. `decide` cannot fail: bad metadata stops in `trigger.rs`, a missing count
//! in `observation.rs`. Not knowing is an error, never zero.

pub mod access;
pub mod cache;
pub mod cli;
pub mod client;
pub mod clock;
pub mod commands;
pub mod dead_letters;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod grpc;
pub mod history;
pub mod http;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
pub mod local;
pub mod manifest;
pub mod metrics;
pub mod migrate;
pub mod permissions;
pub mod queue;
pub mod ramp;
pub mod scaling;
pub mod service;
pub mod shutdown;
pub mod simulation;
pub mod status;
pub mod telemetry;
pub mod tls;
pub mod traces;
pub mod watched_files;
pub mod watchers;
pub mod workloads;
