//! With no key of our own the numbers are those of `aws-sqs-queue`.

use tonic::Code;

use crate::support::*;

/// KEDA's value table: visible 200, in flight 100, delayed 50.
#[tokio::test]
async fn the_flags_choose_what_is_counted() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    sqs.report(200, 100, 50);
    let table = [
        (&[("scaleOnInFlight", "false")][..], 200),
        (&[("scaleOnInFlight", "true")], 300),
        (&[("scaleOnDelayed", "false")], 300),
        (&[("scaleOnDelayed", "true")], 350),
        (
            &[("scaleOnInFlight", "false"), ("scaleOnDelayed", "false")],
            200,
        ),
        (
            &[("scaleOnInFlight", "true"), ("scaleOnDelayed", "true")],
            350,
        ),
        (&[], 300),
    ];
    for (flags, expected) in table {
        assert_eq!(
            scaler.value(&sqs.metadata(flags)).await.unwrap(),
            expected,
            "{flags:?}"
        );
    }
}

/// KEDA's attribute table; 2^31 must not overflow.
#[tokio::test]
async fn counts_are_of_64_bits() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    for visible in [0, 1, 2_147_483_647, 2_147_483_648] {
        sqs.report(visible, 0, 0);
        assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), visible);
    }
}

#[tokio::test]
async fn a_count_that_is_missing_or_no_number_is_an_error_not_zero() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    let name = "ApproximateNumberOfMessages".to_owned();
    sqs.fault(sluice::local::FaultAction::MissingAttribute(name.clone()));
    let missing = "metric ApproximateNumberOfMessages not found in SQS queue attributes";
    assert_status(
        scaler.value(&sqs.metadata).await,
        Code::Unavailable,
        &[missing, QUEUE],
    );
    assert_status(
        scaler.is_active(&sqs.metadata).await,
        Code::Unavailable,
        &[missing],
    );

    sqs.control.clear_faults();
    sqs.report_text(&name, "NotInt");
    let no_number = "strconv.ParseInt: parsing \"NotInt\": invalid syntax";
    assert_status(
        scaler.value(&sqs.metadata).await,
        Code::Unavailable,
        &[no_number],
    );
}

#[tokio::test]
async fn there_is_work_strictly_above_the_activation_length() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    let metadata = sqs.metadata(&[("activationQueueLength", "5")]);
    for (visible, expected) in [(0, false), (5, false), (6, true)] {
        sqs.report(visible, 0, 0);
        assert_eq!(
            scaler.is_active(&metadata).await.unwrap(),
            expected,
            "{visible}"
        );
    }
    // The same sum as the value: delayed messages count where they are counted.
    sqs.report(0, 0, 6);
    assert!(!scaler.is_active(&metadata).await.unwrap());
    let delayed = sqs.metadata(&[("activationQueueLength", "5"), ("scaleOnDelayed", "true")]);
    assert!(scaler.is_active(&delayed).await.unwrap());
}

#[tokio::test]
async fn the_spec_is_the_queue_length_and_a_name_that_kubernetes_accepts() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    let spec = scaler.spec(&sqs.metadata).await.unwrap();
    assert_eq!(spec, (METRIC.to_owned(), 5, 5.0));
    let fifo = sqs.metadata(&[
        ("queueURL", "https://h/1/orders.fifo"),
        ("queueLength", "7"),
    ]);
    assert_eq!(
        scaler.spec(&fifo).await.unwrap(),
        ("aws-sqs-orders-fifo".to_owned(), 7, 7.0)
    );
    assert_eq!(sqs.asked(), 0, "the spec needs nothing but the metadata");
}

#[tokio::test]
async fn real_messages_are_counted_by_a_bare_name_as_by_a_url() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    sqs.send(12);
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 12);
    let bare = sqs.metadata(&[("queueURL", QUEUE)]);
    assert_eq!(scaler.value(&bare).await.unwrap(), 12);
    assert!(scaler.is_active(&bare).await.unwrap());
}

#[tokio::test]
async fn a_poll_is_answered_from_one_observation() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    sqs.report(3, 0, 0);
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 3);
    sqs.report(0, 0, 0);
    assert!(
        scaler.is_active(&sqs.metadata).await.unwrap(),
        "value and activity agree"
    );
    assert_eq!(sqs.asked(), 1);
    assert_eq!(scaler.value(&sqs.metadata).await.unwrap(), 0);
    assert!(!scaler.is_active(&sqs.metadata).await.unwrap());
}

#[tokio::test]
async fn the_scaler_never_receives_a_message() {
    let (sqs, scaler) = (
        given_sqs().await,
        given_scaler(given_settings_without_cache()).await,
    );
    sqs.send(3);
    let mut stream = scaler
        .client
        .clone()
        .stream_is_active(reference(&sqs.metadata))
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().unwrap().result);
    scaler.value(&sqs.metadata).await.unwrap();
    assert!(sqs.asked() > 0);
    assert_eq!(sqs.control.requests("ReceiveMessage"), 0);
}
