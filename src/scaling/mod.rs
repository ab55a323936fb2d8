//! What to answer, as a pure function of what is known.
//!
//! This module knows no AWS, no gRPC, no clock, no logging and nothing asynchronous. [`decide`]
//! cannot fail: bad metadata stops in [`Trigger::parse`], an unreadable count in
//! [`Observation::backlog`].

mod activation;
mod advice;
mod decision;
mod estimate;
mod go;
mod identity_keys;
mod known_keys;
mod law;
mod law_keys;
mod law_words;
mod metadata;
mod minute;
mod observation;
mod policy;
mod policy_error;
mod queue_ref;
mod queue_url;
mod scaled_job_key;
mod secret;
mod trigger;
mod wakefulness_keys;
mod workload;

pub use activation::{Activation, Activity, Signs, Wakefulness};
pub use advice::{Advice, advice};
pub use decision::{BindingTerm, PlainAnswer, ScalingDecision, decide};
pub use estimate::{Cohort, Estimate, Estimator, MessageTime, NoisyGroups, Oldest, Seen};
pub use known_keys::is_ours_alone;
pub use law::{Law, LawAnswer, LawTerm};
pub use law_keys::Mode;
pub use metadata::Warning;
pub use minute::Minute;
pub use observation::{Backlog, Count, CountError, Observation, QueueSettings};
pub use policy::ScalingPolicy;
pub use policy_error::PolicyError;
pub(crate) use queue_ref::is_account;
pub use queue_ref::{Identity, QueueRef, RoleRef};
pub use secret::Secret;
pub use trigger::Trigger;
pub use workload::{JobStrategy, Workload, WorkloadKind};
