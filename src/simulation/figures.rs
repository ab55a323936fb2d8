//! How measures are written for people: in tables, charts and sentences alike.

use super::numbers::count;

/// Seconds, with a decimal where there are few.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} s", grouped(count(seconds)))
    }
}

/// A share of 1 as percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A cost or a ratio, with as many decimals as make three digits.
pub(super) fn three_digits(number: f64) -> String {
    match number {
        below if below < 10.0 => format!("{below:.2}"),
        below if below < 100.0 => format!("{below:.1}"),
        large => grouped(count(large)),
    }
}

/// Small amounts of money are not zero.
pub(super) fn dollars(dollars: f64) -> String {
    if dollars > 0.0 && dollars < 0.01 {
        format!("${dollars:.4}")
    } else {
        format!("${dollars:.2}")
    }
}

/// A whole number, its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let texts = [0, 999, 1_000, 200_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "200,000", "1,234,567"]);
    }

    #[test]
    fn measures_have_as_many_digits_as_mean_something() {
        assert_eq!(seconds(1.25), "1.2 s");
        assert_eq!(seconds(5_012.3), "5,012 s");
        assert_eq!(percent(0.005), "0.50 %");
        assert_eq!(
            [0.5, 12.34, 5_012.0].map(three_digits),
            ["0.50", "12.3", "5,012"]
        );
        assert_eq!(
            [0.0, 0.0004, 1.5].map(dollars),
            ["$0.00", "$0.0004", "$1.50"]
        );
    }
}
