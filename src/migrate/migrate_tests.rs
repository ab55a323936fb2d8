//! What a migration changes, what it leaves alone, what it refuses and what it says.

use super::*;

const ADDRESS: &str = "sluice.keda.svc:9090";

/// Manifests with the numbers of systems that are in use.
const MANIFESTS: [(&str, &str, usize); 4] = [
    (
        "processor.yaml",
        include_str!("../../tests/manifests/processor.yaml"),
        1,
    ),
    (
        "gitops-lab.yaml",
        include_str!("../../tests/manifests/gitops-lab.yaml"),
        1,
    ),
    (
        "sales-events.yaml",
        include_str!("../../tests/manifests/sales-events.yaml"),
        4,
    ),
    (
        "encoder.yaml",
        include_str!("../../tests/manifests/encoder.yaml"),
        1,
    ),
];

const PLAIN: &str = "\
kind: ScaledObject
spec:
  triggers:
    - type: aws-sqs-queue
      metadata:
        queueURL: orders
        awsRegion: eu-west-1
";

fn settings(direction: Direction) -> MigrateSettings {
    MigrateSettings {
        direction,
        scaler_address: ADDRESS.to_owned(),
    }
}

fn there(text: &str) -> Result<Rewritten, ManifestError> {
    rewrite("orders.yaml", text, &settings(Direction::ToSluice))
}

fn back(text: &str) -> Result<Rewritten, ManifestError> {
    rewrite("orders.yaml", text, &settings(Direction::ToBuiltIn))
}

fn noted(file: Rewritten, direction: Direction) -> String {
    let notes: Vec<String> = notes(&[file], direction)
        .iter()
        .map(Note::to_string)
        .collect();
    notes.join("\n")
}

#[test]
fn manifests_in_use_go_there_and_back_byte_for_byte() {
    for (name, text, triggers) in MANIFESTS {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let there = there(&text).unwrap();
            assert_eq!(there.triggers.len(), triggers, "{name}");
            assert_ne!(there.after, text);
            assert_eq!(back(&there.after).unwrap().after, text, "{name}");
            // A second time there is nothing to do.
            assert!(
                !rewrite(name, &there.after, &settings(Direction::ToSluice))
                    .unwrap()
                    .is_changed()
            );
        }
    }
}

#[test]
fn a_trigger_gets_another_type_and_an_address_and_nothing_else_changes() {
    let expected = "\
--- a/orders.yaml
+++ b/orders.yaml
@@ -1,7 +1,8 @@
 kind: ScaledObject
 spec:
   triggers:
-    - type: aws-sqs-queue
+    - type: external-push
       metadata:
+        scalerAddress: sluice.keda.svc:9090
         queueURL: orders
         awsRegion: eu-west-1
";
    assert_eq!(there(PLAIN).unwrap().diff(), expected);
    assert_eq!(back(PLAIN).unwrap().diff(), "");
}

#[test]
fn a_scaled_job_is_polled_and_says_its_strategy() {
    let strategies = [
        ("", "default"),
        ("\n  scalingStrategy: {}", "default"),
        ("\n  scalingStrategy: {strategy: accurate}", "accurate"),
        ("\n  scalingStrategy:\n    strategy: 'eager'", "eager"),
        ("\n  scalingStrategy: {strategy: custom}", "custom"),
        ("\n  scalingStrategy: {strategy: later}", "default"),
    ];
    for (spec, strategy) in strategies {
        let text = PLAIN
            .replace("ScaledObject", "ScaledJob")
            .replace("spec:", &format!("spec:{spec}"));
        let after = there(&text).unwrap().after;
        assert!(after.contains("type: external\n"), "{after}");
        let lines = format!("        scalerAddress: {ADDRESS}\n        scaledJob: {strategy}\n");
        assert!(after.contains(&lines), "{after}");
        assert_eq!(back(&after).unwrap().after, text);
    }
}

#[test]
fn what_is_not_about_a_queue_stays_as_it_is() {
    for text in [
        "",
        "# nothing\n",
        "kind: Deployment\nspec: {triggers: [{type: aws-sqs-queue, metadata: {queueURL: a}}]}\n",
        "apiVersion: other.io/v1\nkind: ScaledObject\nspec: {triggers: [{type: aws-sqs-queue}]}\n",
        "kind: ScaledObject\nspec: {triggers: [{type: cpu, metadata: {value: '80'}}]}\n",
        "kind: ScaledObject\nspec: {triggers: [{metadata: {value: '80'}}]}\n",
        "kind: ScaledObject\nspec:\n",
        "- just\n- a list\n",
        "kind: ConfigMap\ndata:\n  x: |\n    kind: ScaledObject\n    spec: {triggers: [{type: aws-sqs-queue}]}\n",
    ] {
        let file = there(text).unwrap();
        assert!(!file.is_changed() && file.triggers.is_empty(), "{text}");
    }
}

