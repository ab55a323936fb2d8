//! The portable rows of KEDA's own table for `aws-sqs-queue`, and what it leaves open.

use std::time::Duration;

use super::*;
use crate::scaling::Secret;

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/account_id/DeleteArtifactQ";

fn given_metadata(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The metadata that KEDA's table varies, with `changes` on top.
fn given_trigger(changes: &[(&str, &str)]) -> HashMap<String, String> {
    let mut metadata = given_metadata(&[
        ("queueURL", URL),
        ("queueLength", "1"),
        ("awsRegion", "eu-west-1"),
    ]);
    metadata.extend(given_metadata(changes));
    metadata
}

fn assert_parses(metadata: &HashMap<String, String>) -> Trigger {
    match Trigger::parse(metadata) {
        Ok(trigger) => trigger,
        Err(error) => panic!("{metadata:?} should parse, but: {error}"),
    }
}

fn assert_error(metadata: &HashMap<String, String>, expected: &str) {
    match Trigger::parse(metadata) {
        Ok(trigger) => panic!("{metadata:?} should be refused, but: {trigger:?}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

const TWICE: &str = "error parsing SQS queue metadata: error parsing SQS queue metadata: ";
const NO_NAME: &str = "error parsing SQS queue metadata: cannot get queueName from queueURL";

#[test]
fn row_1_nothing_at_all() {
    let expected = format!(
        "{TWICE}missing required parameter \"queueURL\" in [triggerMetadata resolvedEnv]\n\
         missing required parameter \"awsRegion\" in [triggerMetadata authParams]"
    );
    assert_error(&HashMap::new(), &expected);
}

#[test]
fn row_2_properly_formed() {
    let trigger = assert_parses(&given_trigger(&[]));
    assert_eq!(trigger.metric_name, "aws-sqs-DeleteArtifactQ");
    assert_eq!(
        trigger.policy,
        ScalingPolicy {
            queue_length: 1,
            ..ScalingPolicy::default()
        }
    );
    assert_eq!(trigger.queue.identity, Identity::Own);
    assert!(trigger.warnings.is_empty());
}

#[test]
fn row_3_custom_endpoint() {
    let trigger = assert_parses(&given_trigger(&[("awsEndpoint", "http://localhost:4566")]));
    assert_eq!(
        trigger.queue.endpoint.as_deref(),
        Some("http://localhost:4566")
    );
}

#[test]
fn rows_4_and_5_url_without_a_queue() {
    for url in [
        "https://sqs.eu-west-1.amazonaws.com/account_id",
        "https://sqs.eu-west-1.amazonaws.com",
    ] {
        assert_error(&given_trigger(&[("queueURL", url)]), NO_NAME);
    }
}

#[test]
fn row_6_empty_region() {
    let expected =
        format!("{TWICE}missing required parameter \"awsRegion\" in [triggerMetadata authParams]");
    assert_error(&given_trigger(&[("awsRegion", "")]), &expected);
    assert_error(&given_trigger(&[("awsRegion", "  ")]), &expected);
}

#[test]
fn row_7_queue_length_that_is_no_number() {
    let expected = format!(
        "{TWICE}unable to set param \"queueLength\" value \"a\": unable to unmarshal to field type \
         int64: invalid character 'a' looking for beginning of value"
    );
    assert_error(&given_trigger(&[("queueLength", "a")]), &expected);
}

#[test]
fn row_8_activation_queue_length() {
    let trigger = assert_parses(&given_trigger(&[("activationQueueLength", "1")]));
    assert_eq!(trigger.policy.activation_queue_length, 1);
    let expected = format!(
        "{TWICE}unable to set param \"activationQueueLength\" value \"a\": unable to unmarshal to \
         field type int64: invalid character 'a' looking for beginning of value"
    );
    assert_error(&given_trigger(&[("activationQueueLength", "a")]), &expected);
}

#[test]
fn row_12_the_operator_is_the_scaler_itself() {
    let trigger = assert_parses(&given_trigger(&[
        ("identityOwner", "operator"),
        ("awsAccessKeyIDFromEnv", "ignored"),
    ]));
    assert_eq!(trigger.queue.identity, Identity::Own);
}

#[test]
fn row_13_a_bare_queue_name() {
    for flag in ["true", "false"] {
        let trigger = assert_parses(&given_trigger(&[
            ("queueURL", "my-queue"),
            ("scaleOnInFlight", flag),
        ]));
        assert_eq!(trigger.metric_name, "aws-sqs-my-queue");
        assert_eq!(trigger.queue.url, "my-queue");
        assert_eq!(trigger.policy.scale_on_in_flight, flag == "true");
    }
}

#[test]
fn row_14_the_url_from_the_environment() {
    let metadata = given_metadata(&[("queueURLFromEnv", URL), ("awsRegion", "eu-west-1")]);
    assert_eq!(assert_parses(&metadata).queue.url, URL);
}

#[test]
fn row_15_no_url_from_anywhere() {
    let expected =
        format!("{TWICE}missing required parameter \"queueURL\" in [triggerMetadata resolvedEnv]");
    assert_error(&given_metadata(&[("awsRegion", "eu-west-1")]), &expected);
    assert_error(
        &given_metadata(&[("awsRegion", "eu-west-1"), ("queueURLFromEnv", "")]),
        &expected,
    );
}

#[test]
fn the_url_in_the_metadata_comes_before_the_one_in_the_environment() {
    let trigger = assert_parses(&given_trigger(&[("queueURLFromEnv", "other")]));
    assert_eq!(trigger.queue.url, URL);
}

#[test]
fn values_are_trimmed() {
    let trigger = assert_parses(&given_trigger(&[
        ("queueURL", " my-queue\n"),
        ("queueLength", " 7 "),
    ]));
    assert_eq!(
        (trigger.queue.url.as_str(), trigger.policy.queue_length),
        ("my-queue", 7)
    );
}

#[test]
fn all_wrong_values_are_reported_together_in_kedas_order() {
    let metadata = given_metadata(&[
        ("scaleOnDelayed", "no"),
        ("queueLength", "1.5"),
        ("awsRegion", "eu-west-1"),
    ]);
    let expected = format!(
        "{TWICE}unable to set param \"queueLength\" value \"1.5\": unable to unmarshal to field \
         type int64: json: cannot unmarshal number 1.5 into Go value of type int64\n\
         missing required parameter \"queueURL\" in [triggerMetadata resolvedEnv]\n\
         unable to set param \"scaleOnDelayed\" value \"no\": unable to parse boolean value \
         \"no\": strconv.ParseBool: parsing \"no\": invalid syntax"
    );
    assert_error(&metadata, &expected);
}

#[test]
fn keys_from_the_environment_are_used() {
    let trigger = assert_parses(&given_trigger(&[
        ("awsAccessKeyIDFromEnv", "AKIA"),
        ("awsSecretAccessKeyFromEnv", "s3cret"),
    ]));
    let expected = Identity::StaticKeys {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: Secret::new("s3cret"),
    };
    assert_eq!(trigger.queue.identity, expected);
    assert!(!format!("{trigger:?}").contains("s3cret"));
}

#[test]
fn half_a_key_pair_is_refused() {
    assert_error(
        &given_trigger(&[("awsAccessKeyID", "AKIA")]),
        "error parsing SQS queue metadata: awsSecretAccessKey not found",
    );
    assert_error(
        &given_trigger(&[("awsSecretAccessKeyFromEnv", "s3cret")]),
        "error parsing SQS queue metadata: awsAccessKeyID not found",
    );
}

#[test]
fn names_of_metrics_are_normalised_as_kedas() {
    let cases = [
        ("orders.fifo", "aws-sqs-orders-fifo"),
        ("Mixed_Case", "aws-sqs-Mixed_Case"),
        ("a:b%c(d)", "aws-sqs-a-b-c-d-"),
        ("127.0.0.1:4566/000/q", "aws-sqs-127-0-0-1-4566-000-q"),
    ];
    for (name, expected) in cases {
        assert_eq!(metric_name(name), expected);
    }
}

#[test]
fn a_queue_length_that_kubernetes_refuses_is_a_warning_as_keda_parses_it() {
    let trigger = assert_parses(&given_trigger(&[("queueLength", "0")]));
    assert_eq!(
        trigger.warnings,
        [Warning::TargetNotPositive { queue_length: 0 }]
    );
}

#[test]
fn unknown_and_misplaced_keys_are_warnings() {
    let trigger = assert_parses(&given_trigger(&[
        ("queueLenght", "5"),
        ("metricType", "Value"),
        ("scalerAddress", "sluice:9090"),
    ]));
    let texts: Vec<String> = trigger.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "metadata key \"queueLenght\" is unknown and ignored; did you mean \"queueLength\"?",
            "metadata key \"metricType\" has no effect here: write it beside metadata, not in it",
        ]
    );
}

#[test]
fn the_strategy_of_a_scaled_job_decides_whether_in_flight_is_counted() {
    let table = [
        ("none", true),
        ("default", true),
        ("custom", true),
        ("accurate", false),
        ("eager", false),
    ];
    for (strategy, counted) in table {
        let trigger = assert_parses(&given_trigger(&[("scaledJob", strategy)]));
        assert_eq!(trigger.policy.scale_on_in_flight, counted, "{strategy}");
        assert!(trigger.warnings.is_empty(), "{strategy}");
    }
    let expected = format!(
        "{TWICE}unable to set param \"scaledJob\" value \"Eager\": expected none, default, custom, \
         accurate or eager"
    );
    assert_error(&given_trigger(&[("scaledJob", "Eager")]), &expected);
}

#[test]
fn a_flag_that_contradicts_the_strategy_is_reported() {
    let trigger = assert_parses(&given_trigger(&[
        ("scaledJob", "accurate"),
        ("scaleOnInFlight", "true"),
    ]));
    assert!(!trigger.policy.scale_on_in_flight);
    let expected = Warning::Overridden {
        key: "scaleOnInFlight",
        by: "scaledJob",
    };
    assert_eq!(trigger.warnings, [expected]);
}

#[test]
fn noisy_tenants_may_wait_longer_than_the_target_and_no_shorter() {
    let given = |keys: &[(&'static str, &'static str)]| {
        let target = [("targetWaitSeconds", "60")];
        given_trigger(&[&target, keys].concat())
    };
    let wait = |keys: &[_]| assert_parses(&given(keys)).policy.law.unwrap().noisy_wait;
    assert_eq!(wait(&[]), None);
    assert_eq!(
        [
            wait(&[("noisyWaitSeconds", "60")]),
            wait(&[("noisyWaitSeconds", "3600")])
        ],
        [60, 3_600].map(|seconds| Some(Duration::from_secs(seconds)))
    );
    for found in ["59", "1209601", "soon"] {
        let expected = format!(
            "{TWICE}unable to set param \"noisyWaitSeconds\" value \"{found}\": expected seconds from 60 to \
             1209600"
        );
        assert_error(&given(&[("noisyWaitSeconds", found)]), &expected);
    }
}

#[test]
fn a_wait_for_noisy_tenants_that_means_nothing_is_a_warning() {
    let warned = |keys: &[_]| -> Vec<String> {
        let trigger = assert_parses(&given_trigger(keys));
        trigger.warnings.iter().map(ToString::to_string).collect()
    };
    let fifo = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo";
    let noisy = ("noisyWaitSeconds", "60");
    assert_eq!(
        warned(&[("queueURL", fifo), ("targetWaitSeconds", "60"), noisy]),
        ["metadata key \"noisyWaitSeconds\" has no effect: a FIFO queue is not a fair queue"]
    );
    assert_eq!(
        warned(&[noisy]),
        [Warning::Needs {
            key: "noisyWaitSeconds",
            other: "targetWaitSeconds"
        }
        .to_string()]
    );
    assert!(warned(&[("targetWaitSeconds", "60"), noisy]).is_empty());
}
