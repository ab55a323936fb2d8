//! Between KEDA's messages and ours: the only place that builds proto types, and the table from our
//! errors to gRPC statuses. KEDA shows a status text in the events of a `ScaledObject`.

use tonic::Status;

use super::{
    limits::LimitError,
    live_triggers::FindError,
    proto::{GetMetricSpecResponse, GetMetricsResponse, IsActiveResponse, MetricSpec, MetricValue},
};
use crate::{
    access::Refused,
    queue::ObserveError,
    scaling::{CountError, PolicyError, QueueRef, ScalingDecision, ScalingPolicy, Trigger},
};

/// The one spec of a trigger. A pure function of its metadata; the target is constant.
pub(super) fn metric_spec(trigger: &Trigger) -> GetMetricSpecResponse {
    GetMetricSpecResponse {
        metric_specs: vec![MetricSpec {
            metric_name: trigger.metric_name.clone(),
            target_size: trigger.policy.queue_length,
            target_size_float: exact_float(&trigger.policy),
        }],
    }
}

/// The one value of a metric. KEDA adds up what it gets, so there is never a second one.
pub(super) fn metric_value(trigger: &Trigger, decision: &ScalingDecision) -> GetMetricsResponse {
    GetMetricsResponse {
        metric_values: vec![MetricValue {
            metric_name: trigger.metric_name.clone(),
            metric_value: whole(decision.metric_value),
            metric_value_float: decision.metric_value,
        }],
    }
}

pub(super) fn is_active(result: bool) -> IsActiveResponse {
    IsActiveResponse { result }
}

/// Bad metadata, in KEDA's words.
fn bad_metadata(error: &PolicyError) -> Status {
    Status::invalid_argument(error.to_string())
}

/// A trigger that may not have what it asks for, or of which that cannot be said.
pub(super) fn refused(namespace: &str, queue: &QueueRef, refused: &Refused) -> Status {
    let url = &queue.url;
    match refused {
        Refused::ByRule(refusal) => Status::permission_denied(format!(
            "namespace {namespace:?} may not ask for queue {url:?}: {refusal}"
        )),
        Refused::Undecided { .. } => Status::unavailable(refused.to_string()),
    }
}

/// A limit that is passed.
pub(super) fn beyond(limit: &LimitError) -> Status {
    match limit {
        LimitError::MetadataKeys { .. } | LimitError::MetadataBytes { .. } => {
            Status::invalid_argument(limit.to_string())
        }
        LimitError::NamespaceTriggers { .. }
        | LimitError::Triggers { .. }
        | LimitError::Streams { .. } => Status::resource_exhausted(limit.to_string()),
    }
}

/// A trigger that is not found.
pub(super) fn not_taken(error: &FindError) -> Status {
    match error {
        FindError::Unreadable(error) => Status::invalid_argument(error.to_string()),
        FindError::Metadata(error) => bad_metadata(error),
        FindError::Limit(limit) => beyond(limit),
    }
}

/// A request without the object that it is about.
pub(super) fn missing_reference() -> Status {
    Status::invalid_argument("the request has no scaledObjectRef")
}

/// A metric that this trigger does not have.
pub(super) fn unknown_metric(asked: &str, trigger: &Trigger) -> Status {
    let known = &trigger.metric_name;
    Status::not_found(format!(
        "this trigger has the metric {known:?}, not {asked:?}"
    ))
}

/// A queue that cannot be observed. Not knowing is an error, never zero, so that KEDA's fallback
/// can do its work.
pub(super) fn unobservable(queue: &QueueRef, error: &ObserveError) -> Status {
    let text = cannot_read(queue, error);
    match error {
        ObserveError::NoSuchQueue { .. } => Status::not_found(text),
        ObserveError::Refused { .. }
        | ObserveError::Unintelligible { .. }
        | ObserveError::Unreachable { .. }
        | ObserveError::NoAnswer { .. } => Status::unavailable(text),
    }
}

/// A count that is needed and unreadable.
pub(super) fn unknown_count(queue: &QueueRef, error: &CountError) -> Status {
    Status::unavailable(cannot_read(queue, error))
}

fn cannot_read(queue: &QueueRef, cause: &dyn std::error::Error) -> String {
    let QueueRef { url, region, .. } = queue;
    format!("cannot read attributes of queue {url:?} in {region}: {cause}")
}

/// The target as a float while that is exact. Without one KEDA reads the whole number.
fn exact_float(policy: &ScalingPolicy) -> f64 {
    const EXACT_MAX: u64 = 1 << 53;
    if policy.queue_length.unsigned_abs() <= EXACT_MAX {
        policy.target()
    } else {
        0.0
    }
}

