//! Every ScaledObject of a YAML file, to be compared with what Sluice would do in their place. It reads text, not
//! files, and only here is it known how YAML is parsed.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{
    control::ScalerSettings, hpa::AutoscalerSettings, keda::ScaledObject, object_spec::ObjectSpec,
};
use crate::scaling::{PolicyError, ScalingPolicy, Trigger};

/// A file with more triggers is not compared: each of them is a policy of its own.
const TRIGGERS_MAX: usize = 50;

/// A trigger of a user's ScaledObject, as a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnObject {
    /// What it is called in a comparison.
    pub name: String,
    pub policy: ScalingPolicy,
    pub scaler: ScalerSettings,
    pub object: ScaledObject,
    pub autoscaler: AutoscalerSettings,
}

/// A file that cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {fault}")]
pub struct ScaledObjectError {
    file: String,
    /// From 1, as editors count.
    line: u64,
    column: u64,
    fault: String,
}

/// What a file has.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaledObjects {
    /// Its triggers that are about SQS, at least one.
    pub objects: Vec<OwnObject>,
    /// What is in the file and not simulated, and where.
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
struct Head {
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    metadata: Metadata,
    spec: Spanned<ObjectSpec<Vec<Spanned<TriggerSpec>>>>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TriggerSpec {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    metadata: BTreeMap<String, Spanned<String>>,
    metric_type: Option<Spanned<String>>,
}

/// Reads every ScaledObject of a file of one or more documents. `file` is for errors.
///
/// # Errors
/// For what is no YAML or no ScaledObject, for keys and values that KEDA or Kubernetes would refuse, for
/// what would be simulated wrongly, and when there is no trigger about SQS.
pub fn parse(file: &str, text: &str) -> Result<ScaledObjects, ScaledObjectError> {
    let mut found = ScaledObjects {
        objects: Vec::new(),
        notes: Vec::new(),
    };
    let reader = Reader { file };
    for document in documents(text) {
        let head: Option<Head> = reader.read(&document)?;
        if head.and_then(|head| head.kind).as_deref() == Some("ScaledObject")
            && let Some(document) = reader.read::<Document>(&document)?
        {
            reader.add(&document, &mut found)?;
        }
    }
    if found.objects.is_empty() {
        let wanted =
            "expected a ScaledObject with an aws-sqs-queue, external or external-push trigger";
        let others = found.notes.join("; ");
        let fault = if others.is_empty() {
            wanted.to_owned()
        } else {
            format!("{wanted}; {others}")
        };
        return Err(reader.error((1, 1), fault));
    }
    Ok(found)
}

/// Each document, behind as many empty lines as there are before it, so that places stay right.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for (index, line) in text.lines().enumerate() {
        if line == "---" || line.starts_with("--- ") {
            documents.push("\n".repeat(index + 1));
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    documents
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn error(&self, (line, column): (u64, u64), fault: String) -> ScaledObjectError {
        ScaledObjectError {
            file: self.file.to_owned(),
            line,
            column,
            fault,
        }
    }

    /// None for a document without anything in it.
    fn read<T: for<'de> Deserialize<'de>>(
        &self,
        text: &str,
    ) -> Result<Option<T>, ScaledObjectError> {
        let has_text = |line: &str| !matches!(line.trim_start().chars().next(), None | Some('#'));
        if !text.lines().any(has_text) {
            return Ok(None);
        }
        // Kubernetes takes no number for a text.
        let options = serde_saphyr::options! { no_schema: true, with_snippet: false };
        serde_saphyr::from_str_with_options(text, options)
            .map(Some)
            .map_err(|error| {
                let place = error.location().map_or((1, 1), place);
                self.error(place, without_place(&error.to_string()).to_owned())
            })
    }

    fn add(&self, document: &Document, found: &mut ScaledObjects) -> Result<(), ScaledObjectError> {
        let spec = &document.spec.value;
        if let Some(fault) = spec.fault() {
            return Err(self.error(place(document.spec.referenced), fault));
        }
        let (mut object, mut autoscaler) = (ScaledObject::default(), AutoscalerSettings::default());
        spec.apply(&mut object, &mut autoscaler);
        let is_usable = |trigger: &&Spanned<TriggerSpec>| scaler(&trigger.value.kind).is_some();
        let usable = spec.triggers.iter().filter(is_usable).count();
        for (number, trigger) in (1_usize..).zip(&spec.triggers) {
            let here = place(trigger.referenced);
            let Some(scaler) = scaler(&trigger.value.kind) else {
                let kind = &trigger.value.kind;
                let note = format!("a trigger of type {kind:?} is not simulated");
                found.notes.push(self.error(here, note).to_string());
                continue;
            };
            if found.objects.len() >= TRIGGERS_MAX {
                return Err(self.error(here, format!("expected at most {TRIGGERS_MAX} triggers")));
            }
            found.objects.push(OwnObject {
                name: name(&document.metadata, number, usable),
                policy: self.policy(&trigger.value, here)?,
                scaler,
                object: object.clone(),
                autoscaler: autoscaler.clone(),
            });
        }
        Ok(())
    }

    /// The metadata as the scaler itself understands it.
    fn policy(
        &self,
        trigger: &TriggerSpec,
        here: (u64, u64),
    ) -> Result<ScalingPolicy, ScaledObjectError> {
        if let Some(kind) = trigger
            .metric_type
            .as_ref()
            .filter(|kind| kind.value != "AverageValue")
        {
            let fault = format!("metricType: expected AverageValue, found {:?}", kind.value);
            return Err(self.error(place(kind.referenced), fault));
        }
        let values = trigger.metadata.iter();
        let metadata: HashMap<String, String> = values
            .map(|(key, value)| (key.clone(), value.value.clone()))
            .collect();
        let parsed = Trigger::parse(&metadata).map_err(|error| {
            let value = key_of(&error).and_then(|key| trigger.metadata.get(key));
            let place = value.map_or(here, |value| place(value.referenced));
            self.error(place, error.to_string())
        })?;
        if parsed.policy.target() <= 0.0 {
            let value = trigger.metadata.get("queueLength");
            let place = value.map_or(here, |value| place(value.referenced));
            return Err(self.error(place, "expected a queueLength above 0".to_owned()));
        }
        Ok(parsed.policy)
    }
}

/// How a trigger of this type is asked; none where it is not about SQS.
fn scaler(kind: &str) -> Option<ScalerSettings> {
    match kind {
        "aws-sqs-queue" => Some(ScalerSettings::built_in()),
        "external" => Some(ScalerSettings {
            push_interval: None,
            ..ScalerSettings::sluice()
        }),
        "external-push" => Some(ScalerSettings::sluice()),
        _ => None,
    }
}

fn name(metadata: &Metadata, number: usize, triggers: usize) -> String {
    let namespace = metadata.namespace.as_deref();
    let prefix = namespace
        .map(|namespace| format!("{namespace}/"))
        .unwrap_or_default();
    let suffix = if triggers > 1 {
        format!(", trigger {number}")
    } else {
        String::new()
    };
    format!("your {prefix}{}{suffix}", metadata.name)
}

/// The first key that an error is about.
fn key_of(error: &PolicyError) -> Option<&'static str> {
    match error {
        PolicyError::NotAnInteger { key, .. }
        | PolicyError::NotABoolean { key, .. }
        | PolicyError::NotOneOf { key, .. } => Some(key),
        PolicyError::NoQueueName => Some("queueURL"),
        PolicyError::Several(errors) => errors.iter().find_map(key_of),
        _ => None,
    }
}

fn place(location: Location) -> (u64, u64) {
    (location.line(), location.column())
}

/// The parser says the place itself, in other words than ours.
fn without_place(text: &str) -> &str {
    let is_place = |rest: &str| rest.starts_with("line ");
    match text.rsplit_once(" at ") {
        Some((before, after)) if is_place(after) => before,
        _ => text,
    }
}

#[cfg(test)]
#[path = "scaled_object_tests.rs"]
mod tests;