#[test]
fn comments_and_blank_lines_stay_where_they_are() {
    let text = PLAIN.replace(
        "metadata:\n",
        "metadata: # of the queue\n\n        # its URL\n",
    );
    let after = there(&text).unwrap().after;
    let expected = format!(
        "      metadata: # of the queue\n        scalerAddress: {ADDRESS}\n\n        # its URL\n        queueURL"
    );
    assert!(after.contains(&expected), "{after}");
    // What somebody wrote behind the address stays as well.
    let commented = after.replace(ADDRESS, &format!("{ADDRESS} # by migrate"));
    assert!(back(&commented).unwrap().after.contains("# by migrate"));
}

#[test]
fn two_triggers_may_share_what_they_are_written_with() {
    let shared = "kind: ScaledObject\nspec:\n  triggers:\n    - type: &type aws-sqs-queue\n      metadata: &queue\n        \
                  queueURL: orders\n        awsRegion: eu-west-1\n    - type: *type\n      metadata: *queue\n";
    let merged = "kind: ScaledObject\nspec:\n  triggers:\n    - &trigger\n      type: aws-sqs-queue\n      metadata:\n        \
                  queueURL: orders\n        awsRegion: eu-west-1\n    - <<: *trigger\n      name: again\n    - *trigger\n";
    for (text, triggers) in [(shared, 2), (merged, 3)] {
        let there = there(text).unwrap();
        assert_eq!(there.triggers.len(), triggers);
        assert_eq!(there.after.matches(ADDRESS).count(), 1, "{}", there.after);
        assert_eq!(back(&there.after).unwrap().after, text);
    }
}

/// The plain manifest with something in it written otherwise.
fn with(from: &str, to: &str) -> String {
    PLAIN.replace(from, to)
}

fn assert_refused(text: &str, start: &str, part: &str) {
    let error = there(text).expect_err(text).to_string();
    let is_said = error.starts_with(start) && error.contains(part);
    assert!(is_said, "{text}\n{error}");
}

#[test]
fn what_is_written_oddly_is_refused_with_its_place() {
    let table = [
        (
            with("aws-sqs-queue", "\"aws-sqs\\x2dqueue\""),
            "4:13: ",
            "without escapes",
        ),
        (
            with("aws-sqs-queue", "|-\n        aws-sqs-queue"),
            "5:9: ",
            "plain or in quotes",
        ),
        (
            with("orders", "orders\n        x: [a]"),
            "7:12: ",
            "expected a text",
        ),
        (
            with("queueURL: orders", "queue: orders"),
            "6:9: ",
            "with queueURL or queueURLFromEnv",
        ),
        (
            with("awsRegion: eu-west-1", "scalerAddress: old:1"),
            "7:24: ",
            "does not read \"scalerAddress\"",
        ),
        (
            with(
                "      metadata:",
                "      type: aws-sqs-queue\n      metadata:",
            ),
            "5:7: ",
            "expected \"type\" once",
        ),
        (
            "kind: ScaledObject\nspec: {triggers: [{type: aws-sqs-queue}]}".to_owned(),
            "2:19: ",
            "with metadata",
        ),
        (
            "kind: ScaledObject\nspec: [\n".to_owned(),
            "2:7: no YAML",
            "",
        ),
        (
            "kind: ScaledObject\nspec: &b\n  <<: *b\n".to_owned(),
            "",
            "merge keys",
        ),
    ];
    for (text, start, part) in table {
        assert_refused(&text, &format!("orders.yaml:{start}"), part);
    }
}

#[test]
fn what_something_else_is_written_with_is_not_changed() {
    let named = "aws-sqs-queue\n      name: *t";
    let text = with("aws-sqs-queue", &format!("&t {named}"));
    assert_refused(&text, "orders.yaml:5:13: ", "repeats, by its anchor");
    let label = format!(
        "labels: {{a: &t aws-sqs-queue, b: *t}}\n{}",
        with("aws-sqs-queue", "*t")
    );
    assert_refused(&label, "orders.yaml:1:34: ", "repeats, by its anchor");
}

#[test]
fn what_is_odd_and_can_be_done_is_undone_exactly() {
    for text in [
        with("        queueURL", "        ? queueURL\n       "),
        "kind: &a {<<: *a}\nspec: {<<: &b {<<: *b}}\n".to_owned(),
        with("aws-sqs-queue", "!!str aws-sqs-queue"),
        with("metadata:", "metadata: !!map"),
        with("queueURL: orders", "queueURL: >-\n          orders"),
        with("orders\n", "orders\r\n"),
        format!("\u{feff}{PLAIN}"),
        format!("{PLAIN}..."),
        PLAIN.trim_end().to_owned(),
    ] {
        if let Ok(there) = there(&text) {
            assert_eq!(back(&there.after).unwrap().after, text);
        }
    }
}

