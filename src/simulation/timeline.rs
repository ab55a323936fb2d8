//! What a run looked like over time, in a few hundred points however long it lasted. It knows no
//! policy and no chart.

use serde::{Deserialize, Serialize};

use super::spec::Supply;

/// A timeline has at most so many points: more than a chart has pixels to show them.
const POINTS_MAX: usize = 720;

/// What is seen of a run in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Glance {
    pub(super) supply: Supply,
    pub(super) visible: u64,
    /// For how long the oldest message waits that nobody has received yet.
    pub(super) age_seconds: u64,
}

impl Glance {
    fn most(self, other: Self) -> Self {
        Self {
            supply: self.supply.most(other.supply),
            visible: self.visible.max(other.visible),
            age_seconds: self.age_seconds.max(other.age_seconds),
        }
    }
}

/// A run over time. Each point stands for the same number of seconds, and has the most of each measure
/// within them, so that thinning hides no peak.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// How long a point lasts: a power of two. Whenever there are too many points, neighbours become
    /// one.
    pub interval_seconds: u64,
    /// Replicas that were set.
    pub wanted_replicas: Vec<u32>,
    /// Pods that received messages.
    pub running_replicas: Vec<u32>,
    /// The fewest pods that keep the target, by who knows the arrivals.
    pub needed_replicas: Vec<u32>,
    /// Messages that could be received.
    pub visible_messages: Vec<u64>,
    /// The age of the oldest message that was never received.
    pub oldest_age_seconds: Vec<u64>,
}

/// Writes a timeline while a run goes on.
#[derive(Debug)]
pub(super) struct Recorder {
    points: Vec<Glance>,
    /// Seconds that a point stands for.
    interval: u64,
    /// Seconds that the last point has.
    filled: u64,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            points: Vec::new(),
            interval: 1,
            filled: 1,
        }
    }

    /// Takes in one more second.
    pub(super) fn note(&mut self, glance: Glance) {
        if self.filled < self.interval
            && let Some(last) = self.points.last_mut()
        {
            *last = last.most(glance);
            self.filled += 1;
            return;
        }
        if self.points.len() >= POINTS_MAX {
            self.thin();
        }
        self.points.push(glance);
        self.filled = 1;
    }

    fn thin(&mut self) {
        let pairs = self.points.chunks(2);
        let merged = pairs.map(|pair| pair.iter().fold(Glance::default(), |a, b| a.most(*b)));
        self.points = merged.collect();
        self.interval *= 2;
    }

    pub(super) fn finish(self) -> Timeline {
        let points = &self.points;
        let replicas = |measure: fn(&Glance) -> u32| points.iter().map(measure).collect();
        let numbers = |measure: fn(&Glance) -> u64| points.iter().map(measure).collect();
        Timeline {
            interval_seconds: self.interval,
            wanted_replicas: replicas(|point| point.supply.wanted),
            running_replicas: replicas(|point| point.supply.running),
            needed_replicas: replicas(|point| point.supply.needed),
            visible_messages: numbers(|point| point.visible),
            oldest_age_seconds: numbers(|point| point.age_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_timeline(seconds: u64, peak_at: u64) -> Timeline {
        let mut recorder = Recorder::new();
        for second in 0..seconds {
            recorder.note(Glance {
                visible: if second == peak_at { 9 } else { 0 },
                age_seconds: second,
                ..Glance::default()
            });
        }
        recorder.finish()
    }

    #[test]
    fn a_short_run_has_every_second() {
        let timeline = given_timeline(720, 3);
        assert_eq!(
            (timeline.interval_seconds, timeline.visible_messages.len()),
            (1, 720)
        );
        assert_eq!(timeline.visible_messages[2..5], [0, 9, 0]);
    }

    #[test]
    fn a_long_run_has_as_few_points_and_every_peak_at_its_time() {
        for (seconds, interval) in [(721, 2), (1_441, 4), (86_400, 128)] {
            let peak_at = seconds / 2;
            let timeline = given_timeline(seconds, peak_at);
            assert_eq!(timeline.interval_seconds, interval);
            let points = timeline.visible_messages.len();
            assert!((360..=720).contains(&points), "{points}");
            let index = usize::try_from(peak_at / interval).unwrap();
            assert_eq!(timeline.visible_messages[index], 9, "{seconds}");
            assert_eq!(timeline.oldest_age_seconds.last(), Some(&(seconds - 1)));
        }
    }
}
