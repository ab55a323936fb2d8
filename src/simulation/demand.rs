//! What a scenario needs: the fewest pods that work off in time what arrives, by the arrivals to come
//! and the mean service time. It knows neither failures nor kills, and no start-up: whoever orders pods
//! by it orders them ahead. It takes the most urgent message to go first, whoever sent it: SQS does not, until
//! the group of a flood is noisy.

use std::time::Duration;

use super::{
    arrivals::Segment,
    hpa::whole_replicas,
    numbers::{real, share},
    scenario::Scenario,
};

/// A plan has at most so many steps, as each looks ahead.
const STEPS_MAX: u32 = 4_000;

/// No step is shorter.
const STEP_MIN: Duration = Duration::from_secs(5);

/// The share of the target wait that is planned with: service times vary, and steps are coarse.
pub(super) const SHARE_OF_WAIT: f64 = 0.8;

/// From this share of one pod's work on, the work cannot be put off.
const DUE: f64 = 0.95;

/// The pods that have to work in each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) step: Duration,
    pub(super) pods: Vec<u32>,
}

impl Demand {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let last_of = |segments: &[Segment]| {
            let last = segments.last();
            last.map_or(Duration::ZERO, |segment| segment.until)
        };
        let last = last_of(&scenario.arrivals).max(last_of(scenario.flood_arrivals()));
        let span = scenario.horizon.max(last + scenario.delay) + longest_wait(scenario);
        let step = (span / STEPS_MAX).max(STEP_MIN);
        Self {
            step,
            pods: needed(scenario, step, span),
        }
    }

    /// The pods that have to work at `now`; after the plan's end none.
    pub(super) fn at(&self, now: Duration) -> u32 {
        let index = now.as_millis() / self.step.as_millis().max(1);
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.pods.get(index).copied().unwrap_or(0)
    }
}

/// How long any message may wait.
fn longest_wait(scenario: &Scenario) -> Duration {
    let flood = scenario.flood.as_ref().map(|_| scenario.noisy_wait());
    flood.unwrap_or(scenario.target_wait)
}

fn needed(scenario: &Scenario, step: Duration, span: Duration) -> Vec<u32> {
    let slack = longest_wait(scenario).mul_f64(SHARE_OF_WAIT);
    let steps = span.div_duration_f64(step);
    let ends = || (1..=whole_replicas(steps)).map(|index| step * index);
    let receivable = Receivable::of(scenario);
    let sent: Vec<f64> = ends().map(|end| receivable.by(end)).collect();
    let due: Vec<f64> = ends().map(|end| receivable.due_by(end)).collect();
    let service_seconds = scenario.work.service_time.mean().as_secs_f64();
    let slots = f64::from(scenario.work.concurrency.max(1));
    let step_messages = |end: Duration| {
        let slower = scenario.work.slower_from.filter(|(from, _)| end > *from);
        let factor = slower.map_or(1.0, |(_, factor)| factor);
        slots * share(step.as_secs_f64(), service_seconds * factor)
    };
    let lookahead = usize::try_from(whole_replicas(slack.div_duration_f64(step)) + 1).unwrap_or(1);
    let (mut done, mut plan) = (0.0, Vec::new());
    for (index, (sent, end)) in sent.iter().zip(ends()).enumerate() {
        let step_messages = step_messages(end);
        let most = due
            .iter()
            .skip(index)
            .take(lookahead)
            .zip(1_u32..)
            .map(|(due, steps)| (due.min(*sent) - done) / f64::from(steps));
        let pods = most.fold(0.0, f64::max) / step_messages;
        let left = sent - done;
        let goes_on = plan.last().is_some_and(|pods| *pods > 0) && left > 0.5;
        // Less than one pod's work waits until it is due, and is then done in one go.
        let is_due = pods >= DUE || (goes_on && pods > 0.0);
        let wanted = if is_due { whole_replicas(pods) } else { 0 };
        // More slots than messages would be idle.
        let useful = whole_replicas(left / slots);
        let wanted = wanted.min(useful).min(scenario.object.max_replicas);
        done = (done + f64::from(wanted) * step_messages).min(*sent);
        plan.push(wanted);
    }
    plan
}

/// How many messages can be received by when, and have to be, by the mean.
#[derive(Debug)]
pub(super) struct Receivable<'a> {
    ordinary: Stream<'a>,
    flood: Stream<'a>,
}

impl<'a> Receivable<'a> {
    pub(super) fn of(scenario: &'a Scenario) -> Self {
        let stream = |segments, wait: Duration| Stream::of(segments, (scenario.delay, wait));
        Self {
            ordinary: stream(&scenario.arrivals, scenario.target_wait),
            flood: stream(scenario.flood_arrivals(), scenario.noisy_wait()),
        }
    }

