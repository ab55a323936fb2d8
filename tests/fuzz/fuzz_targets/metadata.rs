//! Metadata of a trigger: lines of `key=value`. It is understood or refused, and what is refused is said
//! without a secret.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use sluice_fuzz::scaling::{Identity, Trigger};

const SECRET: &str = "planted-secret-7c1f";

fuzz_target!(|text: &str| {
    let mut metadata: HashMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    metadata.insert("awsSecretAccessKeyFromEnv".to_owned(), SECRET.to_owned());
    metadata.insert("awsExternalId".to_owned(), SECRET.to_owned());
    match Trigger::parse(&metadata) {
        Err(error) => assert!(!format!("{error} {error:?}").contains(SECRET)),
        Ok(trigger) => {
            let trigger = trigger.asked_by(text, text);
            assert!(!format!("{trigger:?}").contains(SECRET));
            assert!(!trigger.metric_name.is_empty());
            if let Identity::Role(role) = &trigger.queue.identity {
                assert!(role.session.len() <= 64 && role.account().is_some());
            }
        }
    }
});
