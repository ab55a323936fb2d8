//! Rewrites manifests from KEDA's `aws-sqs-queue` to Sluice and back: text in, text out. It changes the
//! triggers it is about and no other byte. It reads no file and asks nobody.

mod changes;
mod edits;
mod loss;

use self::changes::Changes;
pub use self::loss::{Note, notes, policy};
use crate::manifest::{
    self, ManifestError, Place,
    objects::{Authentication, Finder},
};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From `aws-sqs-queue` to Sluice.
    ToSluice,
    /// And back.
    ToBuiltIn,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrateSettings {
    /// Which way.
    pub direction: Direction,
    /// Where KEDA reaches Sluice: `host:port`.
    pub scaler_address: String,
}

/// A file that was rewritten, or did not need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// What it is called.
    pub file: String,
    /// As it was.
    pub before: String,
    /// As it is to be.
    pub after: String,
    /// The triggers that were rewritten.
    pub triggers: Vec<MovedTrigger>,
    /// How KEDA authenticates, as far as this file tells.
    authentications: Vec<Authentication>,
    /// What was left alone, and why.
    left: Vec<Note>,
}

/// A trigger that was rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTrigger {
    /// `ns/name` of its object, or the name alone.
    pub object: String,
    /// Where it stands in the file as it was.
    place: Place,
    /// What is in its metadata afterwards.
    metadata: Vec<(String, String)>,
    /// The strategy that its ScaledJob has, if it is of one.
    job: Option<&'static str>,
    /// The name and the kind of its `authenticationRef`.
    authentication: Option<(String, String)>,
}

/// Rewrites one file, whose name is for errors and notes.
///
/// # Errors
/// For what is no YAML, what is written in a way that cannot be changed without touching something else,
/// and what could not be changed back.
pub fn rewrite(
    file: &str,
    text: &str,
    settings: &MigrateSettings,
) -> Result<Rewritten, ManifestError> {
    let rewritten = rewrite_once(file, text, settings)?;
    if settings.direction == Direction::ToSluice {
        check_way_back(&rewritten, settings)?;
    }
    Ok(rewritten)
}

fn rewrite_once(
    file: &str,
    text: &str,
    settings: &MigrateSettings,
) -> Result<Rewritten, ManifestError> {
    let documents = manifest::parse(file, text)?;
    let mut finder = Finder::new(file, &documents);
    let found = finder.find()?;
    let mut changes = Changes::new(text, settings, finder);
    for object in &found.objects {
        changes.add(object)?;
    }
    let after = changes.apply()?;
    check_shape(file, &after, changes.nodes_expected())?;
    Ok(Rewritten {
        file: file.to_owned(),
        before: text.to_owned(),
        after,
        triggers: changes.moved,
        authentications: found.authentications,
        left: changes.left,
    })
}

/// The result is read once more: it must have what it had, and what was added or taken.
fn check_shape(file: &str, after: &str, nodes_expected: usize) -> Result<(), ManifestError> {
    let is_as_expected =
        manifest::parse(file, after).is_ok_and(|documents| documents.nodes == nodes_expected);
    if is_as_expected {
        return Ok(());
    }
    let fault = "written in a way that cannot be rewritten without touching something else: \
                 write its triggers with one key a line, then migrate";
    Err(ManifestError::at(
        file,
        Place { line: 1, column: 1 },
        fault.to_owned(),
    ))
}

/// A migration that cannot be undone byte for byte is none.
fn check_way_back(there: &Rewritten, settings: &MigrateSettings) -> Result<(), ManifestError> {
    let back = MigrateSettings {
        direction: Direction::ToBuiltIn,
        scaler_address: settings.scaler_address.clone(),
    };
    let back = rewrite_once(&there.file, &there.after, &back)?;
    if back.triggers.len() > there.triggers.len() {
        // There are triggers of Sluice already, which the way back would take for ours as well.
        return Ok(());
    }
    if back.triggers.len() == there.triggers.len() && back.after == there.before {
        return Ok(());
    }
    let fault = "the way back would not give the same file: nothing is changed";
    Err(ManifestError::at(
        &there.file,
        Place { line: 1, column: 1 },
        fault.to_owned(),
    ))
}

impl Rewritten {
    /// Whether anything has to change.
    pub fn is_changed(&self) -> bool {
        self.before != self.after
    }

    /// The change as `diff -u` shows it; empty when there is none.
    pub fn diff(&self) -> String {
        let diff = similar::TextDiff::from_lines(self.before.as_str(), &self.after);
        let (from, to) = (format!("a/{}", self.file), format!("b/{}", self.file));
        diff.unified_diff().header(&from, &to).to_string()
    }
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;

#[cfg(test)]
mod property_tests;
