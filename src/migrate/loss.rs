//! What a migration cannot carry over, for people: credentials above all. Changes nothing.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use super::{Direction, MovedTrigger, Rewritten};
use crate::{
    manifest::{Place, objects::Authentication},
    permissions::{Policy, queue_arn},
    scaling::{QueueRef, Trigger, is_ours_alone},
};

/// Something to know, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    file: String,
    place: Place,
    text: String,
}

impl Note {
    pub(super) fn at(file: &str, place: Place, text: String) -> Self {
        Self {
            file: file.to_owned(),
            place,
            text,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.place, self.text)
    }
}

/// All that is to be known of these files, which may authenticate one another's triggers.
pub fn notes(files: &[Rewritten], direction: Direction) -> Vec<Note> {
    let authentications: Vec<&Authentication> = files
        .iter()
        .flat_map(|file| &file.authentications)
        .collect();
    let mut notes = Vec::new();
    for file in files {
        notes.extend(file.left.iter().cloned());
        for trigger in &file.triggers {
            let texts = match direction {
                Direction::ToSluice => lost(trigger, &authentications),
                Direction::ToBuiltIn => unread(trigger),
            };
            let at = |text| {
                Note::at(
                    &file.file,
                    trigger.place,
                    format!("{}: {text}", trigger.object),
                )
            };
            notes.extend(texts.into_iter().map(at));
        }
    }
    notes
}

/// What the scaler must be allowed for the triggers of these files. None when there is none.
pub fn policy(files: &[Rewritten]) -> Option<Policy> {
    let triggers = files.iter().flat_map(|file| &file.triggers);
    let arns: BTreeSet<String> = triggers
        .filter_map(queue)
        .map(|queue| queue_arn(&queue))
        .collect();
    (!arns.is_empty()).then(|| Policy::reading(arns))
}

/// A queue whose name only the pod's environment tells.
const UNKNOWN_QUEUE: &str = "QUEUE_NAME";

/// The metadata as the scaler will get it, as far as a file tells: KEDA resolves what is from the
/// environment.
fn metadata(trigger: &MovedTrigger) -> HashMap<String, String> {
    let mut metadata: HashMap<String, String> = trigger.metadata.iter().cloned().collect();
    if let Some(url) = metadata.get_mut("queueURLFromEnv") {
        UNKNOWN_QUEUE.clone_into(url);
    }
    metadata
}

fn queue(trigger: &MovedTrigger) -> Option<QueueRef> {
    let mut metadata = metadata(trigger);
    // Whatever else is wrong, the queue is that queue.
    metadata.retain(|key, _| matches!(key.as_str(), "queueURL" | "queueURLFromEnv" | "awsRegion"));
    metadata
        .entry("awsRegion".to_owned())
        .or_insert_with(|| "REGION".to_owned());
    Some(QueueRef::clone(&Trigger::parse(&metadata).ok()?.queue))
}

fn lost(trigger: &MovedTrigger, authentications: &[&Authentication]) -> Vec<String> {
    let credentials = trigger.authentication.as_ref().map(|(name, kind)| {
        let is_it = |known: &&&Authentication| known.name == *name && known.kind == *kind;
        not_forwarded(name, authentications.iter().find(is_it).copied())
    });
    let jobs = trigger.job.filter(|strategy| matches!(*strategy, "accurate" | "eager")).map(|strategy| {
        format!(
            "with the strategy {strategy} messages in flight are not counted any more: each has its job already, \
             and aws-sqs-queue had another one started for it"
        )
    });
    credentials
        .into_iter()
        .chain(jobs)
        .chain(refused(trigger))
        .collect()
}

/// What Sluice will say of the metadata.
fn refused(trigger: &MovedTrigger) -> Vec<String> {
    let metadata = metadata(trigger);
    if metadata.contains_key("<<") {
        return Vec::new();
    }
    match Trigger::parse(&metadata) {
        Ok(trigger) => trigger.warnings.iter().map(ToString::to_string).collect(),
        Err(error) if !metadata.contains_key("awsRegion") => vec![format!(
            "add awsRegion to the metadata: KEDA may have taken it from the authentication, which it does not \
             forward ({error})"
        )],
        Err(error) => vec![format!("Sluice will refuse it as it stands: {error}")],
    }
}

fn not_forwarded(name: &str, authentication: Option<&Authentication>) -> String {
    let had = match authentication {
        None => "which is in none of these files".to_owned(),
        Some(authentication) => had(authentication),
    };
    format!(
        "KEDA forwards no credentials to external scalers: authenticationRef {name:?}, {had}. Sluice reads the \
         queue as itself: attach the policy below to the role of its service account. The reference stays, \
         without effect"
    )
}

/// As whom KEDA has read the queue.
fn had(authentication: &Authentication) -> String {
    let sources = authentication.sources.join(", ");
    match &authentication.pod_identity {
        Some((provider, Some(role))) => {
            format!("pod identity {provider} with the role {role}")
        }
        Some((provider, None)) => {
            format!("pod identity {provider}: the role of KEDA's operator or of the workload")
        }
        None if sources.is_empty() => "which names no credentials".to_owned(),
        None => format!("static keys by {sources}"),
    }
}

/// Keys that mean nothing on the way back.
fn unread(trigger: &MovedTrigger) -> Vec<String> {
    let keys = trigger.metadata.iter().map(|(key, _)| key.as_str());
    let ours: Vec<&str> = keys.filter(|key| is_ours_alone(key)).collect();
    if ours.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "aws-sqs-queue does not read {}: it stays, without effect",
        ours.join(", ")
    )]
}
