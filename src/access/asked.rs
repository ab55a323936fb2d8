//! What a trigger asks for, held against one rule. Pure.

use wildmatch::WildMatch;

use super::{
    refusal::Refusal,
    rules::{Pattern, Rule, Surroundings, Verdict},
};
use crate::{
    queue::{EndpointKind, LoopbackEndpoints},
    scaling::{Identity, QueueRef, is_account},
};

/// In a list of accounts: the scaler's own, or that of the role that is assumed.
const OWN: &str = "own";

/// Of whom a queue is.
#[derive(Debug)]
enum Owner {
    /// Of whoever asks.
    Asker,
    Account(String),
    /// At a stand-in for AWS there are no accounts.
    Nobody,
}

/// What a trigger asks for, as far as rules are about it.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    queue: &'a QueueRef,
    owner: Owner,
    /// An endpoint that must be allowed.
    endpoint: Option<String>,
    own_account: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// What no rule can allow is refused here.
    pub(super) fn of(
        queue: &'a QueueRef,
        loopback: LoopbackEndpoints,
        known: Surroundings<'a>,
    ) -> Result<Self, Refusal> {
        if !is_region(&queue.region) {
            let region = queue.region.clone();
            return Err(Refusal::NoRegion { region });
        }
        let (is_aws, endpoint) = match queue.endpoint.clone() {
            None => (known.is_aws, None),
            Some(endpoint) => match EndpointKind::of(&endpoint) {
                EndpointKind::Aws => (true, None),
                EndpointKind::Loopback if loopback == LoopbackEndpoints::Allowed => (false, None),
                EndpointKind::Loopback => return Err(Refusal::Loopback { endpoint }),
                EndpointKind::Reserved => return Err(Refusal::Reserved { endpoint }),
                EndpointKind::Unreadable => return Err(Refusal::NoEndpoint { endpoint }),
                EndpointKind::Other(origin) => (false, Some(origin)),
            },
        };
        let owner = if is_aws {
            owner(&queue.url)?
        } else {
            Owner::Nobody
        };
        Ok(Self {
            queue,
            owner,
            endpoint,
            own_account: known.own_account,
        })
    }

    /// What `rule` says, which a refusal calls `name`.
    pub(super) fn by(&self, rule: &Rule, name: &str) -> Verdict {
        let static_rules = self
            .endpoint(rule, name)
            .and_then(|()| self.role(rule, name))
            .and_then(|()| self.region_and_queue(rule, name));
        match static_rules {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(()) => self.account(rule, name),
        }
    }

    fn endpoint(&self, rule: &Rule, name: &str) -> Result<(), Refusal> {
        match &self.endpoint {
            Some(endpoint) if !any_matches(&rule.endpoints, endpoint) => Err(Refusal::Endpoint {
                endpoint: endpoint.clone(),
                rule: name.to_owned(),
                allowed: listed(&rule.endpoints),
            }),
            _ => Ok(()),
        }
    }

    fn role(&self, rule: &Rule, name: &str) -> Result<(), Refusal> {
        let Identity::Role(role) = &self.queue.identity else {
            return Ok(());
        };
        let (role_arn, rule_name) = (role.arn.clone(), name.to_owned());
        let mut of_arn = rule
            .roles
            .iter()
            .filter(|allowed| allowed.arn.matches(&role.arn))
            .peekable();
        if of_arn.peek().is_none() {
            return Err(Refusal::Role {
                role: role_arn,
                rule: rule_name,
                allowed: listed(rule.roles.iter().map(|allowed| &allowed.arn)),
            });
        }
        if of_arn.any(|allowed| allowed.permits_external_id(role)) {
            return Ok(());
        }
        Err(Refusal::ExternalId {
            role: role_arn,
            rule: rule_name,
        })
    }

    fn region_and_queue(&self, rule: &Rule, name: &str) -> Result<(), Refusal> {
        let QueueRef {
            region,
            name: queue,
            ..
        } = self.queue;
        if !any_matches(&rule.regions, region) {
            return Err(Refusal::Region {
                region: region.clone(),
                rule: name.to_owned(),
                allowed: listed(&rule.regions),
            });
        }
        if !any_matches(&rule.queues, queue) {
            return Err(Refusal::Queue {
                queue: queue.clone(),
                rule: name.to_owned(),
                allowed: listed(&rule.queues),
            });
        }
        Ok(())
    }

    fn account(&self, rule: &Rule, name: &str) -> Verdict {
        // Whoever brings keys is let in by AWS, not by the scaler's identity.
        let brings_keys = matches!(self.queue.identity, Identity::StaticKeys { .. });
        let allowed = match &rule.accounts {
            None if brings_keys => return Verdict::Allowed,
            Some(list) => list.clone(),
            None => vec![Pattern(WildMatch::new(OWN))],
        };
        let allows = |account: &str| any_matches(&allowed, account);
        let asker = match &self.queue.identity {
            Identity::Own => self.own_account,
            Identity::Role(role) => role.account(),
            Identity::StaticKeys { .. } => None,
        };
        let account = match &self.owner {
            Owner::Nobody => return Verdict::Allowed,
            Owner::Asker if allows(OWN) => return Verdict::Allowed,
            Owner::Asker => asker,
            Owner::Account(account) => Some(account.as_str()),
        };
        let is_own = account.is_some() && account == asker && allows(OWN);
        match account {
            Some(account) if is_own || (account != OWN && allows(account)) => Verdict::Allowed,
            Some(_) if brings_keys && allows(OWN) => Verdict::Allowed,
            _ if self.depends_on_own_account(allows(OWN)) => Verdict::NeedsOwnAccount,
            account => Verdict::Refused(Refusal::Account {
                account: account.unwrap_or("unknown").to_owned(),
                rule: name.to_owned(),
                allowed: with_own(&allowed, asker),
            }),
        }
    }

    fn depends_on_own_account(&self, allows_own: bool) -> bool {
        let is_own = matches!(self.queue.identity, Identity::Own);
        let matters = allows_own || matches!(self.owner, Owner::Asker);
        is_own && matters && self.own_account.is_none()
    }
}
fn any_matches(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
}

