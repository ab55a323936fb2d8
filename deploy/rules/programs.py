"""What the programs understand: variables and trigger keys, as their sources and the READMEs have them.

A variable that a manifest sets and no program reads is a setting that silently does nothing.
"""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
WORKER_README = ROOT / "worker" / "README.md"

AWS = re.compile(r"AWS_(REGION|ENDPOINT_URL(_SQS|_S3|_STS)?|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|ROLE_ARN)$")
"""Variables of the AWS SDKs, which every program that calls AWS reads."""

KEDA_KEYS = {"scalerAddress", "enableTLS", "unsafeSsl"}
"""Keys of an external trigger that are KEDA's own."""


def _declared(*folders):
    """Variables that the command lines declare."""
    sources = [path for folder in folders for path in sorted((ROOT / folder).glob("**/*.rs"))]
    sources += [ROOT / f"{folder}.rs" for folder in folders if (ROOT / f"{folder}.rs").exists()]
    found = set()
    for path in sources:
        found |= set(re.findall(r'env = "([A-Z][A-Z0-9_]+)"', path.read_text()))
    return found


@cache
def variables(program):
    """The variables of `sluice` or of `sluice-worker`."""
    return _declared("src/cli") if program == "sluice" else _declared("worker/src/cli")


@cache
def documented(program):
    """The variables that the program's README tells of."""
    page = README if program == "sluice" else WORKER_README
    return set(re.findall(r"`([A-Z][A-Z0-9_]{3,})`", page.read_text()))


@cache
def trigger_keys():
    """The metadata keys of the README's table, each of which a test compares with the code."""
    section = README.read_text().split("### Trigger metadata")[1].split("\n### ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {key for row in rows for key in re.findall(r"`([A-Za-z]+)`", row)}


def variable_fault(program, name):
    """Why a program would not read a variable, or nothing."""
    if name in variables(program) or AWS.match(name):
        return None
    return f"{program} reads no variable {name}"


def key_fault(key):
    """Why an external trigger of Sluice would not read a key, or nothing."""
    return None if key in trigger_keys() | KEDA_KEYS else f"a trigger of Sluice has no key {key}"
