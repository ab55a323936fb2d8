//! The tables of the README against the help of the worker.

use std::collections::BTreeSet;
use std::process::Command;

use crate::planted::looked_at;

fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice-worker"));
    let ended = command
        .args(arguments)
        .env_clear()
        .env("COLUMNS", "1000")
        .output();
    String::from_utf8(looked_at(ended.unwrap()).stdout).unwrap()
}

/// The variables that are named as `[env: NAME=...]`, with their defaults.
fn variables(help: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for option in help.lines() {
        let after = |mark: &str, end: &[char]| {
            let rest = option.split_once(mark)?.1;
            rest.split(end).next().map(ToOwned::to_owned)
        };
        if let Some(name) = after("[env: ", &['=', ']']) {
            found.insert((name, after("[default: ", &[']']).unwrap_or_default()));
        }
    }
    found
}

/// The first two columns of the rows whose first is a variable.
fn rows() -> BTreeSet<(String, String)> {
    let readme = include_str!("../../README.md");
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`');
        let is_variable = name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '_' || c == '3');
        is_variable.then(|| (name.to_owned(), cells.next().unwrap_or_default().to_owned()))
    });
    rows.collect()
}

#[test]
fn every_variable_stands_in_the_readme_with_its_default_and_no_other_does() {
    let mut expected = variables(&help(&["--help"]));
    for mode in ["produce", "redrive", "analyze", "send"] {
        expected.extend(variables(&help(&[mode, "--help"])));
    }
    let names = |set: &BTreeSet<(String, String)>| -> BTreeSet<String> {
        set.iter().map(|(name, _)| name.clone()).collect()
    };
    let rows = rows();
    assert_eq!(names(&rows), names(&expected));
    for (name, default) in rows {
        let is_word = !default.is_empty() && !default.contains(' ');
        if is_word && default != "required" {
            assert!(
                expected.contains(&(name.clone(), default.clone())),
                "{name}: {default}"
            );
        }
    }
}
