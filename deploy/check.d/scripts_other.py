"""What `send-test-messages`, `status` and `terraform` must do, seen from outside."""

import json

from scripts_world import different, failed, refused

SCRIPTS = ("up", "configure", "send-test-messages", "status", "down", "terraform")


def queue(world, name="orders"):
    return world.aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]


def bodies(world, url):
    """All bodies of a queue, by their number."""
    sqs, found = world.aws.client("sqs"), []
    for _ in range(100):
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        if not messages:
            break
        found += [json.loads(m["Body"]) for m in messages]
    return sorted(found, key=lambda body: int(body["messageNumber"]))


def sends_all(world):
    """send-test-messages URL REGION COUNT sends them all and tells what the queue has"""
    url = queue(world)
    done = world.run("send-test-messages", url, "eu-west-1", "23")
    problems = failed(done)
    for line in ("sent 23, failed 0", "the queue has 23 visible, 0 in flight"):
        if line not in done.stdout:
            problems.append(f"does not say {line}: {done.stdout}")
    wanted = [{"messageNumber": str(n)} for n in range(1, 24)]
    return problems + list(different(bodies(world, url), wanted))


def sends_ten(world):
    """send-test-messages without arguments sends ten, as the environment says where to"""
    url = queue(world)
    done = world.run("send-test-messages", SQS_QUEUE_URL=url, AWS_REGION="eu-west-1")
    return failed(done) + ([] if len(bodies(world, url)) == 10 else ["there are not ten"])


def sends_nowhere(world):
    """send-test-messages says that there is no such queue"""
    url = queue(world) + "x"
    return list(refused(world.run("send-test-messages", url), "there is no queue"))


def wrong_count(world):
    """send-test-messages refuses a count that is none"""
    return list(refused(world.run("send-test-messages", queue(world), "eu-west-1", "many"), "1 to 100000"))


HEALTHY = [
    ("^kubectl .* get deployment", 0, "2"),
    ("^kubectl .* get scaledobjects.keda.sh", 0, r"shop sluice-worker\n"),
    ("^kubectl .* get scaledobject sluice-worker", 0, "True"),
    ("^kubectl .* get pods .*scaler", 0, r"AWS_CONTAINER_CREDENTIALS_FULL_URI http://169.254.170.23/v1/credentials\n"),
    ("^kubectl .* get pods .*worker", 0, r"AWS_ROLE_ARN arn:aws:iam::123456789012:role/sluice-worker\n"),
]


def healthy(world):
    """status says that all is well, and as whom the pods call AWS"""
    world.as_after_up()
    world.answer(*HEALTHY)
    done = world.run("status")
    problems = failed(done) + (["says that something is wrong"] if "WRONG" in done.stdout else [])
    for words in (
        "queue orders has 0 visible",
        "there are no dead letters",
        "have a role by EKS Pod Identity",
        "have the role arn:aws:iam::123456789012:role/sluice-worker by IRSA",
        "ScaledObject shop/sluice-worker is ready",
    ):
        if words not in done.stdout:
            problems.append(f"does not say {words}: {done.stdout}")
    return problems


def unwell(world):
    """status names dead letters, a pod without a role and an object that is not ready, and ends with 1"""
    world.as_after_up()
    url = world.aws.client("sqs").get_queue_url(QueueName="orders-dlq")["QueueUrl"]
    world.aws.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    world.answer(
        ("^kubectl .* get scaledobject sluice-worker", 0, "False"),
        ("^kubectl .* get pods .*scaler", 0, r"SLUICE_LOG info\n"),
        *HEALTHY,
    )
    done = world.run("status")
    problems = list(refused(done, "3 things are wrong"))
    for words in ("there are 1 dead letters", "have no role of their own", "is not ready: kubectl describe scaledobject"):
        if words not in done.stdout:
            problems.append(f"does not say {words}: {done.stdout}")
    return problems


def terraform_steps(world):
    """terraform plan, apply, kubeconfig and destroy call Terraform in their order"""
    world.answer(
        ("^terraform .* output -raw eks_cluster_name", 0, "shop"),
        ("^terraform .* output -raw aws_region", 0, "eu-west-1"),
    )
    eks = world.aws.client("eks")
    eks.create_cluster(name="shop", roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig={"subnetIds": ["s"]})
    problems = []
    for step in (["plan"], ["apply"], ["kubeconfig"], ["destroy", "--yes"]):
        problems += failed(world.run("terraform", *step))
    there = "terraform -chdir=deploy/terraform"
    wanted = [
        f"{there} validate",
        f"{there} plan -out plan",
        f"{there} apply plan",
        f"{there} output -raw eks_cluster_name",
        f"{there} output -raw aws_region",
        f"{there} destroy -auto-approve",
    ]
    return problems + list(different(world.calls(), wanted))


def terraform_without_backend(world):
    """terraform init says what it needs when there is no backend.hcl"""
    return list(refused(world.run("terraform", "init"), "backend.hcl.example"))


def help_of_all(world):
    """every script has --help, and refuses an option that it does not know"""
    problems = []
    for script in SCRIPTS:
        done = world.run(script, "--help")
        if done.returncode != 0 or script not in done.stdout or "--" not in done.stdout:
            problems.append(f"{script} --help says: {done.stdout[:100]} {done.stderr[:200]}")
        problems += [f"{script}: {p}" for p in refused(world.run(script, "--no-such-option"), "--help")]
    return problems


SCENARIOS = [
    sends_all,
    sends_ten,
    sends_nowhere,
    wrong_count,
    healthy,
    unwell,
    terraform_steps,
    terraform_without_backend,
    help_of_all,
]
