//! The file of rules: TOML, of which every mistake is said before anything is served.

use serde::Deserialize;
use wildmatch::WildMatch;

use super::rules::{Pattern, RoleRule, Rule, Rules};
use crate::{queue::LoopbackEndpoints, scaling::is_account, watched_files::FileError};

/// A file of rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessFileError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no text.
    #[error("the file of rules is not in UTF-8")]
    NoText,
    /// It is not what is expected.
    #[error("cannot understand the file of rules: {}", one_line(.0))]
    Toml(#[from] toml::de::Error),
    /// A rule is about nobody.
    #[error("rule {rule} names no namespace: expected names or patterns in \"namespaces\"")]
    NoNamespace {
        /// Its number.
        rule: usize,
    },
    /// An account is no account.
    #[error("rule {rule}: account {found:?}: expected 12 digits, \"own\" or \"*\"")]
    Account {
        /// The number of the rule.
        rule: usize,
        /// What was found.
        found: String,
    },
    /// The task that reads files ended.
    #[error("the file of rules was not read")]
    Interrupted,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<Allow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    namespaces: Vec<String>,
    #[serde(default = "everything")]
    queues: Vec<String>,
    accounts: Option<Vec<String>>,
    #[serde(default = "everything")]
    regions: Vec<String>,
    #[serde(default)]
    roles: Vec<Role>,
    #[serde(default)]
    endpoints: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Role {
    Arn(String),
    WithExternalId(RoleAndId),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleAndId {
    arn: String,
    external_id: Option<String>,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

impl Rules {
    /// The rules of a file.
    ///
    /// # Errors
    /// When it is not TOML of the form that is expected, has a key too many, or a rule is about nobody.
    pub fn parse(text: &str, loopback: LoopbackEndpoints) -> Result<Self, AccessFileError> {
        let file: File = toml::from_str(text)?;
        let numbered = (1..).zip(file.allow);
        let rules: Result<Vec<Rule>, _> =
            numbered.map(|(number, allow)| allow.rule(number)).collect();
        Ok(Self {
            rules: Some(rules?),
            loopback,
        })
    }
}

impl Allow {
    fn rule(self, number: usize) -> Result<Rule, AccessFileError> {
        if self.namespaces.is_empty() {
            return Err(AccessFileError::NoNamespace { rule: number });
        }
        let accounts = self.accounts.unwrap_or_default();
        if let Some(found) = accounts.iter().find(|account| !names_accounts(account)) {
            let (rule, found) = (number, found.clone());
            return Err(AccessFileError::Account { rule, found });
        }
        let endpoints: Vec<String> = self
            .endpoints
            .iter()
            .map(|endpoint| endpoint.trim_end_matches('/').to_lowercase())
            .collect();
        Ok(Rule {
            namespaces: patterns(&self.namespaces),
            queues: patterns(&self.queues),
            accounts: (!accounts.is_empty()).then(|| patterns(&accounts)),
            regions: patterns(&self.regions),
            roles: self.roles.into_iter().map(RoleRule::from).collect(),
            endpoints: patterns(&endpoints),
        })
    }
}

impl From<Role> for RoleRule {
    fn from(role: Role) -> Self {
        let (arn, external_id) = match role {
            Role::Arn(arn) => (arn, None),
            Role::WithExternalId(role) => (role.arn, role.external_id),
        };
        Self {
            arn: Pattern(WildMatch::new(&arn)),
            external_id,
        }
    }
}

fn patterns(texts: &[String]) -> Vec<Pattern> {
    let pattern = |text: &String| Pattern(WildMatch::new(text));
    texts.iter().map(pattern).collect()
}

/// A part of an account's number would allow accounts of strangers.
fn names_accounts(text: &str) -> bool {
    is_account(text) || ["own", "*"].contains(&text)
}

/// The parser draws the place over several lines; a log has one.
fn one_line(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Result<Rules, String> {
        Rules::parse(text, LoopbackEndpoints::Refused).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_rule_leaves_out_is_as_without_a_file() {
        let rules = given("[[allow]]\nnamespaces = [\"shop\"]").unwrap();
        let rule = &rules.rules.unwrap()[0];
        assert_eq!(rule.accounts, None);
        assert_eq!(rule.queues, patterns(&everything()));
        assert!(rule.roles.is_empty() && rule.endpoints.is_empty());
    }

    #[test]
    fn a_mistake_is_said_with_its_place() {
        let cases = [
            ("[[allow]]\nnamespaces = []", "rule 1 names no namespace"),
            ("[[allow]]\nqueues = [\"a\"]", "missing field `namespaces`"),
            (
                "[[allow]]\nnamespaces = [\"a\"]\nqueue = [\"a\"]",
                "unknown field `queue`",
            ),
            (
                "[[allow]]\nnamespaces = [\"a\"]\naccounts = [\"1234*\"]",
                "rule 1: account \"1234*\": expected 12 digits",
            ),
            ("allow = 3", "line 1"),
        ];
        for (text, expected) in cases {
            let error = given(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
