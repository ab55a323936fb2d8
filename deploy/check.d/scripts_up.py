"""What `up` and `configure` must do, seen from outside."""

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from deployment import DEPLOY, names
from scripts_world import different, failed, refused

N = names()
CLUSTER = N["CLUSTER_NAME"]

# No namespace exists, and the registry of the account is empty.
NEW_CLUSTER = ("^kubectl --context [^ ]+ get namespace", 1, "")

CREATE = [
    "docker login --username AWS --password-stdin",
    "docker buildx build --platform linux/amd64,linux/arm64 --target sluice",
    "docker buildx imagetools inspect",
    "docker buildx build --platform linux/amd64,linux/arm64 --target sluice-worker",
    "docker buildx imagetools inspect",
]

INSTALL = [
    "eksctl create cluster --config-file OUTPUT/cluster.yaml",
    "kubectl --context sluice get namespace keda",
    "kubectl --context sluice create namespace keda",
    "kubectl --context sluice label namespace keda app.kubernetes.io/created-by=sluice",
    "helm upgrade --install keda keda --repo https://kedacore.github.io/charts --version 2.20.2 --kube-context sluice"
    " --namespace keda --values deploy/keda/values.yaml --wait --timeout 5m",
    "kubectl --context sluice rollout status deployment/keda-operator --namespace keda --timeout=300s",
    "kubectl --context sluice rollout status deployment/keda-operator-metrics-apiserver --namespace keda --timeout=300s",
    "kubectl --context sluice rollout status deployment/keda-admission-webhooks --namespace keda --timeout=300s",
    "helm upgrade --install karpenter oci://public.ecr.aws/karpenter/karpenter --version 1.14.1 --kube-context sluice"
    " --namespace kube-system --set settings.clusterName=sluice"
    " --set settings.interruptionQueue=sluice-karpenter-interruption"
    r" --set-string nodeSelector.karpenter\.sh/controller=true"
    " --set controller.resources.requests.cpu=1 --set controller.resources.requests.memory=1Gi"
    " --set controller.resources.limits.cpu=1 --set controller.resources.limits.memory=1Gi --wait --timeout 5m",
    "kubectl --context sluice apply --filename OUTPUT/nodeclass.yaml --filename deploy/karpenter/nodepool-spot.yaml"
    " --filename deploy/karpenter/nodepool-on-demand.yaml",
    "kubectl --context sluice get namespace keda",
    "kubectl --context sluice create namespace keda",
    "kubectl --context sluice label namespace keda app.kubernetes.io/created-by=sluice",
    "helm upgrade --install sluice deploy/chart --kube-context sluice --namespace keda"
    " --values OUTPUT/scaler.values.yaml --wait --timeout 5m",
    "kubectl --context sluice get namespace shop",
    "kubectl --context sluice create namespace shop",
    "kubectl --context sluice label namespace shop app.kubernetes.io/created-by=sluice",
    "helm upgrade --install sluice deploy/chart --kube-context sluice --namespace shop"
    " --values OUTPUT/worker.values.yaml --wait --timeout 5m",
]


def shortened(calls):
    """Calls of docker without what changes from one commit to the next."""
    return [next((c for c in sorted(CREATE, key=len, reverse=True) if call.startswith(c + " ")), call) for call in calls]


def up_makes_everything(world):
    """up makes queue, images, cluster, roles, KEDA, Karpenter, scaler and workers, each call as it should be"""
    world.answer(NEW_CLUSTER)
    done = world.run("up", "--yes", "--bucket", "events-1")
    problems = failed(done) + list(different(shortened(world.calls()), [*CREATE, *INSTALL]))
    for line in ("QueueARN=arn:aws:sqs:eu-west-1:123456789012:orders", "QueueURL=https://sqs.eu-west-1.amazonaws.com"):
        if line not in done.stdout:
            problems.append(f"does not print {line}: {done.stdout}")
    found = set(world.leftovers())
    for wanted in (
        "bucket events-1",
        f"cluster {CLUSTER}",
        f"policy {CLUSTER}-karpenter",
        "repository sluice",
        "repository sluice-worker",
        *(f"stack {CLUSTER}-{s}" for s in ("queue", "events", "roles", "karpenter")),
        *(f"role {N[k]}" for k in ("SCALER_ROLE", "WORKER_ROLE", "PRODUCER_ROLE", "PAGE_ROLE", "REDRIVE_ROLE", "NODE_ROLE")),
    ):
        if wanted not in found:
            problems.append(f"there is no {wanted}")
    return problems


