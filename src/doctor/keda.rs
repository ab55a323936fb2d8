//! Which KEDA there is, and what that means.

use anyhow::Error;

use super::{Finding, metrics_text::Metrics};
use crate::client;

const CHECK: &str = "keda-version";

/// What a version before each of these cannot do, the oldest first.
const NEEDS: [(Version, Need, &str); 4] = [
    (
        Version(2, 15, 1),
        Need::Must,
        "it finds no second copy of Sluice, and may keep an address that is gone",
    ),
    (
        Version(2, 17, 0),
        Need::Should,
        "it knows no fractions: replicas are rounded up",
    ),
    (
        Version(2, 18, 0),
        Need::Should,
        "a push of inactivity puts a workload to sleep without asking its other triggers",
    ),
    (
        Version(2, 20, 0),
        Need::Should,
        "an object that is created while Sluice is down gets an autoscaler by CPU, for good",
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Must,
    Should,
}

/// Asks KEDA's operator for its metrics, or draws what can be drawn from its calls.
pub(super) async fn examine(metrics: Option<&str>, has_metric_spec_streams: bool) -> Finding {
    let Some(url) = metrics else {
        return by_calls(has_metric_spec_streams);
    };
    match client::get(url, "/metrics").await {
        Ok((200, page)) => match Metrics::parse(&page).label("keda_build_info", "version") {
            Some(version) => finding(version),
            None => unknown(url, "there is no keda_build_info among its metrics"),
        },
        Ok((status, _)) => unknown(url, &format!("/metrics answers {status}")),
        Err(error) => unknown(url, &format!("{:#}", Error::from(error))),
    }
}

fn unknown(url: &str, found: &str) -> Finding {
    Finding::unknown(CHECK, found).of(url).remedy(
        "--keda-metrics is the operator's port for Prometheus: http://keda-operator.keda.svc:8080, or \
         http://127.0.0.1:8081 after kubectl -n keda port-forward deploy/keda-operator 8081:8080",
    )
}

fn by_calls(has_metric_spec_streams: bool) -> Finding {
    if has_metric_spec_streams {
        return Finding::ok(CHECK, "2.21 or later: it opens streams of metric specs");
    }
    Finding::unknown(CHECK, "nothing tells it").remedy(
        "ask KEDA's operator: --keda-metrics http://keda-operator.keda.svc:8080, or kubectl -n keda get deploy \
         keda-operator -o wide",
    )
}

fn finding(text: &str) -> Finding {
    let Some(version) = Version::parse(text) else {
        return Finding::unknown(CHECK, format!("{text:?}, which is no release"));
    };
    let lacks: Vec<_> = NEEDS
        .iter()
        .filter(|(since, ..)| version < *since)
        .collect();
    let words: Vec<&str> = lacks.iter().map(|(_, _, lack)| *lack).collect();
    let found = format!("{text}: {}", words.join("; "));
    let remedy = "upgrade KEDA to 2.20 or later";
    if lacks.is_empty() {
        Finding::ok(CHECK, text)
    } else if lacks.iter().any(|(_, need, _)| *need == Need::Must) {
        Finding::problem(CHECK, found).remedy(remedy)
    } else {
        Finding::warning(CHECK, found).remedy(remedy)
    }
}

impl Version {
    /// `2.20.2`, `v2.20.2` or `2.20`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split(['-', '+']).next()?;
        let mut parts = text.split('.').map(str::parse);
        let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
        let patch = parts.next().unwrap_or(Ok(0)).ok()?;
        Some(Self(major, minor, patch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Severity;

    #[test]
    fn an_old_keda_is_told_with_what_it_cannot_do() {
        for (version, severity, part) in [
            ("2.15.0", Severity::Problem, "an address that is gone"),
            ("v2.16.1", Severity::Warning, "knows no fractions"),
            ("2.17.3", Severity::Warning, "puts a workload to sleep"),
            ("2.19", Severity::Warning, "by CPU, for good"),
            ("2.20.0", Severity::Ok, "2.20.0"),
            ("v2.21.0-rc1", Severity::Ok, "v2.21.0-rc1"),
            ("main", Severity::Unknown, "no release"),
        ] {
            let finding = finding(version);
            assert_eq!(finding.severity, severity, "{version}");
            assert!(finding.found.contains(part), "{}", finding.found);
        }
    }
}
