//! Bad metadata is the caller's error, in KEDA's words, on every RPC that KEDA may call.

use sluice::grpc::proto::GetMetricsRequest;
use tonic::Code;

use crate::support::*;

const TWICE: &str = "error parsing SQS queue metadata: error parsing SQS queue metadata: ";

/// A change to good metadata, and what KEDA says of it.
type Refusal = (&'static [(&'static str, &'static str)], String);

fn refusals() -> Vec<Refusal> {
    vec![
        (
            &[("queueURL", "")],
            format!(
                "{TWICE}missing required parameter \"queueURL\" in [triggerMetadata resolvedEnv]"
            ),
        ),
        (
            &[("awsRegion", "")],
            format!(
                "{TWICE}missing required parameter \"awsRegion\" in [triggerMetadata authParams]"
            ),
        ),
        (
            &[("queueLength", "a")],
            format!(
                "{TWICE}unable to set param \"queueLength\" value \"a\": unable to unmarshal to field \
                 type int64: invalid character 'a' looking for beginning of value"
            ),
        ),
        (
            &[("activationQueueLength", "1.5")],
            format!(
                "{TWICE}unable to set param \"activationQueueLength\" value \"1.5\": unable to \
                 unmarshal to field type int64: json: cannot unmarshal number 1.5 into Go value of \
                 type int64"
            ),
        ),
        (
            &[("scaleOnInFlight", "x")],
            format!(
                "{TWICE}unable to set param \"scaleOnInFlight\" value \"x\": unable to parse boolean \
                 value \"x\": strconv.ParseBool: parsing \"x\": invalid syntax"
            ),
        ),
        (
            &[("queueURL", "https://sqs.eu-west-1.amazonaws.com/account_id")],
            "error parsing SQS queue metadata: cannot get queueName from queueURL".to_owned(),
        ),
        (
            &[("awsAccessKeyIDFromEnv", "")],
            "error parsing SQS queue metadata: awsAccessKeyID not found".to_owned(),
        ),
        (
            &[("awsSecretAccessKeyFromEnv", "")],
            "error parsing SQS queue metadata: awsSecretAccessKey not found".to_owned(),
        ),
    ]
}

#[tokio::test]
async fn bad_metadata_of_every_kind_is_an_invalid_argument() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    for (change, text) in refusals() {
        let metadata = sqs.metadata(change);
        for status in [
            scaler.spec(&metadata).await.unwrap_err(),
            scaler.value(&metadata).await.unwrap_err(),
            scaler.is_active(&metadata).await.unwrap_err(),
            scaler
                .client
                .clone()
                .stream_is_active(reference(&metadata))
                .await
                .unwrap_err(),
            scaler
                .client
                .clone()
                .stream_metric_spec(reference(&metadata))
                .await
                .unwrap_err(),
        ] {
            assert_eq!(
                (status.code(), status.message()),
                (Code::InvalidArgument, text.as_str())
            );
        }
    }
    assert_eq!(sqs.asked(), 0);
}

#[tokio::test]
async fn a_metric_of_another_trigger_is_refused_by_name() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let other = sqs.metadata(&[("queueURL", "other")]);
    let expected = "this trigger has the metric \"aws-sqs-other\", not \"aws-sqs-orders\"";
    assert_status(scaler.metrics(&other).await, Code::NotFound, &[expected]);
}

#[tokio::test]
async fn a_request_without_an_object_is_refused() {
    let scaler = given_scaler(given_settings()).await;
    let mut client = scaler.client.clone();
    let answer = client.get_metrics(GetMetricsRequest::default()).await;
    assert_status(answer, Code::InvalidArgument, &["no scaledObjectRef"]);
}
