//! A file of rules, and an endpoint of a trigger after its last line: neither makes the scaler fail, and no
//! endpoint of a reserved address is taken for anything else.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use sluice_fuzz::{
    access::Rules,
    queue::{EndpointKind, LoopbackEndpoints},
};

fuzz_target!(|text: &str| {
    let (rules, endpoint) = text.rsplit_once('\n').unwrap_or((text, text));
    let _ = Rules::parse(rules, LoopbackEndpoints::Refused);
    let kind = EndpointKind::of(endpoint);
    if let Ok(IpAddr::V4(address)) = endpoint.parse::<IpAddr>() {
        for spelled in [format!("http://{address}"), format!("https://[::ffff:{address}]:1/x")] {
            let kind = EndpointKind::of(&spelled);
            assert_eq!(kind == EndpointKind::Loopback, address.is_loopback(), "{spelled}");
            if address.is_link_local() {
                assert_eq!(kind, EndpointKind::Reserved, "{spelled}");
            }
        }
    }
    if kind == EndpointKind::Aws {
        assert!(endpoint.to_lowercase().contains("sqs") || endpoint.contains("queue"));
    }
});
