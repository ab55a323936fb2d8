//! YAML of ScaledObjects, several to a file, and the scenario files of the simulation.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_fuzz::simulation::scaled_object_file;

fuzz_target!(|text: &str| {
    let _ = scaled_object_file::parse("orders.yaml", text);
});
