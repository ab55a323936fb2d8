//! Each refusal with its message, and what is allowed.

use proptest::prelude::*;

use super::*;
use crate::{queue::EndpointKind, scaling::Identity};

const OWN_ACCOUNT: &str = "111111111111";
const OTHER_ACCOUNT: &str = "222222222222";

fn of_account(account: &str, name: &str) -> QueueRef {
    QueueRef::given(&format!(
        "https://sqs.eu-west-1.amazonaws.com/{account}/{name}"
    ))
}

fn at(endpoint: &str) -> QueueRef {
    QueueRef {
        endpoint: Some(endpoint.to_owned()),
        ..of_account(OWN_ACCOUNT, "orders")
    }
}

fn with_role(queue: QueueRef, arn: &str, external_id: Option<&str>) -> QueueRef {
    let role = RoleRef {
        arn: arn.to_owned(),
        external_id: external_id.map(Secret::new),
        session: "sluice@shop.worker".to_owned(),
    };
    QueueRef {
        identity: Identity::Role(role),
        ..queue
    }
}

fn with_keys(queue: QueueRef) -> QueueRef {
    let identity = Identity::StaticKeys {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: Secret::new("secret"),
    };
    QueueRef { identity, ..queue }
}

fn verdict(rules: &Rules, namespace: &str, queue: &QueueRef) -> Verdict {
    let known = Surroundings {
        own_account: Some(OWN_ACCOUNT),
        is_aws: true,
    };
    rules.check(namespace, queue, known)
}

fn by_default(queue: &QueueRef) -> Verdict {
    let rules = Rules::default_ones(LoopbackEndpoints::Refused);
    verdict(&rules, "shop", queue)
}

