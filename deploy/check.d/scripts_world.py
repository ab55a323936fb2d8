"""A world for scripts: an emulated AWS behind the real AWS CLI, stand-ins for other programs that note how they were
called, and a home that nobody else uses. Knows no script."""

import os
import re
import shutil
import stat
import subprocess
import sys
from contextlib import contextmanager

from deployment import DEPLOY, names

# A script that waits for something that never comes must not hold up the check.
SCRIPT_SECONDS_MAX = 240

# Notes the call, and answers as its file of answers says: lines of a pattern, a tab and an answer.
STAND_IN = r"""#!/usr/bin/env bash
printf '%s' "$(basename "$0")" >>"$WORLD/calls"
printf ' %s' "$@" >>"$WORLD/calls"
echo >>"$WORLD/calls"
[[ " $* " == *" --password-stdin "* ]] && cat >/dev/null
while IFS=$'\t' read -r pattern status answer; do
    if [[ "$(basename "$0") $*" =~ $pattern ]]; then
        printf '%b' "$answer"
        exit "$status"
    fi
done <"$WORLD/answers"
exit 0
"""

# eksctl makes a cluster that the emulated EKS then knows.
EKSCTL = r"""
if [[ "$1 $2" == "create cluster" ]]; then
    name=$(sed -n 's/^  name: //p' "$4" | head -n 1)
    aws eks create-cluster --name "$name" --role-arn arn:aws:iam::123456789012:role/eks \
        --resources-vpc-config subnetIds=subnet-1,subnet-2 >/dev/null
elif [[ "$1 $2" == "delete cluster" ]]; then
    aws eks delete-cluster --name "$4" >/dev/null
fi
"""

VERSIONS = [
    ("^kubectl version", 0, r"Client Version: v1.34.5\n"),
    ("^helm version", 0, r"v4.1.4+g0123456\n"),
    ("^eksctl version", 0, r"0.215.0\n"),
    ("^flux --version", 0, r"flux version 2.7.2\n"),
    ("^docker --version", 0, r"Docker version 28.2.2, build 0\n"),
    ("^terraform version", 0, r"Terraform v1.13.0\n"),
]


@contextmanager
def aws_cli(folder):
    """Loads the AWS CLI, and tells the command that calls it."""
    program, place = DEPLOY / "check.d" / "aws_command.py", folder / "aws"
    server = subprocess.Popen([sys.executable, str(program), "serve", str(place)], stdout=subprocess.PIPE, text=True)
    try:
        server.stdout.readline()
        # Without site packages, which the caller does not need.
        yield f'"{sys.executable}" -S -E "{program}" call "{place}"'
    finally:
        server.kill()
        server.wait()


