//! Which policy did best: the order of the leaderboard, and the front that nothing beats in cost and
//! wait at once.

use super::{
    compare::{Comparison, Row},
    policy::Policy,
};

/// The cheapest policy that meets the target first, then those that miss it, the cheapest first.
pub(super) fn ranked(comparison: &Comparison) -> Vec<&Row> {
    let mut rows: Vec<&Row> = comparison.rows.iter().collect();
    rows.sort_by(|one, other| {
        let met = other.is_met.cmp(&one.is_met);
        met.then(one.outcome.pod_hours.total_cmp(&other.outcome.pod_hours))
    });
    rows
}

/// Whether nobody could run it: it knows the arrivals to come, or was chosen after they had.
pub(super) fn knows_the_future(row: &Row) -> bool {
    matches!(row.policy.parse(), Ok(Policy::Oracle | Policy::Hindsight))
}

/// Whether none of the policies that can be run is as cheap and lets 99 of 100 messages wait as short as
/// this one, and is better in one of them. The target is kept just when that wait is within it.
pub(super) fn is_on_the_front(row: &Row, rows: &[&Row]) -> bool {
    let is_runnable = |row: &Row| !knows_the_future(row) && row.outcome.left_messages == 0;
    let cost = |row: &Row| (row.outcome.pod_hours, row.outcome.wait_seconds_p99);
    let (hours, late) = cost(row);
    let is_beaten = rows.iter().filter(|other| is_runnable(other)).any(|other| {
        let (others_hours, others_late) = cost(other);
        others_hours <= hours && others_late <= late && (others_hours < hours || others_late < late)
    });
    is_runnable(row) && !is_beaten
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::outcome::Outcome;

    fn given_row(policy: &str, pod_hours: f64, late_share: f64) -> Row {
        Row {
            policy: policy.to_owned(),
            is_met: late_share <= 0.01,
            outcome: Outcome {
                pod_hours,
                wait_seconds_p99: late_share * 1e3,
                ..Outcome::default()
            },
            ..Row::default()
        }
    }

    #[test]
    fn the_front_has_what_nothing_beats_and_nobody_who_knows_the_future() {
        let rows = [
            given_row("oracle", 1.0, 0.0),
            given_row("step", 2.0, 0.5),
            given_row("visible=5", 3.0, 0.1),
            given_row("dear and late", 4.0, 0.2),
            given_row("sluice=5", 5.0, 0.0),
            given_row("dearer", 6.0, 0.0),
        ];
        let rows: Vec<&Row> = rows.iter().collect();
        let front = rows.iter().filter(|row| is_on_the_front(row, &rows));
        let names: Vec<&str> = front.map(|row| row.policy.as_str()).collect();
        assert_eq!(names, ["step", "visible=5", "sluice=5"]);
    }

    #[test]
    fn who_leaves_messages_is_on_no_front() {
        let mut row = given_row("fixed=1", 0.1, 0.0);
        row.outcome.left_messages = 1;
        assert!(!is_on_the_front(&row, &[&row]));
    }
}
