//! Secrets that are planted in every test, and everything that is printed, looked at for them.

pub(crate) mod log;
pub(crate) mod secrets;
