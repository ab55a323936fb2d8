//! `sluice serve` as a process while what it depends on fails, KEDA comes and goes, and copies of it die. Each run is kept
//! second by second, judged as a whole, and printed: `cargo test --test chaos -- --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_cmp,
    reason = "clippy counts only the test functions themselves as tests, the table is what is shown, and counts are whole"
)]

mod answers;
mod copies;
mod faults;
mod hostile;
mod inside;
mod keda;
#[allow(dead_code, reason = "other tests collect outputs as well")]
#[path = "../planted/mod.rs"]
mod planted;
mod resources;
mod scaler;
mod soak;
mod storm;
mod surroundings;
mod watch;
mod wire;
mod world;
