//! Interest, merging and states, in paused time.

use tokio::time::advance;

use super::*;

const EVERY: Duration = Duration::from_mins(1);

fn given_queue() -> Arc<QueueRef> {
    Arc::new(QueueRef::given("orders"))
}

fn minute(number: u64, deleted: f64) -> Minute {
    Minute {
        from: Duration::from_mins(number),
        deleted: Some(deleted),
        ..Minute::default()
    }
}

#[test]
fn late_repeated_and_corrected_minutes_are_put_in_their_places() {
    let known = [minute(1, 10.0), minute(3, 30.0)];
    let told = [minute(2, 20.0), minute(3, 33.0), minute(4, 40.0)];
    let expected = [
        minute(1, 10.0),
        minute(2, 20.0),
        minute(3, 33.0),
        minute(4, 40.0),
    ];
    assert_eq!(merged(&known, &told).as_deref(), Some(&expected[..]));
    assert_eq!(merged(&expected, &told), None, "nothing new");
    assert_eq!(merged(&known, &[]), None);
}

#[test]
fn what_is_not_told_again_stays_known() {
    let known = [Minute {
        received: Some(7.0),
        ..minute(1, 10.0)
    }];
    let told = [Minute {
        deleted: None,
        oldest_age: Some(Duration::from_secs(5)),
        ..minute(1, 0.0)
    }];
    let merged = merged(&known, &told).unwrap();
    let expected = Minute {
        oldest_age: Some(Duration::from_secs(5)),
        ..known[0]
    };
    assert_eq!(merged, [expected]);
}

#[test]
fn the_oldest_minutes_are_forgotten() {
    let told: Vec<Minute> = (0..100).map(|number| minute(number, 1.0)).collect();
    let kept = merged(&[], &told).unwrap();
    assert_eq!(
        (kept.len(), kept[0].from),
        (MINUTES_MAX, Duration::from_hours(1))
    );
    assert_eq!(merged(&kept, &told[..60]), None, "they do not come back");
}

#[tokio::test(start_paused = true)]
async fn interest_ends_by_itself_and_looking_shows_none() {
    let (feed, queue) = (MinuteFeed::new(None), given_queue());
    let due = || feed.board.due(Instant::now(), EVERY).len();
    assert_eq!(feed.known(&queue).state, SensingState::Waiting);
    assert_eq!(due(), 0);
    assert_eq!(feed.minutes(&queue).state, SensingState::Waiting);
    assert_eq!(due(), 1);
    advance(INTEREST).await;
    assert_eq!(due(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_current_for_some_minutes_and_the_same_while_nothing_is_new() {
    let (feed, queue) = (MinuteFeed::new(None), given_queue());
    let entry = feed.board.entry(&queue);
    let asked_at = Instant::now();
    entry.land(&[minute(1, 1.0)], asked_at);
    let first = feed.known(&queue);
    assert_eq!(
        (&first.state, first.fetched_at),
        (&SensingState::Current, Some(asked_at))
    );
    entry.land(&[minute(1, 1.0)], Instant::now());
    assert!(Arc::ptr_eq(&first.minutes, &feed.known(&queue).minutes));
    advance(CURRENT_FOR).await;
    let old = feed.known(&queue);
    assert_eq!((old.state, old.minutes.len()), (SensingState::Waiting, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_a_narrow_window_would_not_bridge_needs_a_wide_one() {
    let (feed, queue) = (MinuteFeed::new(None), given_queue());
    let needs_history = || {
        feed.minutes(&queue);
        feed.board.due(Instant::now(), EVERY)[0].needs_history
    };
    assert!(needs_history(), "the first time");
    feed.board.entry(&queue).land(&[], Instant::now());
    advance(LATE_MAX / 2).await;
    assert!(!needs_history());
    advance(LATE_MAX / 2).await;
    assert!(needs_history(), "after a pause");
}

#[test]
fn a_feed_that_is_off_says_why() {
    let seen = MinuteFeed::off("no money").minutes(&given_queue());
    let reason = "no money".into();
    assert_eq!(seen.state, SensingState::Off { reason });
    assert!(seen.minutes.is_empty());
}
