"""Strict validation of Kubernetes objects: a field that no schema knows is a mistake.

Built-in kinds are held against several versions of Kubernetes. Custom kinds are held against the schemas of their
projects, which exist beside the project in development and in CI only: elsewhere they are counted as skipped.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

VERSIONS = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35"]
"""Those that the chart promises and EKS runs."""

DEPLOY = Path(__file__).resolve().parent.parent
OWN_SCHEMAS = DEPLOY / "schemas"


def documents(text):
    """The objects of a text of YAML documents."""
    return [document for document in yaml.safe_load_all(text) if document]


def is_built_in(document):
    group = document["apiVersion"].rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def label(document):
    return f"{document['kind']} {document['metadata'].get('name')}"


class Strict:
    """Collects objects, and holds each different one against its schemas once: most renders share most objects."""

    def __init__(self):
        self.objects = {}

    def add(self, place, objects):
        """Takes objects; `place` is where the first of its kind was seen."""
        for document in objects:
            self.objects.setdefault(json.dumps(document, sort_keys=True), (place, document))

    def report(self, report):
        """Counts a result for each object and version of Kubernetes, and for each custom object."""
        custom = []
        for place, document in self.objects.values():
            if not is_built_in(document):
                custom.append((place, document))
                continue
            for version in VERSIONS:
                what = f"{place}: {label(document)}: Kubernetes {version}"
                report.result("objects held strictly against Kubernetes 1.30 to 1.35", what, faults(document, version))
        _report_custom(report, custom)


def faults(document, version):
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [error.message]
    except kubernetes_validate.SchemaNotFoundError:
        return [f"there is no {document['apiVersion']} {document['kind']}"]
    return []


def _report_custom(report, custom):
    checker = shared_checker()
    if checker is None:
        if custom:
            print(f"skipped: {len(custom)} custom objects, since there are no schemas beside the project")
        return
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.yaml") for number in range(len(custom))]
        for file, (_, document) in zip(files, custom, strict=True):
            file.write_text(yaml.safe_dump(document))
        lines = _check_crds(checker, files) if files else []
    for file, (place, document) in zip(files, custom, strict=True):
        said = [line for line in lines if str(file) in line]
        faults = [line.replace(f" {file}", "") for line in said if not line.startswith("OK")]
        what = f"{place}: {label(document)}"
        report.result("custom objects held strictly against their schema", what, faults if said else ["not checked"])


def _check_crds(checker, files):
    """What the checker says, a line or more for each file. It reads all schemas first, so it is run once."""
    schemas = f"{checker.parent.parent / 'schemas'},{OWN_SCHEMAS}"
    run = subprocess.run([sys.executable, checker, schemas, *files], capture_output=True, text=True, check=False)
    print(run.stderr, end="")
    return run.stdout.splitlines()


def shared_checker():
    """The program that knows the schemas of KEDA, Karpenter and Flux, where it exists."""
    folder = Path(os.environ.get("SLUICE_SHARED", DEPLOY.parent.parent / "shared"))
    checker = folder / "tools" / "check-crds"
    return checker if checker.exists() else None
