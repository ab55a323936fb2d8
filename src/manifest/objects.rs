//! The objects of KEDA in a file and their triggers, whichever anchors and aliases they are written
//! with. Knows nothing of what becomes of them.

use std::collections::BTreeSet;

use super::{
    ManifestError,
    tree::{Documents, Entry, Node, Style, Value},
};

/// What KEDA scales by triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ScaledObject,
    ScaledJob,
}

/// One object with triggers.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    /// The strategy of a ScaledJob, as written.
    pub(crate) strategy: Option<&'a str>,
    /// `minReplicaCount` and `maxReplicaCount`.
    pub(crate) replicas_min: Option<u32>,
    pub(crate) replicas_max: Option<u32>,
    pub(crate) triggers: Vec<Trigger<'a>>,
}

/// One trigger. What it is written with may stand elsewhere, behind an alias.
#[derive(Debug)]
pub(crate) struct Trigger<'a> {
    pub(crate) node: &'a Node,
    pub(crate) kind: &'a Node,
    pub(crate) metadata: Option<&'a Node>,
    /// The name of its `authenticationRef`, and its kind.
    pub(crate) authentication: Option<(&'a str, &'a str)>,
}

/// A `TriggerAuthentication` or `ClusterTriggerAuthentication`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authentication {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The provider of `podIdentity`, and the role it names.
    pub(crate) pod_identity: Option<(String, Option<String>)>,
    /// Where its parameters come from, such as `secretTargetRef`.
    pub(crate) sources: Vec<String>,
}

/// Everything in a file that matters here.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) objects: Vec<Object<'a>>,
    pub(crate) authentications: Vec<Authentication>,
}

/// Lists in lists in lists are nobody's manifest.
const LIST_DEPTH_MAX: usize = 4;

/// An anchor may be merged into itself; nobody merges this deep otherwise.
const MERGE_DEPTH_MAX: usize = 8;

