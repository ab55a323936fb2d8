"""Rules for names that must be the same everywhere: account, region, queue, images and the address of the scaler are
those of ../names.env, and nothing is left to be filled in."""

import re

from deployment import names

LEFT_OVER = re.compile(r"\b(TODO|FIXME|CHANGE_?ME|REPLACE_?ME|XXX)\b|<[a-z][a-z0-9 -]*>|\{[A-Z][A-Z0-9_]+\}")
"""Words that wait for somebody. `${NAME}` is Flux's, and its own check sees what is put in."""


def faults(text):
    """Every name of a file that is another one elsewhere."""
    known = names()
    address = f"{known['SCALER_SERVICE']}.{known['SCALER_NAMESPACE']}.svc:{known['GRPC_PORT']}"
    rules = [
        (r"(?<!\w)(\d{12})(?!\w)", "account", {known["AWS_ACCOUNT_ID"]}),
        (r"\b((?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d)\b", "region", {known["AWS_REGION"]}),
        (r"amazonaws\.com/\d{12}/([A-Za-z0-9_.-]+)", "queue", {known["QUEUE_NAME"], known["DLQ_NAME"]}),
        (r"/sluice(?:-worker)?:([A-Za-z0-9_.-]+)", "version of an image", {known["IMAGE_TAG"]}),
        (r"scalerAddress: (\S+)", "address of the scaler", {address}),
    ]
    for pattern, what, allowed in rules:
        for found in sorted(set(re.findall(pattern, text, re.MULTILINE)) - allowed):
            yield f"{what} {found}, and {' or '.join(sorted(allowed))} in names.env"
    for found in LEFT_OVER.finditer(re.sub(r"\$\{[A-Z_]+\}", "", text)):
        yield f"{found.group()!r} is left to be filled in"
