//! What a value of a scenario's file may be; anything else is refused with what was expected.

use std::{ops::Range, time::Duration};

use serde::Deserialize;

use crate::simulation::{
    approximate::Fidelity,
    overrides::{Spread, fidelity},
};

/// No time of a scenario is longer than a year.
const SECONDS_MAX: f64 = 31_536_000.0;

/// A time from 0.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Seconds(pub(super) Duration);

impl TryFrom<f64> for Seconds {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        let seconds = within(seconds, 0.0, SECONDS_MAX)?;
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

/// A number above 0.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Positive(pub(super) f64);

impl TryFrom<f64> for Positive {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        within(number, 0.001, SECONDS_MAX).map(Self)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Share(pub(super) f64);

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        within(number, 0.0, 1.0).map(Self)
    }
}

fn within(number: f64, least: f64, most: f64) -> Result<f64, String> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!(
            "expected a number from {least} to {most}, found {number}"
        ))
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct Count(pub(super) u32);

impl TryFrom<u64> for Count {
    type Error = String;

    fn try_from(count: u64) -> Result<Self, Self::Error> {
        let found = u32::try_from(count)
            .ok()
            .filter(|count| (1..=10_000).contains(count));
        found
            .map(Self)
            .ok_or_else(|| format!("expected 1 to 10000, found {count}"))
    }
}

/// From when until when.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "[Seconds; 2]")]
pub(super) struct Span(pub(super) Duration, pub(super) Duration);

impl TryFrom<[Seconds; 2]> for Span {
    type Error = String;

    fn try_from([Seconds(from), Seconds(until)]: [Seconds; 2]) -> Result<Self, Self::Error> {
        if from > until {
            let (from, until) = (from.as_secs_f64(), until.as_secs_f64());
            return Err(format!(
                "expected two times in their order, found {from} and {until}"
            ));
        }
        Ok(Self(from, until))
    }
}

impl Span {
    pub(super) fn range(self) -> Range<Duration> {
        self.0..self.1
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct SpreadName(pub(super) Spread);

impl TryFrom<String> for SpreadName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FidelityName(pub(super) Fidelity);

impl TryFrom<String> for FidelityName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        fidelity(&text).map(Self)
    }
}

pub(super) mod factor {
    use serde::{Deserialize, Deserializer, de::Error};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        let factor = f64::deserialize(from)?;
        let is_known = factor > 0.0 && factor <= 1e6;
        is_known.then_some(Some(factor)).ok_or_else(|| {
            D::Error::custom(format!(
                "expected a number above 0, at most 1000000, found {factor}"
            ))
        })
    }
}

pub(super) mod policies {
    use serde::{Deserialize, Deserializer};

    use crate::simulation::policy::{Policy, UnknownPolicy};

    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Name(Policy);

    impl TryFrom<String> for Name {
        type Error = UnknownPolicy;

        fn try_from(name: String) -> Result<Self, Self::Error> {
            name.parse().map(Self)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Policy>, D::Error> {
        let names = Vec::<Name>::deserialize(from)?;
        Ok(names.into_iter().map(|Name(policy)| policy).collect())
    }
}