def up_twice_is_as_once(world):
    """up may be run again: nothing is made twice, and nothing fails"""
    world.run("up", "--yes", "--registry", "ghcr.io/me")
    before, first = sorted(world.leftovers()), world.calls()
    done = world.run("up", "--yes", "--registry", "ghcr.io/me")
    again = world.calls()
    problems = failed(done) + ([] if sorted(world.leftovers()) == before else ["the account has changed"])
    if any(call.startswith("eksctl create") for call in again):
        problems.append("the cluster is created again")
    if [c for c in again if c.startswith("helm")] != [c for c in first if c.startswith("helm")]:
        problems.append("Helm is called otherwise than before")
    return problems


def one_step_alone(world):
    """up queue makes a queue with the name, region and stack that are asked for, and nothing else"""
    done = world.run("up", "queue", "--yes", "--stack-name", "s", "--queue-name", "video", "--region", "eu-west-1")
    wanted = ["queue", "queue", "stack s"]
    found = [item.split()[0] if item.startswith("queue") else item for item in world.leftovers()]
    problems = failed(done) + list(different(found, wanted)) + [f"calls {c}" for c in world.calls()]
    if "QueueARN=arn:aws:sqs:eu-west-1:123456789012:video" not in done.stdout:
        problems.append(f"does not print the ARN: {done.stdout}")
    return problems


def dry_run_does_nothing(world):
    """up --dry-run says every command and does none"""
    world.answer(NEW_CLUSTER)
    done = world.run("up", "--dry-run", "--bucket", "events-1")
    changing = [c for c in world.calls() if " get namespace " not in c]
    problems = failed(done) + [f"calls {c}" for c in changing] + [f"made {i}" for i in world.leftovers()]
    if Path(world.output()).exists():
        problems.append("wrote files")
    for word in ("aws cloudformation create-stack", "eksctl create cluster", "helm upgrade --install keda", "apply"):
        if f"would run: {word}" not in done.stderr and word not in done.stderr:
            problems.append(f"does not say {word}")
    return problems


def nobody_is_asked(world):
    """up without --yes and without a terminal stops before it changes anything"""
    done = world.run("up")
    return list(refused(done, "--yes")) + [f"made {i}" for i in world.leftovers()]


def missing_programs(world):
    """up tells of every program that is missing or too old, and where to get it, before it does anything"""
    world.without("helm")
    world.answer(("^eksctl version", 0, r"0.150.0\n"))
    done = world.run("up", "--yes")
    problems = list(refused(done, "missing: helm 3.14", "https://helm.sh", "too old: eksctl is 0.150.0", "2 of the programs"))
    return problems + [f"made {i}" for i in world.leftovers()]


def by_irsa(world):
    """up --identity irsa gives roles to the issuer of the cluster, and names them in the values"""
    done = world.run("up", "--yes", "--registry", "ghcr.io/me", "--identity", "irsa", "--skip", "karpenter")
    problems = failed(done)
    if "eksctl utils associate-iam-oidc-provider --cluster sluice --region eu-west-1 --approve" not in world.calls():
        problems.append("the issuer is not made known to IAM")
    role = world.aws.client("iam").get_role(RoleName=N["WORKER_ROLE"])["Role"]
    statement = role["AssumeRolePolicyDocument"]["Statement"][0]
    if statement["Action"] != "sts:AssumeRoleWithWebIdentity":
        problems.append(f"the role is taken by {statement['Action']}")
    values = yaml.safe_load(Path(world.output(), "worker.values.yaml").read_text())
    if values["worker"]["serviceAccount"]["roleArn"] != f"arn:aws:iam::123456789012:role/{N['WORKER_ROLE']}":
        problems.append(f"the values have {values['worker']['serviceAccount']}")
    return problems


def agent_missing(world):
    """up roles installs the add-on by which pods take their roles where it is missing"""
    world.as_after_up()
    # The emulator knows no add-ons.
    world.instead_of_aws("eks.describe-addon", 254, "An error occurred (ResourceNotFoundException): No addon")
    world.instead_of_aws("eks.create-addon", 0, "{}")
    done = world.run("up", "roles", "--yes")
    wanted = "aws eks create-addon --cluster-name sluice --addon-name eks-pod-identity-agent"
    return failed(done) + ([] if wanted in world.calls() else ["it is not installed"])


def cluster_of_others(world):
    """up karpenter stops in a cluster in which nothing was made for Karpenter, and says what to do"""
    world.aws.client("eks").create_cluster(
        name=CLUSTER, roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig={"subnetIds": ["subnet-1"]}
    )
    done = world.run("up", "karpenter", "--yes")
    return list(refused(done, "--skip karpenter")) + [f"calls {c}" for c in world.calls()]


def other_account(world):
    """up stops when the credentials are of another account than AWS_ACCOUNT_ID"""
    return list(refused(world.run("up", "--yes", AWS_ACCOUNT_ID="999999999999"), "999999999999", "123456789012"))


def unknown_step(world):
    """up names the steps that there are when it is asked for another"""
    return list(refused(world.run("up", "qeue", "--yes"), '"qeue"', "queue bucket configure"))