fn refused(verdict: Verdict) -> String {
    match verdict {
        Verdict::Refused(refusal) => refusal.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

fn given_rules(text: &str) -> Rules {
    Rules::parse(text, LoopbackEndpoints::Refused).unwrap()
}

#[test]
fn by_default_queues_of_the_own_account_need_no_setting() {
    let allowed = [
        QueueRef::given("orders"),
        QueueRef::given("orders.fifo"),
        of_account(OWN_ACCOUNT, "orders"),
        QueueRef::given("https://eu-west-1.queue.amazonaws.com/111111111111/orders"),
        at("https://sqs.eu-west-1.amazonaws.com"),
        at("https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com"),
        with_keys(of_account(OTHER_ACCOUNT, "orders")),
    ];
    for queue in allowed {
        assert_eq!(by_default(&queue), Verdict::Allowed, "{queue:?}");
    }
}

#[test]
fn by_default_everything_else_is_refused_and_it_is_said_why() {
    let role = "arn:aws:iam::222222222222:role/reader";
    let cases = [
        (
            of_account(OTHER_ACCOUNT, "orders"),
            "account 222222222222 of the queue is none of those that the default allows: own (111111111111)",
        ),
        (
            QueueRef::given("https://sqs.eu-west-1.amazonaws.com/account/orders"),
            "queueURL \"https://sqs.eu-west-1.amazonaws.com/account/orders\" does not say of which account \
             the queue is: expected a bare name, or a path of /<account of 12 digits>/<name>",
        ),
        (
            with_role(of_account(OTHER_ACCOUNT, "orders"), role, None),
            "awsRoleArn \"arn:aws:iam::222222222222:role/reader\" is none of those that the default allows: none",
        ),
        (
            at("https://sqs.internal.example"),
            "awsEndpoint \"https://sqs.internal.example\" is not SQS of AWS over https, nor any that the \
             default allows: none",
        ),
        (
            with_keys(at("http://10.0.0.1:4566")),
            "awsEndpoint \"http://10.0.0.1:4566\" is not SQS of AWS over https, nor any that the default \
             allows: none",
        ),
        (
            at("http://127.0.0.1:9324"),
            "awsEndpoint \"http://127.0.0.1:9324\" is this machine, which only --loopback-endpoints allows",
        ),
        (
            with_keys(at("http://169.254.169.254/latest")),
            "awsEndpoint \"http://169.254.169.254/latest\" is a link-local or metadata address, which \
             nothing allows",
        ),
        (
            at("file:///etc/passwd"),
            "awsEndpoint \"file:///etc/passwd\" is no URL of http or https without a user",
        ),
        (
            QueueRef {
                region: "eu-west-1.evil.example/".to_owned(),
                ..QueueRef::given("orders")
            },
            "awsRegion \"eu-west-1.evil.example/\" is no region: expected letters, digits and hyphens",
        ),
    ];
    for (queue, expected) in cases {
        assert_eq!(refused(by_default(&queue)), expected);
    }
}

const FILE: &str = r#"
[[allow]]
namespaces = ["shop", "shop-*"]
queues = ["orders-*"]
accounts = ["own", "222222222222"]
regions = ["eu-*"]
roles = [{ arn = "arn:aws:iam::222222222222:role/reader", external_id = "shop" }]
endpoints = ["http://sqs.test.svc:4566", "http://169.254.*"]

[[allow]]
namespaces = ["ops"]
accounts = ["*"]
roles = ["arn:aws:iam::*:role/ops"]
"#;

#[test]
fn a_file_allows_what_it_says() {
    let rules = given_rules(FILE);
    let reader = "arn:aws:iam::222222222222:role/reader";
    let allowed = [
        ("shop", of_account(OWN_ACCOUNT, "orders-eu")),
        // Keys open the accounts that they are of, whichever those are.
        ("shop", with_keys(of_account("333333333333", "orders-eu"))),
        ("shop-2", of_account(OTHER_ACCOUNT, "orders-eu")),
        (
            "shop",
            with_role(QueueRef::given("orders-eu"), reader, Some("shop")),
        ),
        (
            "shop",
            QueueRef {
                endpoint: Some("http://SQS.test.svc:4566/".to_owned()),
                ..QueueRef::given("orders-eu")
            },
        ),
        ("ops", of_account("333333333333", "anything")),
        (
            "ops",
            with_role(
                QueueRef::given("any"),
                "arn:aws:iam::333333333333:role/ops",
                None,
            ),
        ),
    ];
    for (namespace, queue) in allowed {
        assert_eq!(
            verdict(&rules, namespace, &queue),
            Verdict::Allowed,
            "{queue:?}"
        );
    }
}

#[test]
fn a_file_refuses_the_rest_and_says_which_rule() {
    let rules = given_rules(FILE);
    let reader = "arn:aws:iam::222222222222:role/reader";
    let cases = [
        (
            "elsewhere",
            QueueRef::given("orders-eu"),
            "no rule names namespace \"elsewhere\"",
        ),
        (
            "shop",
            QueueRef::given("payments"),
            "queue \"payments\" is none of those that rule 1 allows: orders-*",
        ),
        (
            "shop",
            QueueRef {
                region: "us-east-1".to_owned(),
                ..QueueRef::given("orders-eu")
            },
            "region \"us-east-1\" is none of those that rule 1 allows: eu-*",
        ),
        (
            "shop",
            of_account("333333333333", "orders-eu"),
            "account 333333333333 of the queue is none of those that rule 1 allows: own (111111111111), 222222222222",
        ),
        (
            "shop",
            with_role(QueueRef::given("orders-eu"), reader, Some("guessed")),
            "awsExternalId is not the one that rule 1 asks for with role \"arn:aws:iam::222222222222:role/reader\"",
        ),
        (
            "shop",
            with_role(QueueRef::given("orders-eu"), reader, None),
            "awsExternalId is not the one that rule 1 asks for with role \"arn:aws:iam::222222222222:role/reader\"",
        ),
        (
            "ops",
            with_role(QueueRef::given("any"), reader, None),
            "awsRoleArn \"arn:aws:iam::222222222222:role/reader\" is none of those that rule 2 allows: \
             arn:aws:iam::*:role/ops",
        ),
        (
            "shop",
            QueueRef {
                endpoint: Some("http://169.254.169.254".to_owned()),
                ..QueueRef::given("orders-eu")
            },
            "awsEndpoint \"http://169.254.169.254\" is a link-local or metadata address, which nothing allows",
        ),
    ];
    for (namespace, queue, expected) in cases {
        assert_eq!(refused(verdict(&rules, namespace, &queue)), expected);
    }
}

#[test]
fn the_own_account_is_asked_for_only_where_it_matters() {
    let unknown = Surroundings {
        own_account: None,
        is_aws: true,
    };
    let rules = Rules::default_ones(LoopbackEndpoints::Refused);
    let needs = |queue: &QueueRef| rules.check("shop", queue, unknown) == Verdict::NeedsOwnAccount;
    assert!(needs(&of_account(OWN_ACCOUNT, "orders")));
    assert!(!needs(&QueueRef::given("orders")));
    assert!(!needs(&with_keys(of_account(OTHER_ACCOUNT, "orders"))));
    let stand_in = Surroundings {
        is_aws: false,
        ..unknown
    };
    let verdict = rules.check("shop", &of_account("000000000000", "orders"), stand_in);
    assert_eq!(verdict, Verdict::Allowed);
}

proptest! {
    /// Whatever the URL is made of: what is read as another account is never taken for the own one.
    #[test]
    fn no_spelling_of_another_account_is_allowed(
        before in "[a-z0-9:/.?#%@\\\\-]{0,12}",
        between in "[/\\\\%?#.0-9a-fA-F]{0,6}",
        after in "[a-z/?#%.]{0,6}",
    ) {
        let url = format!("https://{before}/{OTHER_ACCOUNT}{between}/orders{after}");
        let verdict = by_default(&QueueRef::given(&url));
        prop_assert_ne!(verdict, Verdict::Allowed);
    }

    /// No host of any spelling is taken for AWS unless it ends as AWS's do.
    #[test]
    fn an_endpoint_is_of_aws_only_below_its_domains(host in "[a-z0-9.@:/#?\\[\\]-]{1,40}") {
        let endpoint = format!("https://{host}");
        if EndpointKind::of(&endpoint) == EndpointKind::Aws {
            let host = host.split('/').next().unwrap_or_default();
            let host = host.split(':').next().unwrap_or_default();
            let host = host.trim_end_matches('.');
            prop_assert!(
                [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"]
                    .iter()
                    .any(|domain| host.ends_with(domain)),
                "{endpoint}"
            );
        }
    }
}