class World:
    def __init__(self, aws, folder, cli):
        """`cli` is the command that calls the AWS CLI."""
        self.aws = aws
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        self.answer(*VERSIONS)
        (folder / "calls").touch()
        self._program("aws", f'#!/usr/bin/env bash\nexec {cli} "$@" --endpoint-url "{aws.url}"\n')
        for name in ("kubectl", "helm", "docker", "flux", "terraform"):
            self._program(name, STAND_IN)
        self._program("eksctl", STAND_IN.replace("while IFS", EKSCTL.strip() + "\nwhile IFS"))

    def _program(self, name, text):
        path = self.programs / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def answer(self, *answers):
        """What stand-ins say to calls that fit a pattern, with which status; the first that fits counts."""
        self._answers = [*answers, *getattr(self, "_answers", [])]
        lines = [f"{pattern}\t{status}\t{text}" for pattern, status, text in self._answers]
        (self.folder / "answers").write_text("\n".join(lines) + "\n")

    def instead_of_aws(self, pattern, status, text):
        """Answers calls of the CLI that fit a pattern, which the emulator does not know or cannot show; notes them."""
        path = self.programs / "aws"
        answer = f"""if [[ "$*" =~ {pattern} ]]; then
    echo "aws $*" >>"$WORLD/calls"
    printf '%b' '{text}' >&{1 if status == 0 else 2}
    exit {status}
fi
"""
        path.write_text(path.read_text().replace("exec ", answer + "exec ", 1))

    def as_after_up(self, bucket=None):
        """Makes in AWS what `up` makes, without it: sooner, and with the names that the scripts know."""
        n, cluster = names(), names()["CLUSTER_NAME"]
        stacks = {"queue": {}, "roles": {}, "karpenter": {}}
        if bucket:
            stacks["bucket"] = {"BucketName": bucket}
        for template, parameters in stacks.items():
            body = (DEPLOY / "cloudformation" / f"{template}.yaml").read_text()
            self.aws.create_stack(f"{cluster}-{'events' if template == 'bucket' else template}", body, **parameters)
        for key in ("SCALER_REPOSITORY", "WORKER_REPOSITORY"):
            self.aws.client("ecr").create_repository(repositoryName=n[key])
        role = f"arn:aws:iam::{n['AWS_ACCOUNT_ID']}:role/eks"
        self.aws.client("eks").create_cluster(name=cluster, roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})

    def without(self, program):
        """Takes a program away; those of this machine are out of sight too."""
        (self.programs / program).unlink()

    def run(self, script, *arguments, **environment):
        """Runs a script of deploy/scripts, without a terminal."""
        plain = self.folder / "plain"
        if not plain.exists():
            plain.mkdir()
            for name in PLAIN_PROGRAMS:
                (plain / name).symlink_to(shutil.which(name))
        given = {
            "PATH": f"{self.programs}:{plain}",
            "HOME": str(self.home),
            "KUBECONFIG": str(self.home / "kubeconfig"),
            "WORLD": str(self.folder),
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            **environment,
        }
        command = [str(DEPLOY / "scripts" / script), *arguments]
        return subprocess.run(
            command,
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SCRIPT_SECONDS_MAX,
            check=False,
        )

    def calls(self):
        """The calls of stand-ins since the last time, without those that only look at versions; paths are short."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines()
        path.write_text("")
        lines = [line for line in lines if not any(re.search(pattern, line) for pattern, _, _ in VERSIONS)]
        return [line.replace(str(DEPLOY), "deploy").replace(self.output(), "OUTPUT") for line in lines]

    def output(self, cluster=None):
        """Where rendered files go."""
        return str(self.home / ".local/state/sluice" / (cluster or names()["CLUSTER_NAME"]))

    def leftovers(self):
        """What the emulated AWS still has of what scripts make."""
        sqs, iam = self.aws.client("sqs"), self.aws.client("iam")
        found = [f"queue {url}" for url in sqs.list_queues().get("QueueUrls", [])]
        found += [f"role {r['RoleName']}" for r in iam.list_roles()["Roles"]]
        found += [f"policy {p['PolicyName']}" for p in iam.list_policies(Scope="Local")["Policies"]]
        found += [f"bucket {b['Name']}" for b in self.aws.client("s3").list_buckets()["Buckets"]]
        found += [f"cluster {c}" for c in self.aws.client("eks").list_clusters()["clusters"]]
        repositories = self.aws.client("ecr").describe_repositories()["repositories"]
        found += [f"repository {r['repositoryName']}" for r in repositories]
        found += [f"rule {r['Name']}" for r in self.aws.client("events").list_rules()["Rules"]]
        stacks = self.aws.client("cloudformation").list_stacks()["StackSummaries"]
        return found + [f"stack {s['StackName']}" for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"]


# What scripts use of any machine.
PLAIN_PROGRAMS = "bash env dirname basename sed sort head grep mkdir mv cat git uname tr".split()


def failed(done):
    """What a script said, if it failed."""
    return [] if done.returncode == 0 else [f"ended with {done.returncode}: {done.stderr[-1500:]}"]


def refused(done, *words):
    """Whether a script ended with an error that has these words."""
    if done.returncode == 0:
        yield "did not fail"
    yield from (f'does not say "{word}": {done.stderr[-600:]}' for word in words if word not in done.stderr)


def different(found, wanted):
    """The first differences of two lists of calls."""
    for position in range(max(len(found), len(wanted))):
        a = found[position] if position < len(found) else "nothing more"
        b = wanted[position] if position < len(wanted) else "nothing more"
        if a != b:
            yield f"call {position + 1} is `{a}`, wanted `{b}`"
            return
