//! Who may ask for what: decided once for each trigger by rules of its namespace, and again when the
//! rules change. Knows nothing of RPCs; asks AWS at most which account is the scaler's own.

mod asked;
mod control;
mod file;
mod own_account;
mod refusal;
mod rules;

pub use {
    control::{Access, Permit, Refused},
    file::AccessFileError,
    own_account::OwnAccount,
    refusal::Refusal,
    rules::Rules,
};
