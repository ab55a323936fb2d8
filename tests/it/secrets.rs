//! That the tests hide nothing from the search for secrets: each secret of theirs has the mark, each output is looked at, and
//! what has the mark is found.

use std::{fs, path::Path, process::Command};

use crate::{
    layering::sources,
    planted::secrets::{MARK, SECRET, assert_no_secret, looked_at},
};

/// After these comes a secret.
const BEFORE_SECRETS: [&str; 6] = [
    "env(\"AWS_SECRET_ACCESS_KEY\",",
    "(\"AWS_SECRET_ACCESS_KEY\",",
    "(\"awsSecretAccessKeyFromEnv\",",
    "\"SecretAccessKey\":",
    "Credentials::new(\"AKIALOCAL\",",
    "Secret::new(",
];

/// The sources of all tests that start programs, with their names.
fn tests() -> Vec<(String, String)> {
    let folders = ["tests/it", "tests/chaos", "tests/planted", "worker/tests"];
    let paths = folders.into_iter().flat_map(sources);
    let this = Path::new(file!()).file_name().expect("a name");
    let others = paths.filter(|path| path.file_name() != Some(this));
    others
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source in UTF-8");
            (path.display().to_string(), text)
        })
        .collect()
}

#[test]
fn every_secret_of_a_test_has_the_mark() {
    let mut found = 0;
    for (name, text) in tests() {
        for before in BEFORE_SECRETS {
            for (at, _) in text.match_indices(before) {
                let rest = text[at + before.len()..].trim_start();
                assert!(
                    rest.starts_with("SECRET")
                        || rest.starts_with("\"\"")
                        || rest.starts_with(&format!("\"{MARK}")),
                    "{name}: after {before} comes a secret without the mark"
                );
                found += 1;
            }
        }
    }
    assert!(found > 10, "{found}");
    assert!(SECRET.starts_with(MARK));
}

#[test]
fn every_output_that_a_test_collects_is_looked_at() {
    for (name, text) in tests() {
        let count = |words: &[&str]| -> usize {
            let found = words.iter().map(|word| text.matches(word).count());
            found.sum()
        };
        let collected = count(&[".output()", "wait_with_output()", "Stdio::piped()"]);
        let seen = count(&[
            "looked_at(",
            "(looked_at)",
            "Log::with_line(",
            "Lines::collect(",
        ]);
        let pipes_to_programs = count(&["stdin(Stdio::piped())", "let output = child"]);
        assert!(
            !text.contains("CARGO_BIN_EXE") || collected <= seen + 2 * pipes_to_programs,
            "{name}: outputs that are not looked at"
        );
    }
}

#[test]
#[should_panic(expected = "a secret is in the output")]
fn a_program_that_says_a_secret_is_found_out() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    let output = command.args(["explain", SECRET]).output();
    looked_at(output.expect("the binary"));
}

#[test]
#[should_panic(expected = "a secret is in the output")]
fn a_secret_among_other_bytes_is_found() {
    assert_no_secret([b"\xff\nkey=".as_slice(), SECRET.as_bytes(), b"\xfe"].concat());
}

/// CI plants this to see that it finds what has the mark in the output of a whole run.
#[test]
fn what_is_planted_is_printed() {
    if std::env::var_os("SLUICE_PLANT_A_LEAK").is_some() {
        #[allow(clippy::print_stdout, reason = "it is the leak")]
        {
            println!("key={SECRET}");
        }
    }
}
