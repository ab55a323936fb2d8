//! The metadata keys that say how long a workload stays awake.

use super::{PolicyError, Wakefulness, law_keys::seconds, metadata::Metadata};

/// How long the workload stays awake, if the metadata says so. Where a law is obeyed, the time to
/// confirm that a queue is empty has a default.
pub(super) fn parse(
    metadata: Metadata<'_>,
    is_law_obeyed: bool,
) -> Result<Option<Wakefulness>, PolicyError> {
    let empty_confirm = seconds(metadata, "emptyConfirmSeconds", 0.0..=3_600.0);
    let keep_warm = seconds(metadata, "keepWarmSeconds", 0.0..=604_800.0);
    let (empty_confirm, keep_warm) = match (empty_confirm, keep_warm) {
        (Ok(empty_confirm), Ok(keep_warm)) => (empty_confirm, keep_warm),
        (Err(first), Err(second)) => return Err(PolicyError::Several(vec![first, second])),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let is_asked_for = is_law_obeyed || empty_confirm.is_some() || keep_warm.is_some();
    let default = Wakefulness::default();
    Ok(is_asked_for.then(|| Wakefulness {
        empty_confirm: empty_confirm.unwrap_or(default.empty_confirm),
        keep_warm: keep_warm.unwrap_or(default.keep_warm),
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scaling::Trigger;

    fn given_wakefulness(keys: &[(&str, &str)]) -> Result<Option<Wakefulness>, String> {
        let required = [("queueURL", "orders"), ("awsRegion", "eu-west-1")];
        let pairs = required.iter().chain(keys);
        let metadata = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let trigger = Trigger::parse(&metadata.collect()).map_err(|error| error.to_string())?;
        assert_eq!(trigger.warnings, []);
        Ok(trigger.policy.wakefulness)
    }

    fn kept(empty_confirm: u64, keep_warm: u64) -> Wakefulness {
        Wakefulness {
            empty_confirm: Duration::from_secs(empty_confirm),
            keep_warm: Duration::from_secs(keep_warm),
        }
    }

    #[test]
    fn without_a_key_of_ours_a_workload_sleeps_when_the_built_in_scaler_says_so() {
        assert_eq!(given_wakefulness(&[]), Ok(None));
        let shadow = [("targetWaitSeconds", "60"), ("mode", "shadow")];
        assert_eq!(given_wakefulness(&shadow), Ok(None));
    }

    #[test]
    fn a_target_wait_or_one_key_brings_the_default_of_the_other() {
        let cases = [
            (&[("targetWaitSeconds", "60")][..], kept(60, 0)),
            (&[("keepWarmSeconds", "900")], kept(60, 900)),
            (&[("emptyConfirmSeconds", "120")], kept(120, 0)),
            (
                &[("targetWaitSeconds", "60"), ("emptyConfirmSeconds", "0")],
                kept(0, 0),
            ),
        ];
        for (keys, expected) in cases {
            assert_eq!(given_wakefulness(keys), Ok(Some(expected)), "{keys:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_range_all_at_once() {
        let wrong = [("emptyConfirmSeconds", "3601"), ("keepWarmSeconds", "soon")];
        let error = given_wakefulness(&wrong).unwrap_err();
        for part in [
            "emptyConfirmSeconds",
            "3601",
            "seconds from 0 to 3600",
            "keepWarmSeconds",
            "soon",
            "seconds from 0 to 604800",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
