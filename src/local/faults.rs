//! Lies on command: rules that say which requests fail, hang or get a wrong answer, and for how long.

use std::{collections::HashMap, time::Duration};

use serde_json::{Map, Value};

/// More rules than this are refused; the oldest goes.
const RULES_MAX: usize = 1_000;

const COUNTS: [&str; 3] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// `ThrottlingException`, "Rate exceeded".
    Throttle,
    /// `AccessDenied`: the caller may not do this.
    AccessDenied,
    /// An internal error with this HTTP status, such as 500 or 503.
    ServerError(u16),
    /// The answer comes this much later.
    Latency(Duration),
    /// No answer until the server shuts down.
    Hang,
    /// Status 200 with a body that is not JSON.
    Garbage,
    /// The connection breaks while the answer is being sent.
    DropConnection,
    /// `GetQueueAttributes` leaves this attribute out.
    MissingAttribute(String),
    /// `GetQueueAttributes` gives this attribute that value, whatever is true.
    AttributeValue { name: String, value: String },
    /// `GetQueueAttributes` keeps giving the counts it gave first under this rule.
    StaleCounts,
    /// `GetQueueAttributes` counts no messages.
    ZeroCounts,
    /// The answer's `Date` is so many seconds off: the server's clock, as clients see it, is wrong.
    ClockSkew(i64),
    /// Every second entry of a batch fails with an internal error, beginning with the first.
    PartialBatchFailure,
}

/// Which requests go wrong, how, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// Only this operation, such as `GetQueueAttributes`; every one when `None`.
    pub operation: Option<String>,
    /// Only requests about the queue of this name; every one when `None`.
    pub queue: Option<String>,
    pub action: FaultAction,
    /// How many requests it applies to; no limit when `None`.
    pub remaining: Option<u64>,
    /// How long it applies, from when it was set, by the server's clock; for good when `None`.
    pub lasts: Option<Duration>,
}

impl FaultRule {
    /// A rule for every request, for good.
    pub fn always(action: FaultAction) -> Self {
        Self {
            operation: None,
            queue: None,
            action,
            remaining: None,
            lasts: None,
        }
    }

    /// A rule for every request of one operation, for good.
    pub fn on(operation: &str, action: FaultAction) -> Self {
        Self {
            operation: Some(operation.to_owned()),
            ..Self::always(action)
        }
    }

    /// The same rule for the next `requests` only.
    #[must_use]
    pub fn times(self, requests: u64) -> Self {
        Self {
            remaining: Some(requests),
            ..self
        }
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<ActiveRule>,
}

#[derive(Debug)]
struct ActiveRule {
    rule: FaultRule,
    until: Option<Duration>,
    /// What `StaleCounts` froze, by queue.
    frozen: HashMap<String, Map<String, Value>>,
}

impl Faults {
    pub(crate) fn add(&mut self, now: Duration, rule: FaultRule) {
        if self.rules.len() >= RULES_MAX {
            self.rules.remove(0);
        }
        let until = rule.lasts.map(|lasts| now + lasts);
        self.rules.push(ActiveRule {
            rule,
            until,
            frozen: HashMap::new(),
        });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// By how many seconds the `Date` of answers is off now.
    pub(crate) fn clock_skew(&self, now: Duration) -> Option<i64> {
        let in_force = |active: &&ActiveRule| active.until.is_none_or(|until| now < until);
        let mut rules = self.rules.iter().filter(in_force);
        rules.find_map(|active| match active.rule.action {
            FaultAction::ClockSkew(seconds) => Some(seconds),
            _ => None,
        })
    }

    /// The actions for one request, in the order the rules were set. Each counts as used by it.
    pub(crate) fn take(
        &mut self,
        now: Duration,
        operation: &str,
        queue: Option<&str>,
    ) -> Vec<FaultAction> {
        self.rules.retain(|active| {
            active.until.is_none_or(|until| now < until) && active.rule.remaining != Some(0)
        });
        let matching = self
            .rules
            .iter_mut()
            .filter(|active| active.rule.covers(operation, queue));
        matching
            .map(|active| {
                active.rule.remaining = active.rule.remaining.map(|left| left.saturating_sub(1));
                active.rule.action.clone()
            })
            .collect()
    }

    /// Replaces the counts in `attributes` by those the queue had when they were first asked for.
    pub(crate) fn freeze(&mut self, queue: &str, attributes: &mut Map<String, Value>) {
        let stale = |active: &&mut ActiveRule| {
            active.rule.action == FaultAction::StaleCounts
                && active.rule.covers("GetQueueAttributes", Some(queue))
        };
        for active in self.rules.iter_mut().filter(stale) {
            let frozen = active
                .frozen
                .entry(queue.to_owned())
                .or_insert_with(|| attributes.clone());
            for name in COUNTS {
                if let (Some(value), Some(old)) = (attributes.get_mut(name), frozen.get(name)) {
                    *value = old.clone();
                }
            }
        }
    }
}

impl FaultRule {
    fn covers(&self, operation: &str, queue: Option<&str>) -> bool {
        self.operation
            .as_deref()
            .is_none_or(|wanted| wanted == operation)
            && self
                .queue
                .as_deref()
                .is_none_or(|wanted| queue == Some(wanted))
    }
}

impl FaultAction {
    /// Changes the attributes that `GetQueueAttributes` is about to give.
    pub(crate) fn distort(&self, attributes: &mut Map<String, Value>) {
        match self {
            Self::MissingAttribute(name) => {
                attributes.remove(name);
            }
            Self::AttributeValue { name, value } => {
                attributes.insert(name.clone(), Value::from(value.as_str()));
            }
            Self::ZeroCounts => {
                for name in COUNTS {
                    attributes
                        .entry(name)
                        .and_modify(|count| *count = Value::from("0"));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn distorts(&self) -> bool {
        matches!(
            self,
            Self::MissingAttribute(_)
                | Self::AttributeValue { .. }
                | Self::ZeroCounts
                | Self::StaleCounts
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000);

    #[test]
    fn a_rule_covers_what_it_names_as_often_as_it_says() {
        let mut faults = Faults::default();
        let rule = FaultRule {
            queue: Some("orders".to_owned()),
            ..FaultRule::on("GetQueueAttributes", FaultAction::Throttle).times(1)
        };
        faults.add(NOW, rule);
        assert!(faults.take(NOW, "SendMessage", Some("orders")).is_empty());
        assert!(
            faults
                .take(NOW, "GetQueueAttributes", Some("other"))
                .is_empty()
        );
        assert_eq!(
            faults.take(NOW, "GetQueueAttributes", Some("orders")),
            [FaultAction::Throttle]
        );
        assert!(
            faults
                .take(NOW, "GetQueueAttributes", Some("orders"))
                .is_empty()
        );
    }

    #[test]
    fn a_rule_ends_with_its_time() {
        let mut faults = Faults::default();
        let lasts = Some(Duration::from_secs(5));
        faults.add(
            NOW,
            FaultRule {
                lasts,
                ..FaultRule::always(FaultAction::Hang)
            },
        );
        assert_eq!(
            faults
                .take(NOW + Duration::from_secs(4), "ListQueues", None)
                .len(),
            1
        );
        assert!(
            faults
                .take(NOW + Duration::from_secs(5), "ListQueues", None)
                .is_empty()
        );
        assert!(faults.is_empty());
    }
}
