//! The triggers of a manifest that are about SQS, as their scaler would be told of them.

use std::collections::HashMap;

use super::{
    ManifestError,
    objects::{Finder, Kind, Object, Trigger, entries},
    parse,
    tree::{Entry, Node},
};
use crate::{
    scaling::{JobStrategy, Workload, WorkloadKind},
    workloads::ObjectName,
};

/// Where an object without a namespace ends up.
const NAMESPACE_DEFAULT: &str = "default";

/// KEDA's defaults for what an object does not say.
const REPLICAS_MIN_DEFAULT: u32 = 0;
const REPLICAS_MAX_DEFAULT: u32 = 100;

/// A trigger about SQS, and the object that it scales.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqsTrigger {
    /// The object.
    pub object: ObjectName,
    /// What kind it is of, and its bounds.
    pub workload: Workload,
    /// `file:line:column` of the trigger.
    pub place: String,
    /// Its `type`.
    pub kind: String,
    /// Its metadata, with what is from the environment resolved.
    pub metadata: HashMap<String, String>,
    /// The keys whose variable of the environment is not known; KEDA leaves them out.
    pub unresolved: Vec<(String, String)>,
}

/// Reads the triggers of `text` whose type is `aws-sqs-queue`, `external` or `external-push` and that name
/// a queue. What they take from the environment is asked of `variable`.
///
/// # Errors
/// For what is no YAML, and for metadata that is no text.
pub fn sqs_triggers(
    file: &str,
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<SqsTrigger>, ManifestError> {
    let documents = parse(file, text)?;
    let mut finder = Finder::new(file, &documents);
    let mut triggers = Vec::new();
    for object in &finder.find()?.objects {
        for trigger in &object.triggers {
            let metadata = metadata(&mut finder, trigger)?;
            if is_about_sqs(trigger, &metadata) {
                triggers.push(sqs_trigger(file, (object, trigger), metadata, &variable));
            }
        }
    }
    Ok(triggers)
}

fn is_about_sqs(trigger: &Trigger<'_>, metadata: &HashMap<String, String>) -> bool {
    let has_queue = ["queueURL", "queueURLFromEnv"]
        .iter()
        .any(|key| metadata.contains_key(*key));
    match trigger.kind.text() {
        Some("aws-sqs-queue") => true,
        Some("external" | "external-push") => has_queue,
        _ => false,
    }
}

/// The texts of a trigger's metadata.
fn metadata<'a>(
    finder: &mut Finder<'a>,
    trigger: &Trigger<'a>,
) -> Result<HashMap<String, String>, ManifestError> {
    let mut texts = HashMap::new();
    let Some(metadata) = trigger.metadata else {
        return Ok(texts);
    };
    for Entry { key, value } in entries(metadata) {
        let (Some(name), value) = (key.text(), finder.follow(value)) else {
            continue;
        };
        let text = value.text().map(str::to_owned);
        let text = text.ok_or_else(|| not_a_text(finder.file, name, value))?;
        texts.insert(name.to_owned(), text);
    }
    Ok(texts)
}

fn not_a_text(file: &str, key: &str, value: &Node) -> ManifestError {
    let fault = format!(
        "{key}: expected a text; if this is a template, render it first, as with `helm template`"
    );
    ManifestError::at(file, value.place, fault)
}

fn sqs_trigger(
    file: &str,
    (object, trigger): (&Object<'_>, &Trigger<'_>),
    mut metadata: HashMap<String, String>,
    variable: &impl Fn(&str) -> Option<String>,
) -> SqsTrigger {
    let unresolved = resolve(&mut metadata, variable);
    let namespace = object.namespace.as_deref().unwrap_or(NAMESPACE_DEFAULT);
    SqsTrigger {
        object: ObjectName {
            namespace: namespace.to_owned(),
            name: object.name.clone(),
        },
        workload: workload(object),
        place: format!("{file}:{}", trigger.node.place),
        kind: trigger.kind.text().unwrap_or_default().to_owned(),
        metadata,
        unresolved,
    }
}

/// Puts what is from the environment in its place, as KEDA does: what is not there is left out.
fn resolve(
    metadata: &mut HashMap<String, String>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let mut unresolved = Vec::new();
    metadata.retain(|key, value| {
        if !key.ends_with("FromEnv") {
            return true;
        }
        let resolved = variable(value).filter(|resolved| !resolved.is_empty());
        let is_known = resolved.is_some();
        match resolved {
            Some(resolved) => *value = resolved,
            None => unresolved.push((key.clone(), value.clone())),
        }
        is_known
    });
    unresolved.sort();
    unresolved
}

fn workload(object: &Object<'_>) -> Workload {
    let strategy = match object.strategy {
        None | Some("" | "default") => Some(JobStrategy::Default),
        Some("custom") => Some(JobStrategy::Custom),
        Some("accurate") => Some(JobStrategy::Accurate),
        Some("eager") => Some(JobStrategy::Eager),
        Some(_) => None,
    };
    Workload {
        kind: match object.kind {
            Kind::ScaledObject => WorkloadKind::ScaledObject,
            Kind::ScaledJob => WorkloadKind::ScaledJob(strategy),
        },
        ready_replicas: None,
        replicas_min: object.replicas_min.unwrap_or(REPLICAS_MIN_DEFAULT),
        replicas_max: object.replicas_max.unwrap_or(REPLICAS_MAX_DEFAULT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
kind: ScaledJob
metadata: {name: encoder}
spec:
  maxReplicaCount: 7
  scalingStrategy: {strategy: eager}
  triggers:
    - type: cron
      metadata: {start: x}
    - type: external
      metadata: {scalerAddress: other:1}
    - type: external
      metadata:
        queueURLFromEnv: QUEUE_URL
        awsAccessKeyIDFromEnv: KEY_ID
        awsRegion: eu-west-1
";

    #[test]
    fn a_trigger_is_read_as_its_scaler_is_told() {
        let variable = |name: &str| (name == "QUEUE_URL").then(|| "orders".to_owned());
        let triggers = sqs_triggers("a.yaml", TEXT, variable).unwrap();
        assert_eq!(triggers.len(), 1);
        let SqsTrigger {
            object,
            workload,
            place,
            metadata,
            unresolved,
            ..
        } = &triggers[0];
        assert_eq!(
            (object.namespace.as_str(), object.name.as_str()),
            ("default", "encoder")
        );
        assert_eq!(workload.replicas_max, 7);
        assert_eq!(
            workload.kind,
            WorkloadKind::ScaledJob(Some(JobStrategy::Eager))
        );
        assert_eq!(place, "a.yaml:11:7");
        assert_eq!(metadata["queueURLFromEnv"], "orders");
        assert_eq!(
            unresolved[0],
            ("awsAccessKeyIDFromEnv".to_owned(), "KEY_ID".to_owned())
        );
    }

    #[test]
    fn metadata_that_is_no_text_is_refused_with_its_place() {
        let text = TEXT.replace("awsRegion: eu-west-1", "awsRegion: {{ .Values.region }}");
        let error = sqs_triggers("a.yaml", &text, |_| None).unwrap_err();
        assert!(
            error.to_string().starts_with("a.yaml:15:20: awsRegion: "),
            "{error}"
        );
    }
}
