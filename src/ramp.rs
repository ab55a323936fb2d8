//! The `behavior` that an autoscaler needs for a wanted ramp. Pure: it knows no cluster and no clock.

use std::{fmt, time::Duration};

use crate::simulation::{
    behavior::{Behavior, Limit, ScalingRules, Select, Step},
    hpa::SYNC_INTERVAL,
};

/// What changes in one sync is not to count against the next, which may come a little early.
const PERIOD: Duration = Duration::from_secs(10);

/// A moment's lull does not take pods away that are needed again at once; KEDA's `cooldownPeriod` is
/// what guards the way to zero.
const SCALE_DOWN_WINDOW: Duration = Duration::from_mins(1);

/// From so many replicas to so many, within so long of the first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ramp {
    from: u32,
    to: u32,
    within: Duration,
}

/// A ramp that no `behavior` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RampError {
    /// It does not go up.
    #[error("a ramp goes up: expected --to above --from {from}, found {to}")]
    NotUp {
        /// Replicas at its beginning.
        from: u32,
        /// Replicas at its end.
        to: u32,
    },
    /// The autoscaler does not look that often.
    #[error(
        "the autoscaler looks every {every} s and may just have looked: expected --in-seconds {every} or more, found {within}",
        every = SYNC_INTERVAL.as_secs(),
        within = within.as_secs_f64()
    )]
    TooSoon {
        /// How soon the ramp was wanted.
        within: Duration,
    },
}

impl Ramp {
    /// A ramp that can be had.
    ///
    /// # Errors
    /// When it does not go up, or is over before the autoscaler is sure to have looked once.
    pub fn new(from: u32, to: u32, within: Duration) -> Result<Self, RampError> {
        if to <= from {
            return Err(RampError::NotUp { from, to });
        }
        if within < SYNC_INTERVAL {
            return Err(RampError::TooSoon { within });
        }
        Ok(Self { from, to, within })
    }

    /// Pods that each sync must be allowed to add. From zero KEDA sets one, whatever is needed.
    fn pods_per_sync(&self) -> u32 {
        let syncs = self.within.as_millis() / SYNC_INTERVAL.as_millis();
        let syncs = u32::try_from(syncs).unwrap_or(u32::MAX).max(1);
        let missing = self.to.saturating_sub(self.from.max(1));
        missing.div_ceil(syncs).max(1)
    }

    /// The behavior that lets the autoscaler reach the ramp, and doubles beyond it.
    pub fn behavior(&self) -> Behavior {
        Behavior {
            up: ScalingRules {
                stabilization_window: Duration::ZERO,
                select: Select::Max,
                limits: vec![
                    Limit {
                        step: Step::Pods(self.pods_per_sync()),
                        period: PERIOD,
                    },
                    Limit {
                        step: Step::Percent(100),
                        period: PERIOD,
                    },
                ],
            },
            down: ScalingRules {
                stabilization_window: SCALE_DOWN_WINDOW,
                ..Behavior::default().down
            },
        }
    }
}

/// As it is written into a `ScaledObject`.
impl fmt::Display for Ramp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, within } = self;
        let (pods, every) = (self.pods_per_sync(), SYNC_INTERVAL.as_secs());
        let seconds = within.as_secs_f64();
        writeln!(
            formatter,
            "# {from} -> {to} replicas in {seconds} s: the autoscaler looks every {every} s and may add {pods} pods each time."
        )?;
        writeln!(formatter, "# Into the spec of the ScaledObject:")?;
        writeln!(formatter, "maxReplicaCount: {to} # or more")?;
        writeln!(formatter, "advanced:")?;
        writeln!(formatter, "  horizontalPodAutoscalerConfig:")?;
        writeln!(formatter, "    behavior:")?;
        let Behavior { up, down } = self.behavior();
        write_rules(formatter, "scaleUp", &up)?;
        write_rules(formatter, "scaleDown", &down)
    }
}

