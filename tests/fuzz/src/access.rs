//! The rules and their file.

#[path = "../../../src/access/file.rs"]
mod file;
#[path = "../../../src/access/rules.rs"]
mod rules;

pub use rules::Rules;
