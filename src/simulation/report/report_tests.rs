//! What a page shows of a comparison, and that it asks nobody for anything.

use std::time::Duration;

use super::*;
use crate::simulation::{
    arrivals::Segment,
    compare::compare,
    policy::Policy,
    work::{ServiceTime, Work},
    workloads,
};

fn given_comparison(name: &str) -> Comparison {
    let segment = Segment {
        from: Duration::ZERO,
        until: Duration::from_mins(10),
        messages: 3_000,
    };
    let work = Work::undisturbed(ServiceTime::Exponential(Duration::from_secs(1)), 1);
    let scenario = workloads::scenario(name, vec![segment], work);
    let policies = ["oracle", "queue-length=5", "sluice=5", "fixed=1"]
        .map(|name| name.parse::<Policy>().unwrap());
    compare(&scenario, &policies, &[1], || {})
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let page = page(&given_comparison("ten minutes"));
    assert!(page.starts_with("<!DOCTYPE html>"));
    for word in [
        "http:", "https:", "src=", "url(", "@import", "<script", "<link", "<iframe",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn whatever_a_file_is_called_is_text() {
    let page = page(&given_comparison("<script>alert('&\"')</script>"));
    assert!(!page.contains("<script"));
    assert!(
        page.contains("&lt;script&gt;alert('&amp;&quot;')&lt;/script&gt;"),
        "{}",
        &page[..900]
    );
}

#[test]
fn every_policy_has_its_charts_with_titles_and_a_table() {
    let page = page(&given_comparison("ten minutes"));
    assert_eq!(page.matches("role=\"img\"").count(), 1 + 4 * 3);
    assert_eq!(page.matches("<title>").count(), 1 + 1 + 4 + 4 * 3);
    assert_eq!(page.matches("<table>").count(), 1 + 4);
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn the_words_are_those_of_the_measures() {
    let comparison = given_comparison("ten minutes");
    let rows = ranked(&comparison);
    let text = words::sentences(&rows, &comparison).join("\n");
    let fixed = comparison
        .rows
        .iter()
        .find(|row| row.policy == "fixed=1")
        .unwrap();
    assert!(!fixed.is_met);
    assert!(
        text.contains("3 of 4 policies kept the target of 300 s."),
        "{text}"
    );
    assert!(text.contains("It was missed by fixed=1 ("), "{text}");
    assert!(text.contains("than queue-length=5: "), "{text}");
    assert!(text.contains("This is one seed"), "{text}");
}

#[test]
fn nothing_to_compare_is_a_page_too() {
    let empty = Comparison {
        rows: Vec::new(),
        ..given_comparison("nothing")
    };
    assert!(!page(&empty).contains("NaN"));
}

#[test]
fn the_chart_alone_is_an_svg_file() {
    let chart = chart(&given_comparison("ten minutes"));
    assert!(chart.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\""));
    assert!(chart.contains("<style>") && chart.ends_with("</svg>\n"));
}
