//! What the differences between the policies are, in sentences that are worked out from the measures.

use crate::simulation::{
    compare::{Comparison, Row},
    figures::{dollars, grouped, percent, seconds, three_digits},
    numbers::share,
    ranking::{is_on_the_front, knows_the_future},
};

/// Pod-hours this near to one another are called the same.
const SAME: f64 = 0.01;

/// More policies than this are not listed one by one.
const LISTED_MAX: usize = 5;

/// Rows are in the order of the leaderboard.
pub(super) fn sentences(rows: &[&Row], comparison: &Comparison) -> Vec<String> {
    let all = [
        kept(rows, comparison),
        cheapest(rows),
        missed(rows),
        pair(rows),
        front(rows),
        killed(rows),
        questions(rows),
        chance(comparison),
    ];
    all.into_iter().flatten().collect()
}

fn kept(rows: &[&Row], comparison: &Comparison) -> Option<String> {
    let kept = rows.iter().filter(|row| row.is_met).count();
    (!rows.is_empty()).then(|| {
        format!(
            "{kept} of {} policies kept the target of {}.",
            rows.len(),
            seconds(comparison.target_wait_seconds)
        )
    })
}

fn cheapest(rows: &[&Row]) -> Option<String> {
    let best = rows
        .iter()
        .find(|row| row.is_met && !knows_the_future(row))?;
    let oracle = rows.iter().find(|row| row.policy == "oracle");
    let to_oracle = oracle.map(|oracle| {
        let ratio = share(best.outcome.pod_hours, oracle.outcome.pod_hours);
        format!(
            " and {} times those of the oracle, which knows the arrivals",
            three_digits(ratio)
        )
    });
    let next = rows
        .iter()
        .filter(|row| row.is_met && !knows_the_future(row))
        .nth(1);
    let to_next =
        next.map(|next| format!("; the next was {}, {}", next.policy, dearer(next, best)));
    Some(format!(
        "Of those that can be run, {} kept it with the fewest pod-hours: {}, {} times those of the work \
         alone{}{}.",
        best.policy,
        three_digits(best.outcome.pod_hours),
        three_digits(best.outcome.pod_hours_over_bound),
        to_oracle.unwrap_or_default(),
        to_next.unwrap_or_default(),
    ))
}

/// How much more one costs than another.
fn dearer(row: &Row, than: &Row) -> String {
    let ratio = share(row.outcome.pod_hours, than.outcome.pod_hours);
    match ratio - 1.0 {
        more if more.abs() < SAME => "at the same cost".to_owned(),
        more if more >= 1.0 => format!("at {} times the cost", three_digits(ratio)),
        more if more > 0.0 => format!("{:.0} % dearer", more * 100.0),
        less => format!("{:.0} % cheaper", -less * 100.0),
    }
}

fn missed(rows: &[&Row]) -> Option<String> {
    let mut missed: Vec<&&Row> = rows.iter().filter(|row| !row.is_met).collect();
    missed.sort_by(|one, other| other.outcome.late_share.total_cmp(&one.outcome.late_share));
    let each = missed.iter().map(|row| {
        let outcome = &row.outcome;
        let left = match outcome.left_messages {
            0 => String::new(),
            left => format!(", {} left undone", grouped(left)),
        };
        let (late, longest) = (
            percent(outcome.late_share),
            seconds(outcome.wait_seconds_max),
        );
        format!("{} ({late} late, up to {longest}{left})", row.policy)
    });
    let each: Vec<String> = each.collect();
    match each.as_slice() {
        [] => None,
        [worst, .., best] if each.len() > LISTED_MAX => {
            Some(format!("{} missed it, from {best} to {worst}.", each.len()))
        }
        each => Some(format!("It was missed by {}.", list(each))),
    }
}

/// The user's own settings, or else KEDA's defaults, beside the best of Sluice.
fn pair(rows: &[&Row]) -> Option<String> {
    let is_ours =
        |row: &Row| row.policy.starts_with("sluice") || row.policy.starts_with("target-wait");
    let ours = rows.iter().find(|row| is_ours(row))?;
    let theirs = rows
        .iter()
        .find(|row| row.policy.starts_with("your "))
        .or_else(|| rows.iter().find(|row| row.policy == "queue-length=5"))?;
    let of = |row: &Row| {
        let outcome = &row.outcome;
        format!(
            "{} late, p99 {}, {} messages killed, {} changes of replicas",
            percent(outcome.late_share),
            seconds(outcome.wait_seconds_p99),
            grouped(outcome.killed_messages),
            grouped(outcome.replica_changes),
        )
    };
    Some(format!(
        "{} is {} than {}: {}, against {}.",
        ours.policy,
        match dearer(ours, theirs).as_str() {
            "at the same cost" => "no dearer and no cheaper".to_owned(),
            words if words.starts_with("at ") => words.replacen("at ", "dearer, by ", 1),
            words => words.to_owned(),
        },
        theirs.policy,
        of(ours),
        of(theirs),
    ))
}

fn front(rows: &[&Row]) -> Option<String> {
    let on = rows.iter().filter(|row| is_on_the_front(row, rows));
    let names: Vec<String> = on.map(|row| row.policy.clone()).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!(
            "No other one is cheaper, or has a shorter p99 wait, than {one}."
        )),
        several => Some(format!(
            "No policy beats these in cost and p99 wait at once: {}.",
            list(several)
        )),
    }
}

fn killed(rows: &[&Row]) -> Option<String> {
    let mut kills: Vec<&&Row> = rows
        .iter()
        .filter(|row| row.outcome.killed_messages > 0)
        .collect();
    kills.sort_by_key(|row| row.outcome.killed_messages);
    let each: Vec<String> = kills
        .iter()
        .map(|row| format!("{} ({})", row.policy, grouped(row.outcome.killed_messages)))
        .collect();
    match each.as_slice() {
        [] if rows.is_empty() => None,
        [] => Some("No message was killed in work.".to_owned()),
        [least, .., most] if each.len() > LISTED_MAX => Some(format!(
            "Messages were killed in work under {} policies, from {least} to {most}.",
            each.len()
        )),
        each => Some(format!(
            "Messages were killed in work under {}.",
            list(each)
        )),
    }
}

fn questions(rows: &[&Row]) -> Option<String> {
    let cost = |row: &&&Row| row.outcome.api_dollars();
    let asking = || rows.iter().filter(|row| cost(row) > 0.0);
    let least = asking().min_by(|one, other| cost(one).total_cmp(&cost(other)))?;
    let most = asking().max_by(|one, other| cost(one).total_cmp(&cost(other)))?;
    Some(format!(
        "Asking SQS and CloudWatch cost from {} ({}) to {} ({}) in the run.",
        dollars(cost(&least)),
        least.policy,
        dollars(cost(&most)),
        most.policy,
    ))
}

fn chance(comparison: &Comparison) -> Option<String> {
    (comparison.seeds.len() == 1).then(|| {
        "This is one seed: differences of a few percent may be chance. --seeds 10 shows whether they \
         are."
            .to_owned()
    })
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
