//! When messages are sent: stretches of time with a number of messages each, which chance spreads
//! evenly within them.

use std::{collections::VecDeque, time::Duration};

use super::random::{Random, Stream};

/// So many messages between two times; all at once when they are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub from: Duration,
    pub until: Duration,
    pub messages: u64,
}

/// The messages still to be sent.
#[derive(Debug)]
pub(super) struct Arrivals {
    segments: VecDeque<Segment>,
    next: Option<(Duration, u64)>,
    random: Random,
}

impl Arrivals {
    /// `segments` follow one another in time; chance is that of `stream`.
    pub(super) fn new(segments: &[Segment], (seed, stream): (u64, Stream)) -> Self {
        let mut arrivals = Self {
            segments: segments.iter().copied().collect(),
            next: None,
            random: Random::new(seed, stream),
        };
        arrivals.draw();
        arrivals
    }

    /// When the next message is sent.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.next.map(|(at, _)| at)
    }

    /// The messages sent at the next time there are any.
    pub(super) fn take(&mut self) -> u64 {
        let messages = self.next.map_or(0, |(_, messages)| messages);
        self.draw();
        messages
    }

    /// Draws the first of the messages that a segment has left: the others follow it.
    fn draw(&mut self) {
        while self
            .segments
            .pop_front_if(|first| first.messages == 0)
            .is_some()
        {}
        self.next = self.segments.front_mut().map(|segment| {
            let length = segment.until.saturating_sub(segment.from);
            let messages = if length.is_zero() {
                segment.messages
            } else {
                1
            };
            let at = segment.from + length.mul_f64(self.random.earliest_of(segment.messages));
            segment.from = at.min(segment.until);
            segment.messages -= messages;
            (segment.from, messages)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn given_times(segments: &[Segment]) -> Vec<(Duration, u64)> {
        let mut arrivals = Arrivals::new(segments, (1, Stream::Arrivals));
        let mut times = Vec::new();
        while let Some(at) = arrivals.next_at() {
            times.push((at, arrivals.take()));
        }
        times
    }

    #[test]
    fn every_message_of_a_segment_is_sent_within_it_and_in_order() {
        let times = given_times(&[
            Segment {
                from: at(10),
                until: at(20),
                messages: 1_000,
            },
            Segment {
                from: at(60),
                until: at(120),
                messages: 0,
            },
            Segment {
                from: at(120),
                until: at(180),
                messages: 5,
            },
        ]);
        assert_eq!(times.len(), 1_005);
        assert!(times.is_sorted());
        assert!(
            times[..1_000]
                .iter()
                .all(|(time, _)| (at(10)..=at(20)).contains(time))
        );
        let first_half = times.iter().filter(|(time, _)| *time < at(15)).count();
        assert!((450..550).contains(&first_half), "{first_half}");
    }

    #[test]
    fn a_segment_without_length_is_sent_at_once() {
        let dump = Segment {
            from: at(7),
            until: at(7),
            messages: 200_000,
        };
        assert_eq!(given_times(&[dump]), [(at(7), 200_000)]);
    }
}
