"""For each rule of lint_rules the mistakes that it must find: in which file what becomes what; a new
file where there is nothing to change."""

SPOT = "karpenter/nodepool-spot.yaml"
SCALED = "examples/competing-consumers/scaledobject.yaml"
SETTINGS = "examples/competing-consumers/configmap.yaml"

MISTAKES = {
    "tags_of_nodes": [("karpenter/nodeclass.yaml", "    Owner: platform\n", "")],
    "architecture_of_images": [
        ("images/build", "linux/amd64,linux/arm64", "linux/amd64"),
        (SPOT, "values: [arm64]", "values: [riscv64]"),
    ],
    "controllers_on_demand": [
        ("eksctl/cluster.yaml", "spot: false", "spot: true"),
        ("terraform/nodes.tf", '"ON_DEMAND"', '"SPOT"'),
    ],
    "identity_of_triggers": [
        (SCALED, "queueLength:", "identityOwner: pod\n        queueLength:"),
        ("examples/authentication/trigger-authentication.yaml", "provider: aws", "provider: aws-eks"),
    ],
    "time_between_heartbeats": [(SETTINGS, 'SQS_VISIBILITY_TIMEOUT: "30"', 'SQS_VISIBILITY_TIMEOUT: "5"')],
    "one_account": [("eksctl/cluster.yaml", "iam::123456789012:", "iam::210987654321:")],
    "one_region": [("eksctl/cluster.yaml", "region: eu-west-1", "region: us-west-2")],
    "queue_in_its_place": [
        (SETTINGS, "sqs.eu-west-1.amazonaws.com", "sqs.us-west-2.amazonaws.com"),
        ("eksctl/identities.yaml", "arn:aws:sqs:eu-west-1", "arn:aws:sqs:us-west-2"),
    ],
    "one_queue": [("eksctl/identities.yaml", "123456789012:orders", "123456789012:order")],
    "metrics_that_exist": [
        ("observability/planted.yaml", None, "groups: [{name: a, rules: [{alert: A, expr: 'rate(sluice_looked_total[5m]) > 0'}]}]"),
        ("observability/planted.json", None, '{"panels": [{"targets": [{"expr": "sum by (pod) (keda_replicas{a=\\"b\\"})"}]}]}'),
    ],
    "numbers_in_pages": [("README.md", "`QUEUE_VISIBILITY_TIMEOUT_SECONDS` | `30`", "`QUEUE_VISIBILITY_TIMEOUT_SECONDS` | `60`")],
    "versions_in_files": [("keda/values.yaml", "--version 2", "--version 1")],
    "no_placeholder": [
        ("eksctl/cluster.yaml", "name: sluice", "name: {CLUSTER_NAME}"),
        ("iam/policies/scaler.json", "123456789012", "<your account>"),
    ],
    "variables_of_flux": [("flux/infra-controllers/external-dns.yaml", "${DOMAIN}", "${DOMAINS}")],
    "dead_letters_outlive": [("cloudformation/queue.yaml", "Default: 1209600", "Default: 60")],
    "metrics_of_sqs": [("cloudformation/queue.yaml", "ApproximateNumberOfMessagesVisible", "NumberOfMessagesMoved")],
}
