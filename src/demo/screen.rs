//! The run as rows of text, one a second: a picture of the backlog that grows downwards.

use std::io::{self, Write};

use super::summary::Sight;

const BAR_WIDTH: u64 = 24;

/// The heading over the rows.
pub(super) fn heading(to: &mut impl Write) -> io::Result<()> {
    writeln!(
        to,
        "{:>5}  {:<24} {:>7} {:>9} {:>6} {:>6} {:>4} {:>6}  why",
        "time", "backlog", "waiting", "in flight", "oldest", "wanted", "pods", "done"
    )
}

/// One row: what is seen, how many replicas are wanted, and why.
pub(super) fn row(
    to: &mut impl Write,
    sight: &Sight,
    backlog_max: u64,
    (wanted, why): (u32, &str),
) -> io::Result<()> {
    writeln!(
        to,
        "{:>4}s  {:<24} {:>7} {:>9} {:>5}s {:>6} {:>4} {:>6}  {why}",
        sight.now.as_secs(),
        bar(sight.visible + sight.in_flight, backlog_max),
        sight.visible,
        sight.in_flight,
        sight.oldest_age.as_secs(),
        wanted,
        sight.pods_alive,
        sight.done,
    )?;
    to.flush()
}

/// A bar of at most [`BAR_WIDTH`] characters; anything above zero shows.
fn bar(value: u64, max: u64) -> String {
    let eighths = (value * BAR_WIDTH * 8)
        .div_ceil(max.max(1))
        .min(BAR_WIDTH * 8);
    let full = usize::try_from(eighths / 8).unwrap_or_default();
    let rest = match eighths % 8 {
        0 => "",
        1 => "▏",
        2 => "▎",
        3 => "▍",
        4 => "▌",
        5 => "▋",
        6 => "▊",
        _ => "▉",
    };
    "█".repeat(full) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!(bar(0, 100), "");
        assert_eq!(bar(1, 5_000), "▏");
        assert_eq!(bar(50, 100), "█".repeat(12));
        assert_eq!(bar(500, 100), "█".repeat(24));
    }
}
