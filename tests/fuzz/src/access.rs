//! The rules and their file.

#[path = "../../../src/access/asked.rs"]
mod asked;
#[path = "../../../src/access/file.rs"]
mod file;
#[path = "../../../src/access/refusal.rs"]
mod refusal;
#[path = "../../../src/access/rules.rs"]
mod rules;

pub use rules::Rules;
