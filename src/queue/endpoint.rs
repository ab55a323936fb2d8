//! What kind of place an endpoint is: AWS's own, this machine, one that nobody may be sent to, or another.
//! Pure; what a name resolves to is for `resolver.rs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// The endpoints of AWS itself end so.
const AWS_DOMAINS: [&str; 4] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
];

/// What an SQS endpoint of AWS is called: below the same domains anybody may have a load balancer or a
/// bucket.
const SQS_LABELS: [&str; 2] = ["sqs", "sqs-fips"];

/// Whether a trigger may name an endpoint on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackEndpoints {
    /// For stand-ins of SQS in development.
    Allowed,
    /// A pod shares this machine with whatever is beside it.
    Refused,
}

/// The kind of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointKind {
    /// SQS of AWS, by https.
    Aws,
    /// This machine, by its name or address.
    Loopback,
    /// An address that is only seen from within a machine or its network segment. Those that give away
    /// the credentials of a machine are among them.
    Reserved,
    /// Anywhere else: scheme, host and port in lower case.
    Other(String),
    /// No URL of http or https, or one with a user.
    Unreadable,
}

impl EndpointKind {
    /// The kind of `endpoint`, as the SDK would read it.
    pub fn of(endpoint: &str) -> Self {
        let Ok(uri) = endpoint.trim().parse::<Uri>() else {
            return Self::Unreadable;
        };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Self::Unreadable;
        };
        if !["http", "https"].contains(&scheme) || authority.as_str().contains('@') {
            return Self::Unreadable;
        }
        let host = authority.host().trim_end_matches('.').to_lowercase();
        if let Some(address) = address(&host) {
            return Self::of_address(address)
                .unwrap_or_else(|| Self::Other(origin(scheme, authority.as_str())));
        }
        if host == "localhost" || host.ends_with(".localhost") {
            return Self::Loopback;
        }
        let is_standard = scheme == "https" && matches!(authority.port_u16(), None | Some(443));
        if is_standard && is_sqs_of_aws(&host) {
            return Self::Aws;
        }
        Self::Other(origin(scheme, authority.as_str()))
    }

    /// The kind of an address, if it is one of its own.
    pub(super) fn of_address(address: IpAddr) -> Option<Self> {
        let address = plain(address);
        if address.is_loopback() {
            Some(Self::Loopback)
        } else if is_reserved(address) {
            Some(Self::Reserved)
        } else {
            None
        }
    }
}

/// Whether an endpoint is one of AWS, of whatever service.
pub(super) fn is_of_aws(endpoint: &str) -> bool {
    let after_scheme = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    let host = after_scheme.split(['/', ':']).next().unwrap_or_default();
    AWS_DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// `sqs.<region>.<domain>`, `<vpc endpoint>.sqs.<region>.vpce.<domain>`, or as they were called once:
/// `<region>.queue.<domain>` and `queue.<domain>`.
fn is_sqs_of_aws(host: &str) -> bool {
    let Some(domain) = AWS_DOMAINS.iter().find(|domain| host.ends_with(*domain)) else {
        return false;
    };
    let labels: Vec<&str> = host
        .strip_suffix(domain)
        .unwrap_or_default()
        .split('.')
        .collect();
    match labels.as_slice() {
        ["queue"] => true,
        [region, "queue"] => is_region(region),
        [service, region] => SQS_LABELS.contains(service) && is_region(region),
        [endpoint, service, region, "vpce"] => {
            endpoint.starts_with("vpce-") && SQS_LABELS.contains(service) && is_region(region)
        }
        _ => false,
    }
}

/// Words and a number, as `eu-west-1`. `sqs.s3` is a bucket of somebody.
fn is_region(label: &str) -> bool {
    let Some((words, number)) = label.rsplit_once('-') else {
        return false;
    };
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && words.contains('-') && words.split('-').all(is_word)
}

fn origin(scheme: &str, authority: &str) -> String {
    format!("{scheme}://{}", authority.to_lowercase())
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// The IPv4 address that an IPv6 address stands for, where it does (mapped, compatible, NAT64, 6to4).
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else {
        return address;
    };
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match six.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if !is_own(six) => four(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => four(high, low),
        _ => address,
    }
}

/// `::` and `::1` stand for themselves.
fn is_own(address: Ipv6Addr) -> bool {
    address.is_unspecified() || address.is_loopback()
}

fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            four.is_link_local()
                || four.octets().first() == Some(&0)
                || four.is_broadcast()
                || four.is_multicast()
        }
        IpAddr::V6(six) => {
            six.is_unspecified()
                || six.is_multicast()
                || six.is_unicast_link_local()
                // The metadata of EC2 and the credentials of EKS pods.
                || matches!(six.segments(), [0xfd00, 0xec2, ..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_is_told_from_what_anybody_may_have_at_aws() {
        let cases = [
            "https://sqs.eu-west-1.amazonaws.com",
            "https://SQS.eu-west-1.amazonaws.com:443/",
            "https://sqs-fips.us-gov-west-1.amazonaws.com",
            "https://sqs.cn-north-1.amazonaws.com.cn",
            "https://sqs.eu-west-1.api.aws",
            "https://vpce-0a1b-2c3d.sqs.eu-west-1.vpce.amazonaws.com",
            "https://eu-west-1.queue.amazonaws.com",
        ];
        for endpoint in cases {
            assert_eq!(EndpointKind::of(endpoint), EndpointKind::Aws, "{endpoint}");
        }
        let others = [
            "http://sqs.eu-west-1.amazonaws.com",
            "https://sqs.eu-west-1.amazonaws.com:8443",
            "https://sqs.eu-west-1.elb.amazonaws.com",
            "https://bucket.s3.amazonaws.com",
            "https://sqs.s3.amazonaws.com",
            "https://sqs.s3-eu-west-1.amazonaws.com",
            "https://vpce-svc-1.eu-west-1.vpce.amazonaws.com",
            "https://sqs.evil-amazonaws.com",
            "https://sqs.eu-west-1.amazonaws.com.evil.example",
        ];
        for endpoint in others {
            let kind = EndpointKind::of(endpoint);
            assert!(
                matches!(kind, EndpointKind::Other(_)),
                "{endpoint}: {kind:?}"
            );
        }
    }

    #[test]
    fn what_is_only_seen_from_within_is_told_in_every_spelling() {
        let reserved = [
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.170.23",
            "http://0.0.0.0:80",
            "http://[fe80::1]",
            "http://[fd00:ec2::254]",
            "http://[::]",
            "http://[::ffff:169.254.169.254]",
            "http://[64:ff9b::a9fe:a9fe]",
            "http://[2002:a9fe:a9fe::1]",
            "http://224.0.0.1",
        ];
        for endpoint in reserved {
            let kind = EndpointKind::of(endpoint);
            assert_eq!(kind, EndpointKind::Reserved, "{endpoint}");
        }
        let loopback = [
            "http://127.0.0.1:9324",
            "http://127.9.9.9",
            "http://[::1]:9324",
            "http://localhost:4566",
            "http://LOCALHOST.",
            "http://[::ffff:127.0.0.1]",
        ];
        for endpoint in loopback {
            let kind = EndpointKind::of(endpoint);
            assert_eq!(kind, EndpointKind::Loopback, "{endpoint}");
        }
        for endpoint in [
            "",
            "orders",
            "ftp://h",
            "http://user@h",
            "http://a b",
            "/path",
        ] {
            let kind = EndpointKind::of(endpoint);
            assert_eq!(kind, EndpointKind::Unreadable, "{endpoint:?}");
        }
    }
}
