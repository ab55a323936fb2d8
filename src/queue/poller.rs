//! The one task that asks for the minutes of all queues, and for none that nobody wants.
//!
//! It looks every few seconds for queues whose turn it is, puts those of one place together in calls, and
//! pays for them from the budget, those that have waited longest first. A queue keeps its place in the
//! minute, counted from when it was first wanted, so the work is spread without any dice. Minutes come one
//! to three minutes late: each call asks for the last quarter of an hour again, which costs nothing more.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    budget::Budget,
    minute_source::{FetchError, Metric, MinuteCall, MinuteSource, Place},
    minutes::{Board, Due, HISTORY, LATE_MAX, MinuteFeed},
    place_state::PlaceState,
};
use crate::{clock::EpochClock, metrics::Metrics, scaling::Minute};

/// `CloudWatch` takes so many metrics in one call.
const METRICS_PER_CALL: usize = 500;

/// Calls to one place in one round: 6,000 queues a minute, far below its 50 calls a second.
const CALLS_PER_ROUND: usize = 4;

/// A call that takes longer is given up.
const CALL_DEADLINE: Duration = Duration::from_secs(15);

/// A budget that is used up is told to the log so often.
const BUDGET_SAID_EVERY: Duration = Duration::from_hours(24);

const MINUTE: Duration = Duration::from_mins(1);

/// How much is asked for, and how often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinuteSettings {
    /// What a month may cost at $0.01 for 1,000 metrics; 0 asks for nothing.
    pub dollars_per_month: f64,
    /// A queue is asked for at most once in this time.
    pub every: Duration,
    /// How often the poller looks for queues whose turn it is.
    pub round: Duration,
}

impl Default for MinuteSettings {
    fn default() -> Self {
        Self {
            dollars_per_month: 5.0,
            every: MINUTE,
            round: Duration::from_secs(5),
        }
    }
}

/// Polls; run it once.
#[derive(Debug)]
pub(crate) struct MinutePoller<M> {
    source: Arc<M>,
    board: Arc<Board>,
    settings: MinuteSettings,
    budget: Budget,
    budget_said_at: Option<Instant>,
    metrics: Arc<Metrics>,
    clock: EpochClock,
    /// Places that are being asked, or that failed.
    places: HashMap<Place, PlaceState>,
    flights: JoinSet<Landed>,
}

/// A call, and the queues it is for.
#[derive(Debug)]
struct Flight {
    call: MinuteCall,
    due: Vec<Due>,
    asked_at: Instant,
}

type Outcome = Result<Vec<Vec<Minute>>, FetchError>;

/// Calls to one place that have ended, each with its outcome; those after a failure were not made.
type Landed = (Place, Vec<(Flight, Option<Outcome>)>);

/// A feed and the poller that fills it until `shutdown` is cancelled or the feed is gone.
pub(crate) fn minute_feed<M: MinuteSource>(
    source: M,
    settings: MinuteSettings,
    metrics: Arc<Metrics>,
    clock: EpochClock,
) -> (MinuteFeed, MinutePoller<M>) {
    let feed = MinuteFeed::new(None);
    let poller = MinutePoller {
        source: Arc::new(source),
        board: Arc::clone(&feed.board),
        settings,
        budget: Budget::new(settings.dollars_per_month, clock.at(Instant::now())),
        budget_said_at: None,
        metrics,
        clock,
        places: HashMap::new(),
        flights: JoinSet::new(),
    };
    (feed, poller)
}