    pub(super) fn by(&self, time: Duration) -> f64 {
        self.ordinary.by(time) + self.flood.by(time)
    }

    /// How many have to be received by `time`, each after the share of its own wait that is planned with.
    pub(super) fn due_by(&self, time: Duration) -> f64 {
        let due_of = |stream: &Stream<'_>| stream.by(time.saturating_sub(stream.slack));
        due_of(&self.ordinary) + due_of(&self.flood)
    }
}

/// Messages that may wait equally long.
#[derive(Debug)]
struct Stream<'a> {
    segments: &'a [Segment],
    /// The messages of all segments before each one, and of all.
    before: Vec<u64>,
    delay: Duration,
    /// How long a message is planned to wait at most.
    slack: Duration,
}

impl<'a> Stream<'a> {
    fn of(segments: &'a [Segment], (delay, wait): (Duration, Duration)) -> Self {
        let mut before = vec![0];
        before.extend(segments.iter().scan(0, |sum, segment| {
            *sum += segment.messages;
            Some(*sum)
        }));
        Self {
            segments,
            before,
            delay,
            slack: wait.mul_f64(SHARE_OF_WAIT),
        }
    }

    fn by(&self, time: Duration) -> f64 {
        let time = time.saturating_sub(self.delay);
        let over = self
            .segments
            .partition_point(|segment| segment.until <= time);
        let begun = self.segments.get(over).map_or(0.0, |segment| {
            let passed = time.saturating_sub(segment.from).as_secs_f64();
            let length = segment.until.saturating_sub(segment.from).as_secs_f64();
            real(segment.messages) * share(passed, length)
        });
        real(self.before.get(over).copied().unwrap_or(0)) + begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{
        scenario::Flood,
        work::{ServiceTime, Work},
        workloads,
    };

    /// Five seconds' work a second for one slot each: five pods, and none before or after.
    #[test]
    fn steady_work_needs_its_rate_times_its_time() {
        let segment = Segment {
            from: Duration::from_mins(10),
            until: Duration::from_mins(40),
            messages: 9_000,
        };
        let work = Work::undisturbed(ServiceTime::Constant(Duration::from_secs(1)), 1);
        let demand = Demand::of(&workloads::scenario("steady", vec![segment], work));
        let at = |minutes| demand.at(Duration::from_mins(minutes));
        assert_eq!((at(5), at(60)), (0, 0));
        assert!((5..=6).contains(&at(25)), "{}", at(25));
        assert_eq!(demand.at(Duration::from_hours(1_000)), 0);
    }

    /// 6,000 seconds' work, which would take ten pods at once, and may take an hour.
    #[test]
    fn a_flood_needs_the_pods_that_do_it_within_its_own_wait() {
        let work = Work::undisturbed(ServiceTime::Constant(Duration::from_secs(1)), 1);
        let mut scenario = workloads::scenario("flood", Vec::new(), work);
        scenario.target_wait = Duration::from_mins(1);
        let flood = |noisy_wait| Flood {
            arrivals: vec![Segment {
                from: Duration::ZERO,
                until: Duration::from_mins(10),
                messages: 6_000,
            }],
            noisy_wait,
        };
        let most = |noisy_wait, scenario: &mut Scenario| {
            scenario.flood = Some(flood(noisy_wait));
            Demand::of(scenario).pods.into_iter().max()
        };
        let patient = most(Duration::from_hours(1), &mut scenario);
        assert!(patient <= Some(3), "{patient:?}");
        assert!(most(Duration::ZERO, &mut scenario) >= Some(9));
    }

    #[test]
    fn messages_are_receivable_in_proportion_and_after_their_delay() {
        let segment = |from, until, messages| Segment {
            from: Duration::from_secs(from),
            until: Duration::from_secs(until),
            messages,
        };
        let arrivals = vec![segment(0, 10, 100), segment(10, 10, 7), segment(20, 30, 10)];
        let work = Work::undisturbed(ServiceTime::Constant(Duration::from_secs(1)), 1);
        let mut scenario = workloads::scenario("by hand", arrivals, work);
        scenario.delay = Duration::from_secs(100);
        let receivable = Receivable::of(&scenario);
        let by = [100, 105, 109, 110, 115, 125, 200]
            .map(|seconds| receivable.by(Duration::from_secs(seconds)).round());
        assert_eq!(
            by.map(|by| by.to_string()),
            ["0", "50", "90", "107", "107", "112", "117"]
        );
    }
}
