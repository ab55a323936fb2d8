//! Dates of moments since the Unix epoch, in UTC, and the one look at the clock of the machine. Nothing else knows it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY_SECONDS: u64 = 86_400;

/// The machine's time since the Unix epoch.
#[allow(
    clippy::disallowed_methods,
    reason = "requests are signed, and events dated, with the time of the machine"
)]
pub fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// `2026_11_22`.
pub fn path_date(moment: Duration) -> String {
    let (year, month, day) = civil(moment.as_secs() / DAY_SECONDS);
    format!("{year:04}_{month:02}_{day:02}")
}

/// `2026-11-22 14:05:09`, with what stands between date and time.
pub fn timestamp(moment: Duration, between: char) -> String {
    let seconds = moment.as_secs();
    let (year, month, day) = civil(seconds / DAY_SECONDS);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day after so many days. Years begin in March here, so that a leap day is the last of its year; 400
/// years are 146,097 days.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        let table = [
            (0, "1970_01_01"),
            (951_782_400, "2000_02_29"),
            (951_868_800, "2000_03_01"),
            (1_709_164_800, "2024_02_29"),
            (1_735_689_599, "2024_12_31"),
            (4_107_542_400, "2100_03_01"),
        ];
        for (seconds, expected) in table {
            assert_eq!(path_date(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_timestamp_is_to_the_second() {
        let moment = Duration::from_secs(1_735_689_599);
        assert_eq!(timestamp(moment, 'T'), "2024-12-31T23:59:59");
    }
}
