//! What `CloudWatch` may cost: a month's money as a bucket that fills evenly. Pure: time is passed in.

use std::{collections::VecDeque, time::Duration};

/// `CloudWatch` takes $0.01 for 1,000 metrics that are asked for, however many minutes of each.
const METRICS_PER_DOLLAR: f64 = 100_000.0;

/// The longest month, so that none costs more than it may.
const MONTH: Duration = Duration::from_hours(31 * 24);

/// So much of a month may be spent at once by a queue that was quiet for long.
const SAVED_MAX: Duration = Duration::from_hours(24);

/// What is there at the start: little, since a process that restarts again and again starts again
/// and again.
const SAVED_AT_START: Duration = Duration::from_hours(1);

/// However small the budget, it must one day pay for all metrics of one queue.
const CAPACITY_MIN: f64 = 10.0;

/// The cost of a month is told from the last hour, by minutes.
const PACE_OVER: Duration = Duration::from_hours(1);
const PACE_STEP: Duration = Duration::from_mins(1);
/// A shorter time says nothing of an hour.
const PACE_OVER_MIN: Duration = Duration::from_mins(5);

/// Metrics that may still be asked for, and those that were.
#[derive(Debug)]
pub(super) struct Budget {
    metrics_per_second: f64,
    capacity: f64,
    saved: f64,
    saved_at: Duration,
    started_at: Duration,
    /// Metrics asked for, by the step in which they were, the oldest first.
    spent: VecDeque<(u128, f64)>,
}

impl Budget {
    /// A month's budget from `now` on, a time since any fixed moment.
    pub(super) fn new(dollars_per_month: f64, now: Duration) -> Self {
        let metrics_per_second = dollars_per_month * METRICS_PER_DOLLAR / MONTH.as_secs_f64();
        let worth = |time: Duration| metrics_per_second * time.as_secs_f64();
        Self {
            metrics_per_second,
            capacity: worth(SAVED_MAX).max(CAPACITY_MIN),
            saved: worth(SAVED_AT_START).max(CAPACITY_MIN),
            saved_at: now,
            started_at: now,
            spent: VecDeque::new(),
        }
    }

    /// Takes `metrics` from what is saved, or nothing when that is less.
    pub(super) fn take(&mut self, metrics: u32, now: Duration) -> bool {
        let waited = now.saturating_sub(self.saved_at).as_secs_f64();
        self.saved = (self.saved + waited * self.metrics_per_second).min(self.capacity);
        self.saved_at = now.max(self.saved_at);
        let metrics = f64::from(metrics);
        if metrics > self.saved {
            return false;
        }
        self.saved -= metrics;
        self.note(metrics, now);
        true
    }

    fn note(&mut self, metrics: f64, now: Duration) {
        let step = step_of(now);
        match self.spent.back_mut() {
            Some((last, spent)) if *last == step => *spent += metrics,
            _ => self.spent.push_back((step, metrics)),
        }
    }

    /// What a month would cost if all of it were like the last hour.
    pub(super) fn dollars_per_month(&mut self, now: Duration) -> f64 {
        let oldest = step_of(now.saturating_sub(PACE_OVER));
        while self.spent.front().is_some_and(|(step, _)| *step < oldest) {
            self.spent.pop_front();
        }
        let spent: f64 = self.spent.iter().map(|(_, metrics)| metrics).sum();
        let over = now.saturating_sub(self.started_at);
        let over = over.clamp(PACE_OVER_MIN, PACE_OVER);
        spent / METRICS_PER_DOLLAR * MONTH.as_secs_f64() / over.as_secs_f64()
    }
}

fn step_of(time: Duration) -> u128 {
    time.as_millis() / PACE_STEP.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    /// How many of the metrics that are asked for each minute are granted.
    fn granted(dollars: f64, metrics_per_minute: u32, days: u32) -> f64 {
        let mut budget = Budget::new(dollars, Duration::ZERO);
        let mut granted = 0.0;
        for minute in 0..days * 24 * 60 {
            if budget.take(metrics_per_minute, Duration::from_mins(minute.into())) {
                granted += f64::from(metrics_per_minute);
            }
        }
        granted
    }

    #[test]
    fn no_month_costs_more_than_it_may_however_much_is_asked_for() {
        for (dollars, metrics) in [(5.0, 100), (5.0, 3_000), (0.5, 5), (100.0, 500)] {
            let cost = granted(dollars, metrics, 30) / METRICS_PER_DOLLAR;
            assert!(cost <= dollars, "{cost} of {dollars}");
            assert!(cost > 0.9 * dollars, "{cost} of {dollars} is too shy");
        }
    }

    #[test]
    fn what_costs_less_than_the_budget_is_never_refused() {
        // Three metrics of two queues each minute are $2.6 a month.
        assert!((granted(5.0, 6, 10) - 86_400.0).abs() < 0.5);
    }

    #[test]
    fn a_quiet_day_is_saved_and_a_quiet_week_is_not() {
        let mut budget = Budget::new(5.0, Duration::ZERO);
        let mut burst = |now: Duration| (0..1_000).take_while(|_| budget.take(100, now)).count();
        assert_eq!(burst(Duration::ZERO), 6, "an hour's worth at the start");
        assert_eq!(burst(DAY), 161, "a day's worth");
        assert_eq!(burst(8 * DAY), 161, "and no more after a week");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut budget = Budget::new(5.0, DAY);
        while budget.take(100, DAY) {}
        assert!(!budget.take(100, Duration::ZERO) && !budget.take(100, DAY));
    }

    #[test]
    fn the_smallest_budget_pays_for_a_queue_in_the_end() {
        assert!(granted(0.000_1, 5, 1) > 0.0);
    }

    #[test]
    fn the_cost_of_a_month_is_told_from_the_last_hour() {
        let mut budget = Budget::new(100.0, Duration::ZERO);
        for minute in 0..600 {
            assert!(budget.take(3, Duration::from_mins(minute)));
        }
        let told = budget.dollars_per_month(Duration::from_hours(10));
        assert!((1.2..1.5).contains(&told), "{told}");
        let told = budget.dollars_per_month(Duration::from_mins(800));
        assert!(told.abs() < f64::EPSILON, "{told}");
    }
}