impl<M: MinuteSource> MinutePoller<M> {
    /// Polls until `shutdown` is cancelled or nobody holds the feed any more; calls under way are given
    /// up then.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut rounds = interval_at(Instant::now(), self.settings.round);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(landed) = self.flights.join_next() => {
                    // A call that panicked has landed nowhere; its queues have their turn again.
                    if let Ok(landed) = landed {
                        self.land(landed);
                    }
                }
                _ = rounds.tick() => {
                    // The poller's own reference is the last one.
                    if Arc::strong_count(&self.board) == 1 {
                        return;
                    }
                    self.start_round(Instant::now());
                }
            }
        }
    }

    fn start_round(&mut self, now: Instant) {
        self.places.retain(|_, state| !state.is_forgotten(now));
        for (place, due) in self.by_place(now) {
            let flights = self.flights_to(&place, due, now);
            if !flights.is_empty() {
                self.depart(place, flights);
            }
        }
        let cost = self.budget.dollars_per_month(self.clock.at(now));
        self.metrics.minutes_cost(cost);
    }

    /// The queues whose turn it is, but for those of places that are being asked or in trouble.
    fn by_place(&mut self, now: Instant) -> Vec<(Place, Vec<Due>)> {
        let mut by_place: HashMap<Place, Vec<Due>> = HashMap::new();
        for due in self.board.due(now, self.settings.every) {
            let place = match self.source.place(&due.queue) {
                Ok(place) => place,
                Err(reason) => {
                    due.entry.refuse(&reason, now);
                    due.entry.ask(now);
                    continue;
                }
            };
            match self.places.get(&place) {
                Some(state) if state.is_asked => {}
                Some(state) if state.is_left_alone(now) => state.refuse(&due, now),
                _ => by_place.entry(place).or_default().push(due),
            }
        }
        let mut by_place: Vec<_> = by_place.into_iter().collect();
        // Who has waited longest is first at the budget as well.
        by_place.sort_by_key(|(_, due)| due.first().map(Due::waits_since));
        by_place
    }

    /// The calls for as many of the queues as the budget and the round allow.
    fn flights_to(&mut self, place: &Place, due: Vec<Due>, now: Instant) -> Vec<Flight> {
        let mut flights: Vec<Flight> = Vec::new();
        for due in due {
            let metrics = Metric::of(&due.queue, due.needs_history, due.groups);
            let window = self.window(due.needs_history, now);
            let room = flights
                .iter()
                .position(|flight| flight.has_room(window, metrics.len()));
            if room.is_none() && flights.len() == CALLS_PER_ROUND {
                break;
            }
            if !self.pay(metrics.len(), now) {
                self.refuse_for_money(&due, now);
                continue;
            }
            due.entry.ask(now);
            let index = room.unwrap_or(flights.len());
            if index == flights.len() {
                flights.push(Flight::new(window, now));
            }
            if let Some(flight) = flights.get_mut(index) {
                flight.add(due, metrics);
            }
        }
        tracing::debug!(
            region = place.region,
            calls = flights.len(),
            "asking CloudWatch"
        );
        flights
    }

    /// The last minutes that have ended by now.
    fn window(&self, with_history: bool, now: Instant) -> (Duration, Duration) {
        let now = self.clock.at(now).as_secs();
        let until = Duration::from_secs(now - now % MINUTE.as_secs());
        let length = if with_history { HISTORY } else { LATE_MAX };
        (until.saturating_sub(length), until)
    }

    fn pay(&mut self, metrics: usize, now: Instant) -> bool {
        let metrics = u32::try_from(metrics).unwrap_or(u32::MAX);
        let is_paid = self.budget.take(metrics, self.clock.at(now));
        if is_paid {
            self.metrics.minutes_asked(metrics);
        }
        is_paid
    }

    fn refuse_for_money(&mut self, due: &Due, now: Instant) {
        let dollars = self.settings.dollars_per_month;
        let reason = format!("the budget of ${dollars} a month for CloudWatch is used up for now");
        if !due.entry.refuse(&reason.as_str().into(), now) {
            self.metrics.minutes_refused();
        }
        let is_said = self
            .budget_said_at
            .is_some_and(|at| now - at < BUDGET_SAID_EVERY);
        if !is_said {
            self.budget_said_at = Some(now);
            tracing::warn!("{reason}: queues are asked for less often");
        }
    }

    /// Makes the calls to one place, one after the other, in a task of their own: a place that hangs holds
    /// up no other one.
    fn depart(&mut self, place: Place, flights: Vec<Flight>) {
        self.places.entry(place.clone()).or_default().is_asked = true;
        let (source, metrics) = (Arc::clone(&self.source), Arc::clone(&self.metrics));
        self.flights.spawn(async move {
            let mut landed = Vec::new();
            let mut has_failed = false;
            for flight in flights {
                if has_failed {
                    landed.push((flight, None));
                    continue;
                }
                let answer = timeout(CALL_DEADLINE, source.fetch(&place, &flight.call)).await;
                let outcome = answer.unwrap_or(Err(FetchError::NoAnswer(CALL_DEADLINE)));
                metrics.minutes_called(&outcome);
                has_failed = outcome.is_err();
                landed.push((flight, Some(outcome)));
            }
            (place, landed)
        });
    }

    fn land(&mut self, (place, landed): Landed) {
        let now = Instant::now();
        let mut state = self.places.remove(&place).unwrap_or_default();
        state.is_asked = false;
        let mut unanswered = Vec::new();
        for (flight, outcome) in landed {
            match outcome {
                Some(Ok(answers)) => {
                    for (due, minutes) in flight.due.iter().zip(answers) {
                        due.entry.land(&minutes, flight.asked_at);
                    }
                    state.recover(&place);
                }
                Some(Err(error)) => {
                    state.fail(&place, &error, now);
                    unanswered.extend(flight.due);
                }
                None => unanswered.extend(flight.due),
            }
        }
        for due in &unanswered {
            state.refuse(due, now);
        }
        if state.is_in_trouble() {
            self.places.insert(place, state);
        }
    }
}

impl Flight {
    fn new((from, until): (Duration, Duration), asked_at: Instant) -> Self {
        let queues = Vec::new();
        Self {
            call: MinuteCall {
                from,
                until,
                queues,
            },
            due: Vec::new(),
            asked_at,
        }
    }

    fn has_room(&self, window: (Duration, Duration), metrics: usize) -> bool {
        let taken: usize = self
            .call
            .queues
            .iter()
            .map(|(_, metrics)| metrics.len())
            .sum();
        window == (self.call.from, self.call.until) && taken + metrics <= METRICS_PER_CALL
    }

    fn add(&mut self, due: Due, metrics: &'static [Metric]) {
        self.call.queues.push((Arc::clone(&due.queue), metrics));
        self.due.push(due);
    }
}

#[cfg(test)]
#[path = "poller_tests.rs"]
mod tests;