/// Looks things up, and remembers through which aliases.
#[derive(Debug)]
pub(crate) struct Finder<'a> {
    pub(crate) file: &'a str,
    pub(crate) documents: &'a Documents,
    /// The first bytes of the aliases that were followed.
    pub(crate) followed: BTreeSet<usize>,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(file: &'a str, documents: &'a Documents) -> Self {
        Self {
            file,
            documents,
            followed: BTreeSet::new(),
        }
    }

    /// The objects of all documents, and what KEDA would authenticate them with.
    pub(crate) fn find(&mut self) -> Result<Found<'a>, ManifestError> {
        let mut found = Found {
            objects: Vec::new(),
            authentications: Vec::new(),
        };
        for root in &self.documents.roots {
            self.collect(root, LIST_DEPTH_MAX, &mut found)?;
        }
        Ok(found)
    }

    fn collect(
        &mut self,
        document: &'a Node,
        depth: usize,
        found: &mut Found<'a>,
    ) -> Result<(), ManifestError> {
        let Some(kind) = self.text(document, "kind")? else {
            return Ok(());
        };
        if kind.ends_with("List") && depth > 0 {
            for item in self.items(document, "items")? {
                self.collect(item, depth - 1, found)?;
            }
            return Ok(());
        }
        let api = self.text(document, "apiVersion")?;
        if !api.is_none_or(|api| api.starts_with("keda.sh/")) {
            return Ok(());
        }
        match kind {
            "ScaledObject" => found
                .objects
                .push(self.object(document, Kind::ScaledObject)?),
            "ScaledJob" => found.objects.push(self.object(document, Kind::ScaledJob)?),
            "TriggerAuthentication" | "ClusterTriggerAuthentication" => {
                let authentication = self.authentication(document, kind)?;
                found.authentications.push(authentication);
            }
            _ => {}
        }
        Ok(())
    }

    fn object(&mut self, document: &'a Node, kind: Kind) -> Result<Object<'a>, ManifestError> {
        let (mut name, mut namespace) = (None, None);
        if let Some(metadata) = self.get(document, "metadata")? {
            name = self.text(metadata, "name")?;
            namespace = self.text(metadata, "namespace")?;
        }
        let (mut strategy, mut triggers) = (None, Vec::new());
        let (mut replicas_min, mut replicas_max) = (None, None);
        if let Some(spec) = self.get(document, "spec")? {
            if let Some(scaling) = self.get(spec, "scalingStrategy")? {
                strategy = self.text(scaling, "strategy")?;
            }
            replicas_min = self.count(spec, "minReplicaCount")?;
            replicas_max = self.count(spec, "maxReplicaCount")?;
            for node in self.items(spec, "triggers")? {
                triggers.extend(self.trigger(node)?);
            }
        }
        Ok(Object {
            kind,
            name: name.unwrap_or("(without a name)").to_owned(),
            namespace: namespace.map(str::to_owned),
            strategy,
            replicas_min,
            replicas_max,
            triggers,
        })
    }

    /// None for what has no type: KEDA refuses it, and here it is not touched.
    fn trigger(&mut self, node: &'a Node) -> Result<Option<Trigger<'a>>, ManifestError> {
        let Some(kind) = self.get(node, "type")? else {
            return Ok(None);
        };
        let authentication = match self.get(node, "authenticationRef")? {
            Some(reference) => {
                let kind = self.text(reference, "kind")?;
                let name = self.text(reference, "name")?;
                name.map(|name| (name, kind.unwrap_or("TriggerAuthentication")))
            }
            None => None,
        };
        Ok(Some(Trigger {
            node,
            kind,
            metadata: self.get(node, "metadata")?,
            authentication,
        }))
    }

    fn authentication(
        &mut self,
        document: &'a Node,
        kind: &str,
    ) -> Result<Authentication, ManifestError> {
        let name = match self.get(document, "metadata")? {
            Some(metadata) => self.text(metadata, "name")?,
            None => None,
        };
        let (mut pod_identity, mut sources) = (None, Vec::new());
        if let Some(spec) = self.get(document, "spec")? {
            if let Some(identity) = self.get(spec, "podIdentity")? {
                let provider = self.text(identity, "provider")?.unwrap_or("none");
                let role = self.text(identity, "roleArn")?;
                pod_identity = Some((provider.to_owned(), role.map(str::to_owned)));
            }
            let keys = entries(spec).iter().filter_map(|entry| entry.key.text());
            let others = keys.filter(|key| *key != "podIdentity" && *key != "<<");
            sources = others.map(str::to_owned).collect();
        }
        Ok(Authentication {
            kind: kind.to_owned(),
            name: name.unwrap_or_default().to_owned(),
            pod_identity,
            sources,
        })
    }

    /// The value of `key`, behind whichever alias or merge key it stands.
    pub(crate) fn get(
        &mut self,
        mapping: &'a Node,
        key: &str,
    ) -> Result<Option<&'a Node>, ManifestError> {
        self.get_merged(mapping, key, MERGE_DEPTH_MAX)
    }

    fn get_merged(
        &mut self,
        mapping: &'a Node,
        key: &str,
        depth: usize,
    ) -> Result<Option<&'a Node>, ManifestError> {
        let mapping = self.follow(mapping);
        if let Some(value) = self.own(mapping, key)? {
            return Ok(Some(self.follow(value)));
        }
        let Some(merged) = self.own(mapping, "<<")? else {
            return Ok(None);
        };
        if depth == 0 {
            let fault = format!("expected at most {MERGE_DEPTH_MAX} merge keys in one another");
            return Err(ManifestError::at(self.file, mapping.place, fault));
        }
        for base in self.bases(merged) {
            if let Some(value) = self.get_merged(base, key, depth - 1)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The value that stands in the mapping itself, once.
    fn own(&self, mapping: &'a Node, key: &str) -> Result<Option<&'a Node>, ManifestError> {
        let is_it = |entry: &&'a Entry| entry.key.text() == Some(key);
        let mut own = entries(mapping).iter().filter(is_it);
        let first = own.next();
        if let Some(again) = own.next() {
            let fault = format!("expected {key:?} once, found it again");
            return Err(ManifestError::at(self.file, again.key.place, fault));
        }
        Ok(first.map(|entry| &entry.value))
    }

    /// What a merge key brings: one mapping, or several.
    fn bases(&mut self, merged: &'a Node) -> Vec<&'a Node> {
        let merged = self.follow(merged);
        match &merged.value {
            Value::Sequence(items) => items.iter().collect(),
            _ => vec![merged],
        }
    }

    fn text(&mut self, mapping: &'a Node, key: &str) -> Result<Option<&'a str>, ManifestError> {
        Ok(self.get(mapping, key)?.and_then(Node::text))
    }

    fn count(&mut self, mapping: &'a Node, key: &str) -> Result<Option<u32>, ManifestError> {
        let text = self.text(mapping, key)?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    fn items(&mut self, mapping: &'a Node, key: &str) -> Result<&'a [Node], ManifestError> {
        Ok(match self.get(mapping, key)?.map(|node| &node.value) {
            Some(Value::Sequence(items)) => items,
            _ => &[],
        })
    }

    /// The node that is meant, where an alias stands.
    pub(crate) fn follow(&mut self, node: &'a Node) -> &'a Node {
        let Value::Alias(anchor) = node.value else {
            return node;
        };
        match self.documents.anchored.get(&anchor) {
            // An alias of an alias is no YAML.
            Some(meant) => {
                self.followed.insert(node.bytes.start);
                meant
            }
            None => node,
        }
    }
}

/// The entries of a mapping; none of anything else.
pub(crate) fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Mapping { entries, .. } => entries,
        _ => &[],
    }
}

/// How a mapping is written; None for anything else.
pub(crate) fn style(node: &Node) -> Option<Style> {
    match node.value {
        Value::Mapping { style, .. } => Some(style),
        _ => None,
    }
}