fn write_rules(
    formatter: &mut fmt::Formatter<'_>,
    direction: &str,
    rules: &ScalingRules,
) -> fmt::Result {
    let window = rules.stabilization_window.as_secs();
    let select = match rules.select {
        Select::Max => "Max",
        Select::Min => "Min",
        Select::Disabled => "Disabled",
    };
    writeln!(formatter, "      {direction}:")?;
    writeln!(formatter, "        stabilizationWindowSeconds: {window}")?;
    writeln!(formatter, "        selectPolicy: {select}")?;
    writeln!(formatter, "        policies:")?;
    for Limit { step, period } in &rules.limits {
        let (kind, value) = match step {
            Step::Pods(pods) => ("Pods", pods),
            Step::Percent(percent) => ("Percent", percent),
        };
        writeln!(formatter, "          - type: {kind}")?;
        writeln!(formatter, "            value: {value}")?;
        writeln!(formatter, "            periodSeconds: {}", period.as_secs())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::hpa::{Autoscaler, AutoscalerSettings, Metric};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// How long the twin's autoscaler takes from one replica, which KEDA has set, to `to`, when it
    /// looks `offset` after that for the first time and as early or late as it does thereafter.
    fn takes(behavior: Option<Behavior>, (from, to): (u32, u32), offset: u64) -> Option<Duration> {
        let mut autoscaler = Autoscaler::new(AutoscalerSettings {
            max_replicas: to,
            behavior,
            ..AutoscalerSettings::default()
        });
        let metric = Metric {
            value: f64::from(to) * 5.0,
            target: 5.0,
        };
        let (mut replicas, mut now) = (from.max(1), seconds(offset));
        for _ in 0..1_000 {
            replicas = autoscaler.sync(metric, replicas, now).replicas;
            if replicas == to {
                return Some(now);
            }
            now += SYNC_INTERVAL;
        }
        None
    }

    #[test]
    fn the_ramp_is_reached_whenever_the_autoscaler_looks() {
        for (from, to, within) in [
            (0, 100, 30),
            (0, 100, 15),
            (0, 2, 15),
            (3, 7, 44),
            (10, 1_000, 60),
            (0, 10_000, 300),
        ] {
            let ramp = Ramp::new(from, to, seconds(within)).unwrap();
            for offset in 0..=15 {
                let takes = takes(Some(ramp.behavior()), (from, to), offset);
                assert!(
                    takes.is_some_and(|takes| takes <= seconds(within)),
                    "{ramp:?} from {offset} s on: {takes:?}"
                );
            }
        }
    }

    #[test]
    fn it_is_no_faster_than_it_has_to_be_and_the_default_is_too_slow() {
        let ramp = Ramp::new(0, 100, seconds(30)).unwrap();
        assert_eq!(ramp.pods_per_sync(), 50);
        // KEDA's default leaves the autoscaler its own: 4, 8, 16, 32, 64, 100.
        assert_eq!(takes(None, (0, 100), 15), Some(seconds(90)));
        let one_less = Behavior {
            up: ScalingRules {
                limits: vec![Limit::pods(49, 10)],
                ..ramp.behavior().up
            },
            ..ramp.behavior()
        };
        // Then it is near enough to the target to stay, one pod short.
        assert_eq!(takes(Some(one_less), (0, 100), 15), None);
    }

    #[test]
    fn a_lull_shorter_than_the_window_takes_no_pod_away() {
        let ramp = Ramp::new(0, 100, seconds(30)).unwrap();
        let mut autoscaler = Autoscaler::new(AutoscalerSettings {
            behavior: Some(ramp.behavior()),
            ..AutoscalerSettings::default()
        });
        let mut sync = |value, replicas, at| {
            let metric = Metric { value, target: 5.0 };
            autoscaler.sync(metric, replicas, seconds(at)).replicas
        };
        assert_eq!(sync(500.0, 100, 0), 100);
        assert_eq!(sync(50.0, 100, 45), 100);
        assert_eq!(sync(50.0, 100, 75), 10);
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        let error = Ramp::new(5, 5, seconds(60)).unwrap_err();
        assert!(
            error.to_string().contains("above --from 5, found 5"),
            "{error}"
        );
        let error = Ramp::new(0, 5, seconds(14)).unwrap_err();
        assert!(error.to_string().contains("every 15 s"), "{error}");
    }

    #[test]
    fn it_is_written_as_a_scaled_object_has_it() {
        let text = Ramp::new(0, 100, seconds(30)).unwrap().to_string();
        let expected = "\
# 0 -> 100 replicas in 30 s: the autoscaler looks every 15 s and may add 50 pods each time.
# Into the spec of the ScaledObject:
maxReplicaCount: 100 # or more
advanced:
  horizontalPodAutoscalerConfig:
    behavior:
      scaleUp:
        stabilizationWindowSeconds: 0
        selectPolicy: Max
        policies:
          - type: Pods
            value: 50
            periodSeconds: 10
          - type: Percent
            value: 100
            periodSeconds: 10
      scaleDown:
        stabilizationWindowSeconds: 60
        selectPolicy: Max
        policies:
          - type: Percent
            value: 100
            periodSeconds: 15
";
        assert_eq!(text, expected);
        assert!(
            include_str!("../README.md").contains(expected),
            "the README shows another one"
        );
    }
}
