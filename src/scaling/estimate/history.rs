//! The last readings of a queue's counts. Bounded in time and number.

use std::{collections::VecDeque, time::Duration};

/// Nothing looks further back: the longest window is ten minutes, the latest minute three minutes late.
pub(super) const KEPT_FOR: Duration = Duration::from_mins(15);

/// One reading is kept of so long, the newest: a push stream may look every second.
const SLOT: Duration = Duration::from_secs(5);

/// A reading this young is evidence against one that is much lower.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(40);

/// What one reading alone is believed of a fall: SQS answers too little, or zero, now and then.
const FALL_BELIEVED: f64 = 0.5;

/// Fewer readings do not say that messages waited all the time.
const READINGS_TO_TELL: usize = 3;

/// The counts at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) at: Duration,
    pub(super) visible: f64,
    pub(super) in_flight: f64,
    pub(super) delayed: f64,
}

impl Reading {
    pub(super) fn messages(&self) -> f64 {
        self.visible + self.in_flight
    }
}

/// The readings of the last minutes, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    readings: VecDeque<Reading>,
    /// As it was read, before any doubt.
    last_read: Option<Reading>,
}

impl History {
    /// Takes in a reading and returns what to believe: a much lower one has to be confirmed by the
    /// next. Count by count, so that a higher count never leads to a lower belief.
    pub(super) fn read(&mut self, reading: Reading) -> Reading {
        self.forget(reading.at);
        let believed = match self.last_read {
            Some(last) if reading.at.saturating_sub(last.at) <= CONFIRMED_WITHIN => Reading {
                at: reading.at,
                visible: reading.visible.max(last.visible * FALL_BELIEVED),
                in_flight: reading.in_flight.max(last.in_flight * FALL_BELIEVED),
                ..reading
            },
            _ => reading,
        };
        self.last_read = Some(reading);
        match self.readings.back_mut() {
            Some(newest) if slot(newest.at) == slot(believed.at) => *newest = believed,
            _ => self.readings.push_back(believed),
        }
        believed
    }

    /// Takes in what somebody else read before the first reading, oldest first.
    pub(super) fn catch_up(&mut self, now: Duration, before: impl Iterator<Item = Reading>) {
        let oldest = now.saturating_sub(KEPT_FOR);
        let until = self.first().map_or(now, |first| first.at);
        let before = before.filter(|reading| (oldest..until).contains(&reading.at));
        for (index, reading) in before.enumerate() {
            self.readings.insert(index, reading);
        }
    }

    /// Readings that are too old, and those of a future that a clock took back.
    fn forget(&mut self, now: Duration) {
        let oldest = now.saturating_sub(KEPT_FOR);
        while self
            .readings
            .pop_front_if(|first| first.at < oldest)
            .is_some()
        {}
        while self.readings.pop_back_if(|last| last.at > now).is_some() {}
        self.last_read.take_if(|last| last.at > now);
    }

    /// When the first reading that is kept was taken.
    pub(super) fn first(&self) -> Option<&Reading> {
        self.readings.front()
    }

    fn since(&self, from: Duration) -> impl Iterator<Item = &Reading> {
        self.readings
            .iter()
            .rev()
            .take_while(move |reading| reading.at >= from)
    }

    /// The mean number in flight from `from` until `until`; between readings, what was read before.
    pub(super) fn mean_in_flight(&self, from: Duration, until: Duration) -> Option<f64> {
        let within = self
            .since(from)
            .filter(|reading| reading.at <= until)
            .map(|reading| reading.in_flight);
        let before = || self.readings.iter().rev().find(|reading| reading.at < from);
        mean(within).or_else(|| before().map(|reading| reading.in_flight))
    }

    /// The last reading by `at`, if there was one.
    pub(super) fn at(&self, at: Duration) -> Option<&Reading> {
        self.readings.iter().rev().find(|reading| reading.at <= at)
    }

    /// The messages at the last reading by `at`, or at the first one of all.
    pub(super) fn messages_at(&self, at: Duration) -> Option<f64> {
        self.at(at).or(self.first()).map(Reading::messages)
    }

    /// Whether messages have waited at every reading since `from`.
    pub(super) fn have_waited_since(&self, from: Duration) -> bool {
        let mut readings = 0;
        let all = self.since(from).all(|reading| {
            readings += 1;
            reading.visible >= 1.0
        });
        all && readings >= READINGS_TO_TELL
    }

    /// Whether messages waited at every reading from `from` until `until`, if there are any.
    pub(super) fn had_waited(&self, from: Duration, until: Duration) -> bool {
        self.since(from)
            .filter(|reading| reading.at <= until)
            .all(|reading| reading.visible >= 1.0)
    }

    /// The smallest number that waited since `from`.
    pub(super) fn least_visible_since(&self, from: Duration) -> f64 {
        let visible = self.since(from).map(|reading| reading.visible);
        visible.fold(f64::INFINITY, f64::min)
    }

    /// The smallest number in flight since `from`.
    pub(super) fn least_in_flight_since(&self, from: Duration) -> f64 {
        let in_flight = self.since(from).map(|reading| reading.in_flight);
        in_flight.fold(f64::INFINITY, f64::min)
    }
}

/// What was there at an earlier reading, and the work that has been done since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Earlier {
    pub(super) at: Duration,
    pub(super) messages: f64,
    pub(super) slot_seconds: f64,
}

/// By how much the counts fell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fall {
    pub(super) messages: f64,
    /// Of what was there before.
    pub(super) share: f64,
    /// In which time.
    pub(super) passed: Duration,
    /// The messages in flight meanwhile, at most.
    pub(super) most_in_flight: f64,
}

impl History {
    /// The readings before `now`, newest first, where at most `busy_max` of what is in flight is work.
    pub(super) fn backwards(&self, now: Duration, busy_max: f64) -> impl Iterator<Item = Earlier> {
        let (mut later_at, mut slot_seconds) = (now, 0.0);
        self.readings.iter().rev().map(move |reading| {
            let passed = later_at.saturating_sub(reading.at).as_secs_f64();
            slot_seconds += reading.in_flight.min(busy_max) * passed;
            later_at = reading.at;
            Earlier {
                at: reading.at,
                messages: reading.messages(),
                slot_seconds,
            }
        })
    }

    /// How far `messages`, the newest count, are below each earlier one since `from`. A count that is much too
    /// high stands alone, so of each two that follow one another the lower is taken.
    pub(super) fn falls_since(&self, from: Duration, messages: f64) -> impl Iterator<Item = Fall> {
        let mut most_in_flight = 0.0_f64;
        let newest_at = self
            .readings
            .back()
            .map_or(Duration::ZERO, |newest| newest.at);
        let with_before = self.since(from).zip(self.since(Duration::ZERO).skip(1));
        with_before.map(move |(reading, before)| {
            most_in_flight = most_in_flight.max(reading.in_flight);
            let level = reading.messages().min(before.messages());
            Fall {
                messages: level - messages,
                share: 1.0 - messages / level.max(1.0),
                passed: newest_at.saturating_sub(reading.at),
                most_in_flight,
            }
        })
    }
}

pub(super) fn slot(at: Duration) -> u64 {
    at.as_secs() / SLOT.as_secs()
}

pub(super) fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| {
        (sum + number, count + 1.0)
    });
    (count > 0.0).then(|| sum / count)
}
