//! When certificates end.

use std::{fs, path::Path, time::Duration};

use super::Finding;
use crate::tls;

const CHECK: &str = "certificate";

const DAY: Duration = Duration::from_hours(24);

/// Who renews certificates does it weeks before; from here on nobody seems to.
const NOTABLE: Duration = Duration::from_hours(14 * 24);

/// A certificate that ends at `at`, seen at `now`, both since the Unix epoch.
pub(super) fn finding(at: Duration, now: Duration) -> Finding {
    let remedy = "renew it: with cert-manager look at its Certificate (kubectl describe certificate), by hand \
                  replace the files, which are read again by themselves";
    let days = at.abs_diff(now).as_secs() / DAY.as_secs();
    match at.checked_sub(now) {
        None | Some(Duration::ZERO) => {
            let found = format!("it ended {days} days ago: KEDA cannot connect");
            Finding::problem(CHECK, found).remedy(remedy)
        }
        Some(left) if left < NOTABLE => {
            Finding::warning(CHECK, format!("it ends in {days} days")).remedy(remedy)
        }
        Some(_) => Finding::ok(CHECK, format!("it is good for {days} more days")),
    }
}

/// The certificates of a file in PEM: the first that ends, and whether one is not yet good.
pub(super) fn examine(path: &Path, now: Duration) -> Finding {
    let finding = match read(path) {
        Ok(validity) => {
            let begins = validity.iter().map(|(begins, _)| *begins).max();
            let ends = validity.iter().map(|(_, ends)| *ends).min();
            match (begins, ends) {
                (Some(begins), _) if begins > now => Finding::problem(
                    CHECK,
                    format!("it begins in {} s only", begins.abs_diff(now).as_secs()),
                )
                .remedy("compare the clocks of this machine and of who signed it; else wait"),
                (_, Some(ends)) => finding(ends, now),
                _ => unreadable("there is none in it"),
            }
        }
        Err(fault) => unreadable(&fault),
    };
    finding.of(&path.display().to_string())
}

fn unreadable(fault: &str) -> Finding {
    Finding::problem(CHECK, format!("it cannot be read: {fault}"))
        .remedy("expected a file with BEGIN CERTIFICATE lines (PEM), readable by whoever runs this")
}

/// From when until when each certificate of a file is good.
fn read(path: &Path) -> Result<Vec<(Duration, Duration)>, String> {
    let text = fs::read(path).map_err(|error| error.to_string())?;
    tls::validity(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Severity;

    #[test]
    fn a_certificate_that_ends_soon_is_told_in_time() {
        let now = Duration::from_hours(500_000);
        for (at, severity) in [
            (now + 15 * DAY, Severity::Ok),
            (now + 13 * DAY, Severity::Warning),
            (now, Severity::Problem),
        ] {
            assert_eq!(finding(at, now).severity, severity);
        }
        let missing = examine(Path::new("no/such.pem"), now);
        assert_eq!(missing.severity, Severity::Problem);
        assert!(
            missing
                .to_string()
                .contains("no/such.pem: it cannot be read"),
            "{missing}"
        );
    }
}
