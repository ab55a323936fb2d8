//! The rules: which queues, roles and endpoints a namespace may name. Pure.
//!
//! Without a rule of their own all namespaces may read queues of the scaler's own account, at AWS, as
//! the scaler or with keys of their own.

use std::fmt;

use wildmatch::WildMatch;

use super::{asked::Asked, refusal::Refusal};
use crate::{
    queue::LoopbackEndpoints,
    scaling::{QueueRef, RoleRef, Secret},
};

/// A pattern in which `*` stands for any text and `?` for any character.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern(pub(super) WildMatch);

impl Pattern {
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.matches(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// What some namespaces may ask for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) namespaces: Vec<Pattern>,
    pub(super) queues: Vec<Pattern>,
    /// None where the file says nothing: the own one, and whichever the keys of a trigger open.
    pub(super) accounts: Option<Vec<Pattern>>,
    pub(super) regions: Vec<Pattern>,
    pub(super) roles: Vec<RoleRule>,
    pub(super) endpoints: Vec<Pattern>,
}

/// A role that may be assumed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RoleRule {
    pub(super) arn: Pattern,
    /// None where any will do.
    pub(super) external_id: Option<String>,
}

/// All rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// None without a file.
    pub(super) rules: Option<Vec<Rule>>,
    pub(super) loopback: LoopbackEndpoints,
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    Refused(Refusal),
    /// It depends on which account is the scaler's own, which is not known.
    NeedsOwnAccount,
}

/// What is known besides the trigger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// The scaler's own account.
    pub(super) own_account: Option<&'a str>,
    /// Where queues are whose trigger names no endpoint.
    pub(super) is_aws: bool,
}

impl Rules {
    /// Those that hold without a file.
    pub fn default_ones(loopback: LoopbackEndpoints) -> Self {
        Self {
            rules: None,
            loopback,
        }
    }

    /// Whether a trigger of `namespace` may ask for `queue`.
    pub(super) fn check(
        &self,
        namespace: &str,
        queue: &QueueRef,
        known: Surroundings<'_>,
    ) -> Verdict {
        let asked = match Asked::of(queue, self.loopback, known) {
            Ok(asked) => asked,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        let Some(rules) = &self.rules else {
            return asked.by(&Rule::default_one(), "the default");
        };
        let of_namespace = |rule: &Rule| rule.namespaces.iter().any(|one| one.matches(namespace));
        let mut verdict = Verdict::Refused(Refusal::Namespace {
            namespace: namespace.to_owned(),
        });
        for (number, rule) in (1_u32..).zip(rules).filter(|(_, rule)| of_namespace(rule)) {
            match asked.by(rule, &format!("rule {number}")) {
                Verdict::Allowed => return Verdict::Allowed,
                // Of several refusals the first is told, but for what may yet become a yes.
                Verdict::NeedsOwnAccount => verdict = Verdict::NeedsOwnAccount,
                refused if matches!(verdict, Verdict::Refused(Refusal::Namespace { .. })) => {
                    verdict = refused;
                }
                Verdict::Refused(_) => {}
            }
        }
        verdict
    }
}

impl Rule {
    fn default_one() -> Self {
        Self {
            namespaces: Vec::new(),
            queues: vec![Pattern(WildMatch::new("*"))],
            accounts: None,
            regions: vec![Pattern(WildMatch::new("*"))],
            roles: Vec::new(),
            endpoints: Vec::new(),
        }
    }
}

impl RoleRule {
    pub(super) fn permits_external_id(&self, role: &RoleRef) -> bool {
        let given = role.external_id.as_ref().map(Secret::expose);
        self.external_id
            .as_ref()
            .is_none_or(|wanted| given == Some(wanted.as_str()))
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
