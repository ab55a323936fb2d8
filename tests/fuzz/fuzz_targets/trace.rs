//! A CSV of `minute,messages`: segments of finite rates, or an error with its line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_fuzz::simulation::trace;

fuzz_target!(|text: &str| {
    let _ = trace::parse("trace.csv", text, 1.0);
});
