//! What AWS must allow Sluice, and no more, as the policy that IAM takes. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::scaling::QueueRef;

/// What stands in an ARN for an account that nobody tells.
pub const UNKNOWN_ACCOUNT: &str = "ACCOUNT_ID";

/// A policy as IAM takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: &'static str,
    resource: Vec<String>,
}

impl Policy {
    /// What reading these queues takes. `CloudWatch` grants its metrics for all queues or for none.
    pub fn reading(arns: BTreeSet<String>) -> Self {
        let statement = |sid, action, resource| Statement {
            sid,
            effect: "Allow",
            action,
            resource,
        };
        Self {
            version: "2012-10-17",
            statement: vec![
                statement(
                    "ReadQueues",
                    "sqs:GetQueueAttributes",
                    arns.into_iter().collect(),
                ),
                statement(
                    "ReadMetrics",
                    "cloudwatch:GetMetricData",
                    vec!["*".to_owned()],
                ),
            ],
        }
    }

    /// As it is pasted.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// What IAM calls a queue; the account is [`UNKNOWN_ACCOUNT`] where only a name is given.
pub fn queue_arn(queue: &QueueRef) -> String {
    let region = &queue.region;
    // KEDA takes a URL with placeholders for a name; here its last part is one.
    let name = match queue.url.rsplit_once('/') {
        Some((before, name)) if before.contains("://") && !name.is_empty() => name,
        _ => &queue.name,
    };
    let account = account(&queue.url).unwrap_or(UNKNOWN_ACCOUNT);
    format!("arn:{}:sqs:{region}:{account}:{name}", partition(region))
}

/// What stands in a queue's URL before its name.
fn account(queue_url: &str) -> Option<&str> {
    let (_, after_scheme) = queue_url.split_once("://")?;
    let mut parts = after_scheme.rsplit('/').skip(1);
    let account = parts.next()?;
    // What is left is the host.
    parts
        .next()
        .and(Some(account))
        .filter(|account| !account.is_empty())
}

/// AWS is three clouds that share no account.
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(url: &str, region: &str) -> String {
        queue_arn(&QueueRef {
            region: region.to_owned(),
            ..QueueRef::given(url)
        })
    }

    #[test]
    fn a_queue_is_named_as_iam_names_it() {
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
        for (url, region, expected) in [
            (
                url,
                "eu-west-1",
                "arn:aws:sqs:eu-west-1:123456789012:orders",
            ),
            (
                url,
                "cn-north-1",
                "arn:aws-cn:sqs:cn-north-1:123456789012:orders",
            ),
            (
                url,
                "us-gov-west-1",
                "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:orders",
            ),
            (
                "orders",
                "eu-west-1",
                "arn:aws:sqs:eu-west-1:ACCOUNT_ID:orders",
            ),
            (
                "https://h/orders",
                "eu-west-1",
                "arn:aws:sqs:eu-west-1:ACCOUNT_ID:orders",
            ),
        ] {
            assert_eq!(arn(url, region), expected, "{url}");
        }
    }

    #[test]
    fn the_policy_allows_two_things() {
        let policy = Policy::reading([arn("orders", "eu-west-1")].into());
        let expected = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ReadQueues", "Effect": "Allow", "Action": "sqs:GetQueueAttributes",
                    "Resource": ["arn:aws:sqs:eu-west-1:ACCOUNT_ID:orders"]
                },
                {
                    "Sid": "ReadMetrics", "Effect": "Allow", "Action": "cloudwatch:GetMetricData",
                    "Resource": ["*"]
                }
            ]
        });
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&policy.json()).unwrap(),
            expected
        );
    }
}
