//! What SQS, or what stands in for it, answers: lines of `name=value`. A count is a number or an error, and
//! never a zero that nobody wrote.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use sluice_fuzz::{
    attributes,
    scaling::{ScalingPolicy, decide},
};

fuzz_target!(|text: &str| {
    let given: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let seen = attributes::observation(|name| given.get(name).copied());
    if let Ok(0) = seen.visible {
        let written = given.get(attributes::VISIBLE).copied().unwrap_or_default();
        let digits = written.trim_start_matches(['+', '-']);
        assert!(!digits.is_empty() && digits.bytes().all(|digit| digit == b'0'), "{written:?}");
    }
    let policy = ScalingPolicy::default();
    if let Ok(backlog) = seen.backlog(&policy) {
        assert!(decide(&policy, &backlog, None).metric_value.is_finite());
    }
});
