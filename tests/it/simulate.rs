//! `sluice simulate` as it is typed: what it prints, what it writes, and what it says of bad files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::planted::secrets::looked_at;

/// Ten minutes of work, so that a run takes no time.
const TRACE: &str = "minute,messages\n0,120\n1,600\n2,0\n5,60\n";

const SCENARIO: &str = r#"name = "ten minutes"
workload = "load.csv"
target_wait_seconds = 60
policies = ["sluice=5", "step"]
seeds = 2

[work]
message_seconds = 2
spread = "constant"
"#;

const OBJECT: &str = r#"kind: ScaledObject
metadata:
  name: orders
spec:
  maxReplicaCount: 20
  triggers:
    - type: aws-sqs-queue
      metadata:
        queueURL: https://sqs.eu-west-1.amazonaws.com/123456789012/orders
        queueLength: "7"
        awsRegion: eu-west-1
"#;

/// A folder with the files of a test.
fn given_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in [
        ("load.csv", TRACE),
        ("load.toml", SCENARIO),
        ("orders.yaml", OBJECT),
    ] {
        fs::write(folder.join(name), text).expect("a file");
    }
    folder
}

fn simulate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.arg("simulate").args(arguments).current_dir(folder);
    command.output().map(looked_at).expect("the binary")
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = simulate(folder, arguments);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    String::from_utf8(output.stdout).expect("text")
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = simulate(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let folder = given_folder("simulate-bytes");
    let json = |seed| {
        printed(
            &folder,
            &["--scenario", "load.toml", "--json", "--seed", seed],
        )
    };
    assert_eq!(json("1"), json("1"));
    assert_ne!(json("1"), json("9"));
}

#[test]
fn the_json_has_each_run_and_the_first_one_over_time() {
    let folder = given_folder("simulate-json");
    let text = printed(&folder, &["--scenario", "load.toml", "--output", "json"]);
    let found: serde_json::Value = serde_json::from_str(&text).expect("JSON alone");
    assert_eq!(found["workload"], "ten minutes");
    let row = &found["rows"][0];
    assert_eq!(row["policy"], "sluice=5");
    assert_eq!(row["outcome"]["sent_messages"], 780);
    assert_eq!(row["runs"].as_array().map(Vec::len), Some(2));
    let timeline = &row["timeline"];
    let points = timeline["wanted_replicas"]
        .as_array()
        .expect("numbers")
        .len();
    assert!((360..=720).contains(&points), "{points}");
    assert_eq!(
        timeline["oldest_age_seconds"].as_array().map(Vec::len),
        Some(points)
    );
}

#[test]
fn the_csv_has_a_line_for_each_run() {
    let folder = given_folder("simulate-csv");
    let text = printed(&folder, &["--scenario", "load.toml", "--csv"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 2 * 2);
    let column = lines[0]
        .iter()
        .position(|name| *name == "pod_hours")
        .expect("a column");
    for line in &lines[1..] {
        assert_eq!(line.len(), lines[0].len());
        assert!(line[column].parse::<f64>().expect("a number") > 0.0);
    }
}

#[test]
fn the_users_own_object_is_compared_and_the_report_asks_nobody() {
    let folder = given_folder("simulate-report");
    let arguments = [
        "load.csv",
        "--scaledobject",
        "orders.yaml",
        "--policy",
        "sluice=7",
    ];
    let files = ["--report", "report.html", "--chart", "chart.svg"];
    let text = printed(&folder, &[&arguments[..], &files[..]].concat());
    assert!(text.contains("your orders"), "{text}");
    let page = fs::read_to_string(folder.join("report.html")).expect("a report");
    assert!(page.contains("your orders") && page.contains("<svg"));
    for request in ["http:", "https:", "src=", "url(", "<script", "<link"] {
        assert!(!page.contains(request), "{request}");
    }
    let chart = fs::read_to_string(folder.join("chart.svg")).expect("a chart");
    assert!(chart.starts_with("<svg xmlns="));
}

#[test]
fn flags_say_more_than_the_file() {
    let folder = given_folder("simulate-flags");
    let arguments = [
        "--scenario",
        "load.toml",
        "--policy",
        "fixed=3",
        "--target-wait-seconds",
        "90",
    ];
    let text = printed(&folder, &arguments);
    assert!(
        text.starts_with("ten minutes: a message may wait 90 s"),
        "{text}"
    );
    assert!(
        text.contains("fixed=3") && !text.contains("sluice=5"),
        "{text}"
    );
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_its_place() {
    let folder = given_folder("simulate-refused");
    let write = |name: &str, text: String| fs::write(folder.join(name), text).expect("a file");
    write("bad.toml", SCENARIO.replace("= 60", "= \"soon\""));
    write("bad.yaml", OBJECT.replace("\"7\"", "\"seven\""));
    write("bad.csv", TRACE.replace("600", "many"));
    let table = [
        (["--scenario", "bad.toml"].as_slice(), "bad.toml:3:23: "),
        (
            ["--scaledobject", "bad.yaml"].as_slice(),
            "bad.yaml:10:22: ",
        ),
        (["bad.csv"].as_slice(), "bad.csv:3:3: "),
        (
            ["--scenario", "none.toml"].as_slice(),
            "cannot read none.toml",
        ),
        (
            ["load.csv", "--report", "no/such/folder.html"].as_slice(),
            "cannot write no/such",
        ),
    ];
    for (arguments, part) in table {
        let log = refused(&folder, arguments);
        assert!(log.contains(part), "{part}: {log}");
    }
}
