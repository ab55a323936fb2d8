//! The modules of the scaler that read bytes of strangers, as they are in its sources. They are pure, so
//! nothing else of it is needed.

#![allow(dead_code, unused_imports, missing_docs, reason = "parts of modules that are used as a whole elsewhere")]

#[path = "../../../src/queue/attributes.rs"]
pub mod attributes;
pub mod access;
pub mod local;
#[path = "../../../src/manifest/mod.rs"]
pub mod manifest;
#[path = "../../../src/migrate/mod.rs"]
pub mod migrate;
#[path = "../../../src/permissions.rs"]
pub mod permissions;
pub mod queue;
#[path = "../../../src/scaling/mod.rs"]
pub mod scaling;
#[path = "../../../src/simulation/mod.rs"]
pub mod simulation;
#[path = "../../../src/watched_files.rs"]
pub mod watched_files;
pub mod workloads;