def failed_stack(world):
    """up stops at a stack that was rolled back, and says how to look at it and go on"""
    body = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    cloudformation = world.aws.client("cloudformation")
    cloudformation.create_stack(StackName=f"{CLUSTER}-queue", TemplateBody=body)
    # The emulator rolls nothing back.
    world.instead_of_aws("describe-stacks.*StackStatus", 0, r"ROLLBACK_COMPLETE\n")
    return list(refused(world.run("up", "queue", "--yes"), "ROLLBACK_COMPLETE", "describe-stack-events", "delete-stack"))


def configured(world):
    """configure CLUSTER REGION QUEUE writes every value, leaves no placeholder, and changes no source"""
    done = world.run("configure", "my-cluster", "eu-central-1", "my-queue")
    output = Path(world.output("my-cluster"))
    text = {f.name: f.read_text() for f in output.glob("*")}
    problems = failed(done)
    for name, words in {
        "cluster.yaml": ("name: my-cluster", "region: eu-central-1", "role/my-cluster-karpenter-node", "123456789012"),
        "nodeclass.yaml": ("role: my-cluster-karpenter-node", "karpenter.sh/discovery: my-cluster"),
        "worker.values.yaml": ("queueUrl: https://sqs.eu-central-1.amazonaws.com/123456789012/my-queue",),
        "scaler.values.yaml": ("registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com",),
    }.items():
        problems += [f"{name} has no {word}" for word in words if word not in text.get(name, "")]
    problems += [f"{n} has {w}" for n, t in text.items() for w in ("eu-west-1", "sqs/orders") if w in t]
    return problems


def configured_by_environment(world):
    """configure takes CLUSTER_NAME, AWS_REGION and QUEUE_NAME from the environment, and arguments win"""
    done = world.run("configure", "c2", CLUSTER_NAME="c1", AWS_REGION="eu-north-1", QUEUE_NAME="q1")
    path = Path(world.output("c2"), "worker.values.yaml")
    if not path.exists():
        return [*failed(done), "wrote no values"]
    return [] if "https://sqs.eu-north-1.amazonaws.com/123456789012/q1" in path.read_text() else [path.read_text()]


def defaults_are_the_sources(world):
    """configure with the names of names.env writes what deploy/eksctl and deploy/karpenter have"""
    problems = failed(world.run("configure"))
    for name, source in {"cluster.yaml": "eksctl/cluster.yaml", "nodeclass.yaml": "karpenter/nodeclass.yaml"}.items():
        if Path(world.output(), name).read_text() != (DEPLOY / source).read_text():
            problems.append(f"deploy/scripts/templates/{name} and deploy/{source} have become different")
    return problems


def values_fit_the_chart(world):
    """configure writes values that the chart takes, and with which service accounts and queue are those of AWS"""
    problems = failed(world.run("configure"))
    for name, words in {
        "scaler": [f"serviceAccountName: {N['SCALER_SERVICE_ACCOUNT']}", f"sluice:{N['IMAGE_TAG']}"],
        "worker": [
            f"serviceAccountName: {N['WORKER_SERVICE_ACCOUNT']}",
            f"amazonaws.com/{N['AWS_ACCOUNT_ID']}/{N['QUEUE_NAME']}",
            f"{N['SCALER_SERVICE']}.{N['SCALER_NAMESPACE']}.svc:{N['GRPC_PORT']}",
        ],
    }.items():
        values = str(Path(world.output(), f"{name}.values.yaml"))
        command = [os.environ["SLUICE_HELM"], "template", N["SCALER_SERVICE"], str(DEPLOY / "chart"), "--values", values]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        problems += [f"{name}: {done.stderr}"] if done.returncode else []
        problems += [f"{name} has no {word}" for word in words if word not in done.stdout]
    return problems


def placeholder_left(world):
    """configure fails when a template has a placeholder that nobody fills"""
    copy = world.folder / "deploy"
    shutil.copytree(DEPLOY / "scripts", copy / "scripts")
    shutil.copy(DEPLOY / "names.env", copy / "names.env")
    with (copy / "scripts/templates/worker.values.yaml").open("a") as file:
        file.write("extra: {NOBODYS_VALUE}\n")
    return list(refused(world.run(str(copy / "scripts/configure")), "{NOBODYS_VALUE}", "placeholders are left"))


SCENARIOS = [
    up_makes_everything,
    up_twice_is_as_once,
    one_step_alone,
    dry_run_does_nothing,
    nobody_is_asked,
    missing_programs,
    by_irsa,
    agent_missing,
    cluster_of_others,
    other_account,
    unknown_step,
    failed_stack,
    configured,
    configured_by_environment,
    defaults_are_the_sources,
    values_fit_the_chart,
    placeholder_left,
]