#[test]
fn a_template_is_refused_with_what_to_do_first() {
    let text = "{{- if .Values.keda }}\nkind: ScaledObject\n{{- end }}\n";
    let error = there(text).unwrap_err().to_string();
    assert!(
        error.starts_with("orders.yaml:") && error.contains("helm template"),
        "{error}"
    );
    let text = PLAIN.replace("orders", "{{ .Values.queue }}");
    let error = there(&text).unwrap_err().to_string();
    assert!(
        error.starts_with("orders.yaml:6:19: ") && error.contains("helm template"),
        "{error}"
    );
}

#[test]
fn credentials_that_keda_does_not_forward_are_named() {
    let (_, text, _) = MANIFESTS[2];
    let file = there(text).unwrap();
    let policy = policy(std::slice::from_ref(&file)).unwrap().json();
    assert!(
        policy.contains("\"arn:aws:sqs:us-east-2:123456789012:reliable_message_q\""),
        "{policy}"
    );
    assert_eq!(policy.matches("arn:").count(), 1, "{policy}");
    let text = noted(file, Direction::ToSluice);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0]
            .starts_with("orders.yaml:23:13: sales-events-consumer-ns/sales-events-consumer-pod: "),
        "{text}"
    );
    assert!(
        lines[0].contains("\"consumer-irsa\", which is in none of these files"),
        "{text}"
    );
    assert!(
        lines[1].contains("\"keys-from-secret\", static keys by secretTargetRef"),
        "{text}"
    );
}

#[test]
fn a_role_and_placeholders_are_told_as_they_are() {
    let (_, text, _) = MANIFESTS[0];
    let role = "provider: aws\n    roleArn: arn:aws:iam::1:role/r";
    let file = there(&text.replace("provider: aws-eks", role)).unwrap();
    let policy = policy(std::slice::from_ref(&file)).unwrap().json();
    assert!(
        policy.contains("\"arn:aws:sqs:{AWS_REGION}:{AWS_ACCOUNT_ID}:{QUEUE_NAME}\""),
        "{policy}"
    );
    let text = noted(file, Direction::ToSluice);
    assert!(
        text.contains("pod identity aws with the role arn:aws:iam::1:role/r"),
        "{text}"
    );
}

#[test]
fn what_the_scaler_will_say_is_said_before() {
    let texts = [
        (
            "queueURL: orders",
            "queueURL: orders\n        queueLenght: '1'",
            "did you mean \"queueLength\"?",
        ),
        (
            "        awsRegion: eu-west-1\n",
            "",
            "add awsRegion to the metadata",
        ),
        (
            "queueURL: orders",
            "queueURL: orders\n        queueLength: many",
            "Sluice will refuse it as it stands",
        ),
    ];
    for (from, to, expected) in texts {
        let file = there(&PLAIN.replace(from, to)).unwrap();
        let text = noted(file, Direction::ToSluice);
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(noted(there(PLAIN).unwrap(), Direction::ToSluice), "");
    let (_, encoder, _) = MANIFESTS[3];
    let text = noted(there(encoder).unwrap(), Direction::ToSluice);
    assert!(
        text.contains("with the strategy accurate messages in flight are not counted"),
        "{text}"
    );
}

#[test]
fn the_way_back_says_what_it_leaves() {
    let after = there(PLAIN).unwrap().after;
    let ours = after.replace(
        "queueURL: orders",
        "queueURL: orders\n        targetWaitSeconds: '60'",
    );
    let file = back(&ours).unwrap();
    assert!(file.after.contains("targetWaitSeconds"));
    let text = noted(file, Direction::ToBuiltIn);
    assert!(
        text.contains("does not read targetWaitSeconds: it stays"),
        "{text}"
    );

    let elsewhere = back(&after.replace(ADDRESS, "other:1")).unwrap();
    assert!(!elsewhere.is_changed());
    let text = noted(elsewhere, Direction::ToBuiltIn);
    assert!(
        text.contains("is left alone: its scalerAddress is \"other:1\""),
        "{text}"
    );

    let job = there(&PLAIN.replace("ScaledObject", "ScaledJob"))
        .unwrap()
        .after;
    let file = back(&job.replace("scaledJob: default", "scaledJob: eager")).unwrap();
    assert!(file.after.contains("scaledJob: eager"));
}

#[test]
fn a_file_that_is_no_manifest_is_refused_by_its_size() {
    let error = there(&"#".repeat(manifest::FILE_BYTES_MAX + 1))
        .unwrap_err()
        .to_string();
    assert!(error.contains("expected at most"), "{error}");
}