/// Patterns as a refusal lists them.
fn listed<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> String {
    let texts: Vec<String> = patterns.into_iter().map(ToString::to_string).collect();
    if texts.is_empty() {
        "none".to_owned()
    } else {
        texts.join(", ")
    }
}

/// `own` is told with the account that it is.
fn with_own(allowed: &[Pattern], own: Option<&str>) -> String {
    let texts = allowed.iter().map(ToString::to_string);
    let texts: Vec<String> = texts
        .map(|text| match own {
            Some(own) if text == OWN => format!("{OWN} ({own})"),
            _ => text,
        })
        .collect();
    texts.join(", ")
}

/// Regions become part of a host's name. An underscore is not in any, but the SDK says that in KEDA's words.
fn is_region(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= 63 && text.bytes().all(is_allowed)
}

/// Of whom a queue at AWS is. What SQS might read otherwise than we do is refused.
fn owner(queue_url: &str) -> Result<Owner, Refusal> {
    let no_account = || Refusal::NoAccount {
        url: queue_url.to_owned(),
    };
    if is_queue_name(queue_url) {
        return Ok(Owner::Asker);
    }
    let (_, after_scheme) = queue_url.split_once("://").ok_or_else(no_account)?;
    match after_scheme.split('/').collect::<Vec<_>>().as_slice() {
        [_, account, name] if is_account(account) && is_queue_name(name) => {
            Ok(Owner::Account((*account).to_owned()))
        }
        _ => Err(no_account()),
    }
}

fn is_queue_name(text: &str) -> bool {
    let bare = text.strip_suffix(".fifo").unwrap_or(text);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !bare.is_empty() && bare.bytes().all(is_allowed)
}