/// KEDA before v2.17 reads only the whole number, so it is rounded up: too little would be too few
/// replicas.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "`as` saturates, which is right for a number beyond 64 bits"
)]
fn whole(value: f64) -> i64 {
    value.ceil() as i64
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tonic::Code;

    use super::*;
    use crate::grpc::proto::{GetMetricsRequest, ScaledObjectRef};

    /// The bytes that the contract says: field number << 3 | wire type, then the value.
    #[test]
    fn every_message_is_encoded_as_the_contract_says() {
        let reference = ScaledObjectRef {
            name: "a".to_owned(),
            namespace: "b".to_owned(),
            scaler_metadata: [("k".to_owned(), "v".to_owned())].into(),
        };
        let reference_bytes = [&[
            0x0a, 1, b'a', 0x12, 1, b'b', 0x1a, 6, 0x0a, 1, b'k', 0x12, 1, b'v',
        ][..]]
        .concat();
        assert_eq!(reference.encode_to_vec(), reference_bytes);
        assert_eq!(is_active(true).encode_to_vec(), [0x08, 1]);
        assert_eq!(is_active(false).encode_to_vec(), [0_u8; 0]);

        let request = GetMetricsRequest {
            scaled_object_ref: Some(reference),
            metric_name: "m".to_owned(),
        };
        let request_bytes = [
            &[0x0a, 14][..],
            reference_bytes.as_slice(),
            &[0x12, 1, b'm'],
        ]
        .concat();
        assert_eq!(request.encode_to_vec(), request_bytes);

        let five = 5.0_f64.to_le_bytes();
        let number_bytes = [&[0x0a, 1, b'm', 0x10, 5, 0x19][..], &five].concat();
        let spec = MetricSpec {
            metric_name: "m".to_owned(),
            target_size: 5,
            target_size_float: 5.0,
        };
        let value = MetricValue {
            metric_name: "m".to_owned(),
            metric_value: 5,
            metric_value_float: 5.0,
        };
        assert_eq!(spec.encode_to_vec(), number_bytes);
        assert_eq!(value.encode_to_vec(), number_bytes);

        let list_bytes = [&[0x0a, 14][..], number_bytes.as_slice()].concat();
        let specs = GetMetricSpecResponse {
            metric_specs: vec![spec],
        };
        let values = GetMetricsResponse {
            metric_values: vec![value],
        };
        assert_eq!(specs.encode_to_vec(), list_bytes);
        assert_eq!(values.encode_to_vec(), list_bytes);
    }

    #[test]
    fn whole_numbers_are_rounded_up_and_saturate() {
        let cases = [
            (0.0, 0),
            (0.2, 1),
            (5.0, 5),
            (2_147_483_648.0, 2_147_483_648),
            (1e30, i64::MAX),
        ];
        for (value, expected) in cases {
            assert_eq!(whole(value), expected);
        }
    }

    #[test]
    fn a_target_beyond_the_exact_floats_is_told_as_a_whole_number_alone() {
        let policy = |queue_length| ScalingPolicy {
            queue_length,
            ..ScalingPolicy::default()
        };
        let largest = exact_float(&policy(1 << 53)).to_string();
        assert_eq!(largest, "9007199254740992");
        assert_eq!(exact_float(&policy(i64::MAX)).to_string(), "0");
    }

    #[test]
    fn an_absent_queue_is_not_found_and_every_other_failure_is_unavailable() {
        let queue = QueueRef::given("https://h/1/orders");
        let (code, message) = ("X".to_owned(), "y".to_owned());
        let cause = "z".to_owned();
        let waited = std::time::Duration::from_millis(900);
        let table = [
            (
                ObserveError::NoSuchQueue {
                    code: code.clone(),
                    message: message.clone(),
                },
                Code::NotFound,
                "the queue does not exist (X: y)",
            ),
            (
                ObserveError::Refused {
                    status: 403,
                    code,
                    message,
                },
                Code::Unavailable,
                "SQS answered 403 X: y",
            ),
            (
                ObserveError::Unintelligible {
                    status: 200,
                    cause: cause.clone(),
                },
                Code::Unavailable,
                "SQS answered 200 with something that is no answer: z",
            ),
            (
                ObserveError::Unreachable { cause },
                Code::Unavailable,
                "SQS cannot be reached: z",
            ),
            (
                ObserveError::NoAnswer { waited },
                Code::Unavailable,
                "SQS has not answered for 0.9 s",
            ),
        ];
        for (error, code, cause) in table {
            let status = unobservable(&queue, &error);
            let text = format!(
                "cannot read attributes of queue \"https://h/1/orders\" in eu-west-1: {cause}"
            );
            assert_eq!((status.code(), status.message()), (code, text.as_str()));
        }
    }
}
