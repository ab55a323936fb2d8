"""The list of ../iam/roles.yaml as IAM policies. Knows how actions become statements, and nothing of the code."""

import yaml

from deployment import DEPLOY, names


def roles():
    """The roles of the list, by their key."""
    return yaml.safe_load((DEPLOY / "iam" / "roles.yaml").read_text())


def resources(prefix="store_events"):
    """ARNs of what grants are `of`."""
    n = names()
    sqs = f"arn:aws:sqs:{n['AWS_REGION']}:{n['AWS_ACCOUNT_ID']}"
    return {
        "queue": f"{sqs}:{n['QUEUE_NAME']}",
        "dead_letter_queue": f"{sqs}:{n['DLQ_NAME']}",
        "events": f"arn:aws:s3:::{n['EVENTS_BUCKET']}/{prefix}/*",
        "native_trigger_role": f"arn:aws:iam::{n['AWS_ACCOUNT_ID']}:role/{n['NATIVE_TRIGGER_ROLE']}",
        "assumed_roles": f"arn:aws:iam::{n['AWS_ACCOUNT_ID']}:role/{n['ASSUMED_ROLE']}",
        "everything": "*",
    }


def policy(role, settings=None):
    """The policy of a role with only these settings on, or with all of them."""
    arns = resources()
    grants = [g for g in role["grants"] if settings is None or g.get("with") in (None, *settings)]
    statements = [
        {"Effect": "Allow", "Action": grant["actions"], "Resource": arns[grant["of"]]} for grant in grants
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def pairs(document):
    """What a policy document allows, as pairs of an action and a resource; the order and grouping do not matter."""
    found = set()
    for statement in document["Statement"]:
        if not statement or statement["Effect"] != "Allow":
            continue
        actions, on = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            found.update((action, arn) for arn in ([on] if isinstance(on, str) else on))
    return found


def difference(found, wanted):
    """Sentences about what one set of pairs has and the other has not."""
    for action, arn in sorted(found - wanted):
        yield f"allows {action} on {arn}, which the list does not"
    for action, arn in sorted(wanted - found):
        yield f"does not allow {action} on {arn}, which the list does"
