//! The digital twin from outside: what holds in every step of any run, and that it does what KEDA, the
//! autoscaler and recorded runs did.

mod fidelity;
mod recorded;
mod safety;
mod support;
