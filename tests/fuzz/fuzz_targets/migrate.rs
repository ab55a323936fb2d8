//! Manifests of others: rewritten so that the way back gives the same bytes, or an error with the file's name.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_fuzz::migrate::{Direction, MigrateSettings, rewrite};

fuzz_target!(|text: &str| {
    let settings = |direction| MigrateSettings {
        direction,
        scaler_address: "sluice.keda.svc:9090".to_owned(),
    };
    match rewrite("orders.yaml", text, &settings(Direction::ToSluice)) {
        Ok(there) => {
            let back = rewrite("orders.yaml", &there.after, &settings(Direction::ToBuiltIn));
            let back = back.expect("what was migrated can be migrated back");
            // What was Sluice's before comes back as what it was migrated from.
            if there.is_changed() && !text.contains("external") {
                assert_eq!(back.after, text);
            }
        }
        Err(error) => assert!(error.to_string().starts_with("orders.yaml:")),
    }
});
