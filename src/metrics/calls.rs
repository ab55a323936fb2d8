//! What is counted of each unary call of KEDA's contract, and by which words.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, histogram::Histogram},
};

/// From a cached answer (a fraction of a millisecond) to the deadline of an RPC.
pub(super) const RPC_SECONDS: [f64; 9] =
    [0.000_1, 0.000_5, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RpcLabels {
    pub(super) method: &'static str,
    pub(super) code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct MethodLabel {
    pub(super) method: &'static str,
}

/// A unary call of KEDA's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    IsActive,
    GetMetricSpec,
    GetMetrics,
}

/// What is counted of each call that is answered, found once: nothing is looked up at each call.
#[derive(Debug)]
pub(super) struct CallMeters {
    pub(super) is_active: CallMeter,
    pub(super) get_metric_spec: CallMeter,
    pub(super) get_metrics: CallMeter,
}

#[derive(Debug)]
pub(super) struct CallMeter {
    pub(super) answered_ok: Counter,
    pub(super) seconds: Histogram,
}

impl Call {
    /// As KEDA's contract has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::IsActive => "IsActive",
            Self::GetMetricSpec => "GetMetricSpec",
            Self::GetMetrics => "GetMetrics",
        }
    }
}

impl CallMeters {
    pub(super) fn of(&self, call: Call) -> &CallMeter {
        match call {
            Call::IsActive => &self.is_active,
            Call::GetMetricSpec => &self.get_metric_spec,
            Call::GetMetrics => &self.get_metrics,
        }
    }
}

impl RpcLabels {
    pub(super) fn new(call: Call, code: tonic::Code) -> Self {
        Self {
            method: call.name(),
            code: code_name(code),
        }
    }
}

/// The name of a code as gRPC's documentation has it; nothing is allocated for it.
fn code_name(code: tonic::Code) -> &'static str {
    use tonic::Code;
    match code {
        Code::Ok => "Ok",
        Code::Cancelled => "Cancelled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}
