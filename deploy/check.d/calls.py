"""Which actions of AWS the code calls, read from its sources. Knows SDKs of Rust by their habits, not their types."""

import re
from functools import cache

import botocore.session
from botocore import xform_name

# Calls that are no method of an SDK's client: what gives them away, and the action that they are.
OTHER_CALLS = {
    r"\bAssumeRoleProvider\b": "sts:AssumeRole",
    r"s3_signer.*Method::PUT|Method::PUT.*s3_signer": "s3:PutObject",
}


# AWS lets everybody ask who they are; no policy can allow it or keep it from them.
ALLOWED_TO_ALL = {"sts:GetCallerIdentity"}


@cache
def operations(service):
    """The operations of a service, by the name of their method."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def action(service, operation):
    """The action that IAM asks for; batches are asked for as what they are batches of."""
    return f"{service}:{operation.removesuffix('Batch')}"


def without_tests(source):
    """A source without its modules of tests, which end a file in this code base."""
    return re.split(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*mod \w+ \{", source)[0]


def called(folder):
    """The actions that the sources of a folder call."""
    files = [f for f in sorted(folder.rglob("*.rs")) if "tests" not in f.name]
    sources = [without_tests(f.read_text()) for f in files]
    services = {name for s in sources for name in re.findall(r"\baws_sdk_([a-z0-9]+)\b", s)}
    return set().union(*(called_in(source, services) for source in sources))


def called_in(source, services=("sqs",)):
    """The actions that one source calls of some services."""
    methods = set(re.findall(r"\.([a-z][a-z0-9_]*)\(\)", source))
    found = {a for pattern, a in OTHER_CALLS.items() if re.search(pattern, source, re.DOTALL)}
    for service in services:
        known = operations(service)
        found.update(action(service, known[m]) for m in methods & known.keys())
    return found - ALLOWED_TO_ALL
