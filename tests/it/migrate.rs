//! `sluice migrate` as it is typed: what it prints where, what it writes, and how it ends.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::planted::secrets::looked_at;

const MANIFESTS: [&str; 4] = [
    "processor.yaml",
    "gitops-lab.yaml",
    "sales-events.yaml",
    "encoder.yaml",
];

/// What is said of one of them, all of it.
const SAID: &str = r#"--- a/processor.yaml
+++ b/processor.yaml
@@ -23,10 +23,11 @@
   pollingInterval: 15
   cooldownPeriod: 300
   triggers:
-  - type: aws-sqs-queue
+  - type: external-push
     authenticationRef:
       name: aws-pod-identity
     metadata:
+      scalerAddress: sluice.keda.svc:9090
       # 1-5 messages: one pod; 46-50: ten
       queueURL: https://sqs.{AWS_REGION}.amazonaws.com/{AWS_ACCOUNT_ID}/{QUEUE_NAME}
       queueLength: "5"

To know:
- processor.yaml:26:11: default/sqs-processor: KEDA forwards no credentials to external scalers: authenticationRef "aws-pod-identity", pod identity aws-eks: the role of KEDA's operator or of the workload. Sluice reads the queue as itself: attach the policy below to the role of its service account. The reference stays, without effect

The role of Sluice's service account needs this policy, and no other permission:
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReadQueues",
      "Effect": "Allow",
      "Action": "sqs:GetQueueAttributes",
      "Resource": [
        "arn:aws:sqs:{AWS_REGION}:{AWS_ACCOUNT_ID}:{QUEUE_NAME}"
      ]
    },
    {
      "Sid": "ReadMetrics",
      "Effect": "Allow",
      "Action": "cloudwatch:GetMetricData",
      "Resource": [
        "*"
      ]
    }
  ]
}
"#;

fn original(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    fs::read_to_string(path.join(name)).expect("a manifest")
}

/// A folder with a copy of the manifests.
fn given_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    for name in MANIFESTS {
        fs::write(folder.join(name), original(name)).expect("a file");
    }
    folder
}

fn migrate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.arg("migrate").args(arguments).current_dir(folder);
    command.output().map(looked_at).expect("the binary")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn all_that_is_said_of_a_manifest() {
    let folder = given_folder("migrate-said");
    let output = migrate(&folder, &["processor.yaml"]);
    assert_eq!(log(&output), SAID);
    assert_eq!(output.status.code(), Some(0));
    let migrated = out(&output);
    assert!(migrated.contains("type: external-push"), "{migrated}");
    assert_eq!(
        migrated.lines().count(),
        original("processor.yaml").lines().count() + 1
    );
}

#[test]
fn files_are_migrated_in_place_and_back_byte_for_byte() {
    let folder = given_folder("migrate-in-place");
    let there = [
        &MANIFESTS[..],
        &["--in-place", "--scaler-address=scaler.shop:1"],
    ]
    .concat();
    let output = migrate(&folder, &there);
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        log(&output)
    );
    for name in MANIFESTS {
        let text = fs::read_to_string(folder.join(name)).expect("a file");
        assert!(
            text.contains("scaler.shop:1") && text != original(name),
            "{text}"
        );
    }
    assert_eq!(
        migrate(&folder, &[&MANIFESTS[..], &["--check"]].concat())
            .status
            .code(),
        Some(0)
    );
    let back = [&there[..], &["--reverse"]].concat();
    assert!(migrate(&folder, &back).status.success());
    for name in MANIFESTS {
        assert_eq!(
            fs::read_to_string(folder.join(name)).expect("a file"),
            original(name)
        );
    }
    // Nothing is left of the writing.
    assert_eq!(
        fs::read_dir(&folder).expect("a folder").count(),
        MANIFESTS.len()
    );
}

#[test]
fn a_check_prints_the_diff_and_ends_with_1_while_something_is_left() {
    let folder = given_folder("migrate-check");
    let output = migrate(&folder, &["--check", "encoder.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        out(&output).contains("+        scaledJob: accurate\n"),
        "{}",
        out(&output)
    );
    assert_eq!(
        fs::read_to_string(folder.join("encoder.yaml")).expect("a file"),
        original("encoder.yaml")
    );
}

#[test]
fn standard_input_is_a_file_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["migrate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut input = child.stdin.take().expect("a pipe");
    input
        .write_all(original("sales-events.yaml").as_bytes())
        .expect("room");
    drop(input);
    let output = child.wait_with_output().map(looked_at).expect("an end");
    assert_eq!(
        out(&output).matches("scalerAddress").count(),
        4,
        "{}",
        log(&output)
    );
    assert!(
        log(&output).contains("standard-input:23:13: "),
        "{}",
        log(&output)
    );
}

#[test]
fn several_files_are_printed_as_documents_of_one() {
    let folder = given_folder("migrate-several");
    let output = migrate(&folder, &["processor.yaml", "encoder.yaml"]);
    assert_eq!(
        out(&output).matches("\n---\n").count(),
        3,
        "{}",
        out(&output)
    );
}

#[test]
fn nothing_is_written_when_one_of_the_files_is_refused() {
    let folder = given_folder("migrate-refused");
    let text = original("encoder.yaml").replace("triggers:", "triggers: [");
    fs::write(folder.join("encoder.yaml"), &text).expect("a file");
    let output = migrate(&folder, &["--in-place", "processor.yaml", "encoder.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(log(&output).contains("encoder.yaml:"), "{}", log(&output));
    assert_eq!(
        fs::read_to_string(folder.join("processor.yaml")).expect("a file"),
        original("processor.yaml")
    );
    let output = migrate(&folder, &["none.yaml"]);
    assert!(
        log(&output).contains("cannot read none.yaml"),
        "{}",
        log(&output)
    );
    assert_eq!(
        migrate(&folder, &["--in-place", "-"]).status.code(),
        Some(1)
    );
    let output = migrate(&folder, &["--scaler-address=here", "processor.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        log(&output).contains("expected host:port"),
        "{}",
        log(&output)
    );
}
