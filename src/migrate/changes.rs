//! Which edits a file needs: the decisions of a migration, trigger by trigger.

use super::{
    Direction, MigrateSettings, MovedTrigger, Note,
    edits::{self, Edit},
};
use crate::manifest::{
    ManifestError, Place,
    objects::{Finder, Kind, Object, Trigger, entries, style},
    tree::{Entry, Node, Style, Value},
};

const BUILT_IN: &str = "aws-sqs-queue";
const POLLED: &str = "external";
const PUSHED: &str = "external-push";
const ADDRESS: &str = "scalerAddress";
const JOB: &str = "scaledJob";

/// Edits of one file, and what they are about.
pub(super) struct Changes<'a> {
    text: &'a str,
    settings: &'a MigrateSettings,
    finder: Finder<'a>,
    edits: Vec<Edit>,
    /// Entries that the result has more, and fewer.
    entries_added: usize,
    entries_removed: usize,
    /// Where the mappings begin that were changed already: two triggers may share one.
    changed: Vec<usize>,
    pub(super) moved: Vec<MovedTrigger>,
    pub(super) left: Vec<Note>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(text: &'a str, settings: &'a MigrateSettings, finder: Finder<'a>) -> Self {
        Self {
            text,
            settings,
            finder,
            edits: Vec::new(),
            entries_added: 0,
            entries_removed: 0,
            changed: Vec::new(),
            moved: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Adds what the triggers of one object need.
    pub(super) fn add(&mut self, object: &Object<'a>) -> Result<(), ManifestError> {
        for trigger in &object.triggers {
            match (self.settings.direction, trigger.kind.text()) {
                (Direction::ToSluice, Some(BUILT_IN)) => self.move_to_sluice(object, trigger)?,
                (Direction::ToBuiltIn, Some(POLLED | PUSHED)) => {
                    self.move_back(object, trigger)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn move_to_sluice(
        &mut self,
        object: &Object<'a>,
        trigger: &Trigger<'a>,
    ) -> Result<(), ManifestError> {
        let metadata = self.metadata(trigger)?;
        let job = job_strategy(object);
        if !self.has_queue(metadata)? {
            let fault = "expected metadata with queueURL or queueURLFromEnv";
            return Err(self.error(metadata, fault.to_owned()));
        }
        for key in [ADDRESS, JOB] {
            if let Some(there) = self.finder.get(metadata, key)? {
                let fault = format!(
                    "an {BUILT_IN} trigger does not read {key:?}: take it out, so that it is known what the way back is"
                );
                return Err(self.error(there, fault));
            }
        }
        let kind = if object.kind == Kind::ScaledJob {
            POLLED
        } else {
            PUSHED
        };
        self.retype(trigger, kind)?;
        let mut added = vec![(ADDRESS, self.settings.scaler_address.as_str())];
        added.extend(job.map(|strategy| (JOB, strategy)));
        let (first, style) = self.first_entry(metadata)?;
        let insertion = edits::insert(self.text, (first, style), &added).ok_or_else(|| {
            let fault = "expected the first key of metadata at the beginning of its line";
            self.error(&first.key, fault.to_owned())
        })?;
        self.edits.push(insertion);
        if self.is_new(metadata) {
            self.entries_added += added.len();
        }
        let mut after: Vec<_> = added
            .iter()
            .map(|(key, value)| owned((key, value)))
            .collect();
        after.extend(self.texts(metadata));
        self.note_moved(object, trigger, after);
        Ok(())
    }

    fn move_back(
        &mut self,
        object: &Object<'a>,
        trigger: &Trigger<'a>,
    ) -> Result<(), ManifestError> {
        if !self.is_ours(trigger)? {
            return Ok(());
        }
        let metadata = self.metadata(trigger)?;
        self.retype(trigger, BUILT_IN)?;
        self.take_out(metadata, ADDRESS)?;
        if let Some(strategy) = job_strategy(object)
            && let Some(written) = self.finder.get(metadata, JOB)?
        {
            if written.text() == Some(strategy) {
                self.take_out(metadata, JOB)?;
            } else {
                let text = format!(
                    "{JOB} is not what the object's strategy gives: it stays, and {BUILT_IN} does not read it"
                );
                self.left
                    .push(Note::at(self.finder.file, written.place, text));
            }
        }
        let mut after = self.texts(metadata);
        after.retain(|(key, _)| key != ADDRESS && key != JOB);
        self.note_moved(object, trigger, after);
        Ok(())
    }

    /// Whether a trigger asks Sluice, by what is in its metadata and where it is sent.
    fn is_ours(&mut self, trigger: &Trigger<'a>) -> Result<bool, ManifestError> {
        let Some(metadata) = trigger.metadata else {
            return Ok(false);
        };
        let has_queue = self.has_queue(metadata)?;
        let address = self.finder.get(metadata, ADDRESS)?.and_then(Node::text);
        let is_there = address == Some(&self.settings.scaler_address);
        if has_queue && !is_there {
            let text = format!(
                "an external trigger about a queue is left alone: its {ADDRESS} is {:?}, and --scaler-address {:?}",
                address.unwrap_or_default(),
                self.settings.scaler_address
            );
            self.left
                .push(Note::at(self.finder.file, trigger.kind.place, text));
        }
        Ok(has_queue && is_there)
    }

    fn has_queue(&mut self, metadata: &'a Node) -> Result<bool, ManifestError> {
        Ok(self.finder.get(metadata, "queueURL")?.is_some()
            || self.finder.get(metadata, "queueURLFromEnv")?.is_some())
    }

    fn metadata(&self, trigger: &Trigger<'a>) -> Result<&'a Node, ManifestError> {
        let metadata = trigger.metadata.ok_or_else(|| {
            self.error(trigger.node, "expected a trigger with metadata".to_owned())
        })?;
        let odd = entries(metadata).iter().find(|entry| {
            let is_merge = entry.key.text() == Some("<<");
            !is_merge && !matches!(entry.value.value, Value::Scalar { .. } | Value::Alias(_))
        });
        if let Some(entry) = odd {
            let fault =
                "expected a text; if this is a template, render it first, as with `helm template`";
            return Err(self.error(&entry.value, fault.to_owned()));
        }
        Ok(metadata)
    }

    fn first_entry(&self, metadata: &'a Node) -> Result<(&'a Entry, Style), ManifestError> {
        let first = entries(metadata).first().zip(style(metadata));
        first.ok_or_else(|| {
            let fault = "expected metadata with the keys of a queue, one a line";
            self.error(metadata, fault.to_owned())
        })
    }

    fn retype(&mut self, trigger: &Trigger<'a>, kind: &str) -> Result<(), ManifestError> {
        let edit = edits::replace(self.text, trigger.kind, kind).ok_or_else(|| {
            let fault = "expected the type plain or in quotes, without escapes";
            self.error(trigger.kind, fault.to_owned())
        })?;
        self.edits.push(edit);
        Ok(())
    }

    fn take_out(&mut self, metadata: &'a Node, key: &str) -> Result<(), ManifestError> {
        let all = entries(metadata);
        let number = all.iter().position(|entry| entry.key.text() == Some(key));
        let edit = number
            .zip(style(metadata))
            .and_then(|(number, style)| edits::remove(self.text, (all, style), number));
        let edit = edit.ok_or_else(|| {
            let fault =
                format!("expected {key:?} in a line of its own, so that nothing goes with it");
            self.error(metadata, fault)
        })?;
        if !self.edits.contains(&edit) {
            self.entries_removed += 1;
            self.edits.push(edit);
        }
        Ok(())
    }

    /// What is in a mapping. What a merge key brings is not read, but that there is one is told.
    fn texts(&mut self, mapping: &'a Node) -> Vec<(String, String)> {
        let pairs = entries(mapping).iter().filter_map(|Entry { key, value }| {
            let value = self.finder.follow(value);
            Some(owned((key.text()?, value.text().unwrap_or_default())))
        });
        pairs.collect()
    }

    fn is_new(&mut self, mapping: &Node) -> bool {
        let is_new = !self.changed.contains(&mapping.bytes.start);
        self.changed.push(mapping.bytes.start);
        is_new
    }

    fn note_moved(
        &mut self,
        object: &Object<'a>,
        trigger: &Trigger<'a>,
        metadata: Vec<(String, String)>,
    ) {
        let prefix = object
            .namespace
            .as_ref()
            .map(|namespace| format!("{namespace}/"));
        self.moved.push(MovedTrigger {
            object: prefix.unwrap_or_default() + &object.name,
            place: trigger.kind.place,
            metadata,
            job: job_strategy(object),
            authentication: trigger
                .authentication
                .map(|(name, kind)| (name.to_owned(), kind.to_owned())),
        });
    }

    fn error(&self, node: &Node, fault: String) -> ManifestError {
        ManifestError::at(self.finder.file, node.place, fault)
    }

    /// How many nodes the result must have.
    pub(super) fn nodes_expected(&self) -> usize {
        let before = self.finder.documents.nodes;
        (before + 2 * self.entries_added).saturating_sub(2 * self.entries_removed)
    }

    /// The text with all edits done.
    pub(super) fn apply(&self) -> Result<String, ManifestError> {
        self.check_shared()?;
        let start = self.finder.documents.roots.first();
        edits::apply(self.text, self.edits.clone()).ok_or_else(|| {
            let fault = "two triggers are written with the same anchor and need different changes: \
                         write them out, then migrate";
            let place = start.map_or(Place::START, |root| root.place);
            ManifestError::at(self.finder.file, place, fault.to_owned())
        })
    }

    /// What is changed behind an anchor is changed wherever an alias repeats it: each of these must be
    /// a part of a trigger that is migrated as well.
    fn check_shared(&self) -> Result<(), ManifestError> {
        let mut waiting: Vec<&Node> = self.finder.documents.roots.iter().collect();
        while let Some(node) = waiting.pop() {
            match &node.value {
                Value::Alias(anchor) => self.check_alias(node, *anchor)?,
                Value::Sequence(items) => waiting.extend(items),
                Value::Mapping { entries, .. } => {
                    waiting.extend(entries.iter().flat_map(|entry| [&entry.key, &entry.value]));
                }
                Value::Scalar { .. } => {}
            }
        }
        Ok(())
    }

    fn check_alias(&self, alias: &Node, anchor: usize) -> Result<(), ManifestError> {
        let Some(meant) = self.finder.documents.anchored.get(&anchor) else {
            return Ok(());
        };
        let is_changed = self.edits.iter().any(|edit| edit.is_within(&meant.bytes));
        if !is_changed || self.finder.followed.contains(&alias.bytes.start) {
            return Ok(());
        }
        let fault = "this repeats, by its anchor, what a migrated trigger is written with: write one of \
                     them out, then migrate";
        Err(self.error(alias, fault.to_owned()))
    }
}

/// What the key `scaledJob` says for an object: none for a ScaledObject, and as KEDA reads it, which
/// takes what it does not know for `default`.
fn job_strategy(object: &Object<'_>) -> Option<&'static str> {
    (object.kind == Kind::ScaledJob).then_some(match object.strategy {
        Some("custom") => "custom",
        Some("accurate") => "accurate",
        Some("eager") => "eager",
        _ => "default",
    })
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}
